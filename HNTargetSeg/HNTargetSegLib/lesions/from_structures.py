"""From the structures of an RTSTRUCT or SEG to lesions that keep their names, states and UIDs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.dicom_structure import LONGEST_NAME, Structure, id_map, target_of_name
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.described import origin_made, state_described
from HNTargetSegLib.lesions.find import remeasure
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet, Side, State
from HNTargetSegLib.lesions.names import free_name


@dataclass(frozen=True, eq=False)
class ReadLesions:
    """Lesions of a delineation.

    Attributes
    ----------
    lesions
        One a structure, also where it has several pieces.
    uids
        UID of each lesion as a thing in the patient, by its name; those without one are left out.
    notes
        What a reader should know, such as another name that was given.
    """

    lesions: LesionSet
    uids: dict[str, str]
    notes: tuple[str, ...]


def lesions_of_structures(
    structures: Sequence[Structure],
    geometry: Geometry,
    path: str,
    *,
    unsaid: State = State.PROPOSED,
    midline_mm: float | None = None,
) -> ReadLesions:
    """Make a lesion of each structure.

    Where structures overlap, the first one has the voxels. A name that is not TG-263's for its kind, or too long, gives
    way to the next free one.

    Parameters
    ----------
    structures
        Each with its target, as :func:`~HNTargetSegLib.case.dicom_structure.chosen_structures` gives them.
    path
        File that they come from, for messages.
    unsaid
        State of those whose description is not one of ours.
    midline_mm
        LPS x of the mid-sagittal plane.

    Raises
    ------
    BadInputError
        If a structure has no target.
    """
    ids = id_map(structures, geometry, path)
    there = np.bincount(ids.array.ravel(), minlength=len(structures) + 1)[1:]
    known, uids, notes, taken = [], {}, [], {s.name for s in structures if _is_usable(s)}
    used: set[str] = set()
    for number, structure in enumerate(structures, 1):
        if structure.target is None:
            raise BadInputError(f"Nothing says what {structure.name} is", path=path, remedy="Say PT or LN")
        if not there[number - 1]:
            notes.append(f"{structure.name} has no voxel of its own and is left out.")
            continue
        name = structure.name if _is_usable(structure) and structure.name not in used else ""
        if not name:
            name = free_name(structure.target, {*taken, *used})
            notes.append(f"{structure.name} is called {name} here.")
        used.add(name)
        if structure.uid:
            uids[name] = structure.uid
        known.append(_lesion(number, name, structure.target, structure, unsaid))
        notes += structure.notes
    doubled = sum(structure.voxels for structure in structures) - int(there.sum())
    if doubled:
        notes.append(f"{doubled} voxels lie in several structures and count for the first of them.")
    return ReadLesions(remeasure(ids, known, midline_mm=midline_mm), uids, tuple(notes))


def _is_usable(structure: Structure) -> bool:
    return target_of_name(structure.name) is structure.target and len(structure.name) <= LONGEST_NAME


def _lesion(number: int, name: str, label: Target, structure: Structure, unsaid: State) -> Lesion:
    """Record with what the structure says; its size is measured afterwards."""
    said = state_described(structure.description)
    nowhere = ((0, 0), (0, 0), (0, 0))
    return Lesion(
        id=number,
        label=label,
        name=name,
        side=Side.MIDLINE,
        voxels=1,
        volume_cc=0.0,
        long_mm=0.0,
        short_mm=0.0,
        centroid=(0.0, 0.0, 0.0),
        box=nowhere,
        state=unsaid if said is None else said,
        origin=origin_made(structure.made, said),
    )
