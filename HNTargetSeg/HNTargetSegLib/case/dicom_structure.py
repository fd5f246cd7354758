"""A structure that was read from an RTSTRUCT or SEG: its name, what kind of target it is, and its voxels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError

Slices = tuple[slice, slice, slice]

LONGEST_NAME = 16
"""Characters of a structure name: AAPM TG-263, recommendation 1, as some planning systems cut longer ones."""

_TARGET_NAME = re.compile(r"GTV(?P<kind>[pn])(?P<number>[1-9]\d?)?(?P<rest>[_^][A-Za-z0-9_^]+)?")


@dataclass(frozen=True, eq=False)
class Structure:
    """One structure on the grid of a series.

    Attributes
    ----------
    name
        ROIName (3006,0026) or SegmentLabel (0062,0005).
    number
        ROINumber or SegmentNumber.
    target
        What its name or code says it is; None where they say nothing that is known here.
    box, mask
        Where it lies, as slices of an array in (k, j, i) order, and its voxels there.
    notes
        What a reader should know: contours that enclose nothing, for example.
    uid
        Of the thing in the patient that it shows: ConceptualVolumeUID (3010,0006) or TrackingUID (0062,0021).
    description
        ROIDescription (3006,0028) or SegmentDescription (0062,0006).
    made
        ROIGenerationAlgorithm (3006,0036) or SegmentAlgorithmType (0062,0008).
    """

    name: str
    number: int
    target: Target | None
    box: Slices
    mask: np.ndarray
    notes: tuple[str, ...] = ()
    uid: str = ""
    description: str = ""
    made: str = ""

    @property
    def voxels(self) -> int:
        """How many voxels it has."""
        return int(self.mask.sum())


def target_of_name(name: str) -> Target | None:
    """The target that a structure name of AAPM TG-263 stands for: GTVp, GTVn, numbered, with a suffix; None for others.

    A suffix begins with ``_`` (image or dose) or ``^`` (free text), as in GTVp_MR1 or GTVn2^left.
    """
    found = _TARGET_NAME.fullmatch(name.strip())
    return None if found is None else {"p": Target.PT, "n": Target.LN}[found["kind"]]


def cropped(mask: np.ndarray) -> tuple[Slices, np.ndarray]:
    """Bounding box of the true voxels and the mask inside; the first voxel where none is true."""
    slices = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        slices.append(slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 1))
    box = (slices[0], slices[1], slices[2])
    return box, mask[box].copy()


def chosen_structures(
    structures: Sequence[Structure], wanted: Mapping[str, Target | None], path: str
) -> tuple[Structure, ...]:
    """The structures to take, each with its target.

    Parameters
    ----------
    wanted
        Target by structure name, None where the name itself says it; empty takes all whose target is known.
    path
        File that they come from, for messages.

    Raises
    ------
    BadInputError
        If none is left, a wanted one is not there, its target is not known, or it holds no voxel.
    """
    listed = ", ".join(f"{s.name} ({s.voxels} voxels)" for s in structures) or "none"
    for name in wanted:
        if all(s.name != name for s in structures):
            raise BadInputError(
                f"There is no structure {name}; there are: {listed}", path=path, remedy="Check the name"
            )
    taken = [
        replace(s, target=wanted.get(s.name) or s.target)
        for s in structures
        if (s.name in wanted if wanted else s.target is not None)
    ]
    unknown = [s.name for s in taken if s.target is None]
    if unknown or not taken:
        names = ", ".join(unknown) or listed
        raise BadInputError(
            f"Neither name nor code says whether it is the primary tumour or a node: {names}",
            path=path,
            remedy="Say it with the structure's name, such as --structure 'GTV=PT' or 'GTV=LN'",
        )
    empty = [s.name for s in taken if not s.voxels]
    if empty and len(empty) == len(taken):
        raise BadInputError(f"No voxel of the series lies in {', '.join(empty)}", path=path, remedy="Check the series")
    return tuple(s for s in taken if s.voxels)


def label_map(structures: Sequence[Structure], geometry: Geometry, name: str) -> tuple[Volume, int]:
    """Map of labels (uint8: 0, 1 PT, 2 LN) and how many voxels lie in structures of both kinds; those become PT."""
    labels: np.ndarray = np.zeros(geometry.shape, np.uint8)
    doubled = 0
    for structure in sorted(structures, key=lambda s: -int(s.target or 0)):
        view = labels[structure.box]
        doubled += int((structure.mask & (view != 0) & (view != structure.target)).sum())
        view[structure.mask] = int(structure.target or 0)
    return Volume(labels, geometry, name), doubled


def id_map(structures: Sequence[Structure], geometry: Geometry, name: str) -> Volume:
    """Map of ids (uint16) that count from 1 in the order of ``structures``; where they overlap the first one wins."""
    ids: np.ndarray = np.zeros(geometry.shape, np.uint16)
    for number, structure in reversed(list(enumerate(structures, 1))):
        ids[structure.box][structure.mask] = number
    return Volume(ids, geometry, name)
