"""What should be looked at before lesions leave: each finding names a lesion and a place in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from weakref import WeakKeyDictionary, ref

import numpy as np

from HNTargetSegLib.case.dicom_structure import target_of_name
from HNTargetSegLib.case.volume import Geometry, Triple, Volume
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet

OUTSIDE_SHARE = 0.05
"""Share of a lesion's voxels outside the body from which on it is told: the body's edge is known to a voxel or so."""

_BODY_SPACING_MM = 3.0


class Check(str, Enum):
    """What a finding is about.

    * ``OVERLAP``: segments of two lesions claim the same voxels.
    * ``HOLE``: background that the lesion encloses within a slice.
    * ``ISLAND``: a piece of the lesion, apart from the rest, in a single slice.
    * ``OUTSIDE``: part of the lesion lies outside the body.
    * ``UNREVIEWED``: nobody has decided about the lesion.
    * ``NAME``: the name is none of AAPM TG-263's.
    """

    OVERLAP = "overlap"
    HOLE = "hole"
    ISLAND = "island"
    OUTSIDE = "outside"
    UNREVIEWED = "unreviewed"
    NAME = "name"


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes
    ----------
    check
        What it is about.
    lesion_id, name
        Of the lesion.
    place
        LPS in mm of a voxel that shows it.
    text
        A sentence, without its full stop.
    """

    check: Check
    lesion_id: int
    name: str
    place: Triple
    text: str


def check_lesions(lesions: LesionSet, image: Volume | None = None) -> tuple[Finding, ...]:
    """Findings of all lesions that have voxels and were not rejected, in the order of the list. Reconstruction.

    Parameters
    ----------
    lesions
        Of one visit. Their map holds each voxel once; what overlaps in a scene, the scene knows.
    image
        MR on the same grid, to tell the body from air; without it that is not looked at.

    Raises
    ------
    GeometryError
        If image and lesions lie on different grids.
    """
    body = None
    if image is not None:
        image.require_same_grid(lesions.ids)
        body = _BODIES.setdefault(image, _Body(image))
    return tuple(finding for lesion in lesions.present for finding in _findings(lesions, lesion, body))


def _findings(lesions: LesionSet, lesion: Lesion, body: _Body | None) -> Iterator[Finding]:
    mask, grid = lesions.mask(lesion), lesions.ids.geometry

    def found(check: Check, voxels: np.ndarray, text: str) -> Finding:
        return Finding(check, lesion.id, lesion.name, _place(voxels, lesion, grid), text)

    if not lesion.state.reviewed:
        yield found(Check.UNREVIEWED, np.argwhere(mask), "nobody has decided about it")
    if target_of_name(lesion.name) is not lesion.label:
        yield found(Check.NAME, np.argwhere(mask), f"the name is none of TG-263's for a {lesion.label.title.lower()}")
    if len(holes := _holes(mask)):
        slices = len(np.unique(holes[:, 0]))
        text = f"{_counted(len(holes), 'voxel')} in {_counted(slices, 'slice')} are enclosed and not part of it"
        yield found(Check.HOLE, holes, text)
    for island in _islands(mask):
        yield found(Check.ISLAND, island, f"a piece of {_counted(len(island), 'voxel')} lies in a single slice")
    if body is not None and len(outside := body.outside(mask, lesion)) > OUTSIDE_SHARE * lesion.voxels:
        share = 100 * len(outside) / lesion.voxels
        yield found(Check.OUTSIDE, outside, f"{share:.0f} % of it lie outside the body")


def overlap_finding(lesion: Lesion, other: str, voxels: int, place: Triple) -> Finding:
    """Finding of a segment that claims voxels of another lesion's."""
    text = f"{_counted(voxels, 'voxel')} are also claimed by {other}"
    return Finding(Check.OVERLAP, lesion.id, lesion.name, place, text)


def _holes(mask: np.ndarray) -> np.ndarray:
    """Indices (k, j, i) of background that is enclosed within its slice; shape (n, 3)."""
    from scipy import ndimage

    filled = np.stack([ndimage.binary_fill_holes(part) for part in mask])
    return np.argwhere(filled & ~mask)


def _islands(mask: np.ndarray) -> list[np.ndarray]:
    """Indices of each 26-connected piece that lies in one slice; a lesion that is but one such piece counts too."""
    from scipy import ndimage

    pieces, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    flat = [n for n, box in enumerate(ndimage.find_objects(pieces), 1) if box[0].stop - box[0].start == 1]
    return [np.argwhere(pieces == number) for number in flat]


def _place(voxels: np.ndarray, lesion: Lesion, grid: Geometry) -> Triple:
    """LPS of the voxel that is nearest to the middle of some, which are given within the lesion's box."""
    nearest = voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    x, y, z = grid.to_lps(nearest + [side.start for side in lesion.slices])
    return float(x), float(y), float(z)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


class _Body:
    """The body in an image, looked for on a coarse grid when it is asked for first."""

    def __init__(self, image: Volume) -> None:
        # Weak: the body must not keep its image alive.
        self._image = ref(image)
        self._mask: np.ndarray | None = None
        step = [max(1, round(_BODY_SPACING_MM / mm)) for mm in image.geometry.spacing_kji]
        self._step = np.array(step)

    def outside(self, mask: np.ndarray, lesion: Lesion) -> np.ndarray:
        """Indices of a lesion's voxels, within its box, that lie outside the body; none where no body was found."""
        inside = self._body()
        voxels = np.argwhere(mask)
        if not inside.any():
            return voxels[:0]
        whole = voxels + [side.start for side in lesion.slices]
        coarse = np.minimum(whole // self._step, np.array(inside.shape) - 1)
        return voxels[~inside[tuple(coarse.T)]]

    def _body(self) -> np.ndarray:
        if self._mask is None:
            from HNTargetSegLib.prior.body import body_mask

            image = self._image()
            assert image is not None
            coarse = _block_means(image, self._step)
            self._mask = body_mask(coarse, coarse.geometry)
        return self._mask


def _block_means(image: Volume, step: np.ndarray) -> Volume:
    """An image on a grid that is coarser by whole numbers; the last blocks may be smaller than the others."""
    grid = image.geometry
    array: np.ndarray = image.array.astype(np.float32)
    for axis, count in enumerate(step.tolist()):
        starts = np.arange(0, array.shape[axis], count)
        sizes = np.diff([*starts, array.shape[axis]]).reshape([-1 if n == axis else 1 for n in range(3)])
        array = np.add.reduceat(array, starts, axis=axis) / sizes
    spacing = np.array(grid.spacing) * step[::-1]
    # Coarse voxel n holds the fine ones from n * step on: its middle is theirs.
    origin = grid.to_lps((step - 1) / 2)
    k, j, i = array.shape
    x, y, z = (float(value) for value in origin)
    dx, dy, dz = (float(value) for value in spacing)
    return Volume(array.astype(np.float32), Geometry((i, j, k), (dx, dy, dz), (x, y, z), grid.direction), image.name)


_BODIES: WeakKeyDictionary[Volume, _Body] = WeakKeyDictionary()
"""Bodies that were looked for, as long as their images are there: a review is checked again and again."""
