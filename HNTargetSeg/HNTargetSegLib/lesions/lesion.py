"""A lesion, and all lesions of one visit with the map that says which voxel belongs to which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Triple, Volume
from HNTargetSegLib.errors import BadInputError

Bounds = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
Slices = tuple[slice, slice, slice]

MAXIMUM_ID = int(np.iinfo(np.uint16).max)


class Side(str, Enum):
    """Side of the patient that a lesion's centroid lies on."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


class State(str, Enum):
    """What the reviewer has said about a lesion."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    ADDED = "added"

    @property
    def reviewed(self) -> bool:
        """Whether the reviewer has decided about the lesion, either way."""
        return self is not State.PROPOSED


class Origin(str, Enum):
    """Who drew a lesion first."""

    MODEL = "model"
    PROMPT = "prompt"
    HAND = "hand"


class Fate(str, Enum):
    """What became of a lesion from pre-RT to mid-RT; the rules stand in :mod:`HNTargetSegLib.lesions.match`."""

    KEPT = "kept"
    SHRUNK = "shrunk"
    GROWN = "grown"
    VANISHED = "vanished"
    NEW = "new"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Lesion:
    """One lesion at one visit.

    Attributes
    ----------
    id
        Its value in the lesion-id map, 1 to 65535.
    label
        Primary tumour or lymph node.
    name
        TG-263 structure name, numbered where there are several: GTVp, GTVn1, GTVn2.
    side
        Left, right or midline.
    voxels, volume_cc
        Size; 0 for a vanished lesion, which has no voxel in the map.
    long_mm, short_mm
        Axial diameters, see :func:`~HNTargetSegLib.components.diameter.axial_diameters`.
    centroid
        LPS position in mm; for a vanished lesion where its prior lay.
    box
        Bounding box as (start, stop) along k, j, i; for a vanished lesion that of its prior.
    p_mean, p_max
        Mean and maximum over the lesion of the model's probability of its label, or None without a model.
    state, origin
        What the reviewer said, and who drew it first.
    prior_ids
        Matched lesions of the pre-RT visit; several when they merged.
    prior_cc, change_pct, fate
        Volume of the matched prior, change against it in percent, and the verdict; None where nothing was matched.

    Raises
    ------
    BadInputError
        If the id is out of range, or voxels and fate contradict each other.
    """

    id: int
    label: Target
    name: str
    side: Side
    voxels: int
    volume_cc: float
    long_mm: float
    short_mm: float
    centroid: Triple
    box: Bounds
    p_mean: float | None = None
    p_max: float | None = None
    state: State = State.PROPOSED
    origin: Origin = Origin.MODEL
    prior_ids: tuple[int, ...] = ()
    prior_cc: float | None = None
    change_pct: float | None = None
    fate: Fate | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.id <= MAXIMUM_ID:
            raise BadInputError(f"Lesion id {self.id} is not between 1 and {MAXIMUM_ID}")
        if (self.voxels == 0) != (self.fate is Fate.VANISHED):
            raise BadInputError(f"Lesion {self.name} has {self.voxels} voxels, which contradicts its fate {self.fate}")

    @property
    def slices(self) -> Slices:
        """Bounding box as slices of an array in (k, j, i) order."""
        k, j, i = (slice(*bounds) for bounds in self.box)
        return k, j, i


@dataclass(frozen=True, eq=False)
class LesionSet:
    """All lesions of one visit.

    Touching lesions stay apart because the lesion-id map is the truth; the map of labels is derived from it.

    Attributes
    ----------
    ids
        Lesion-id map, uint16, 0 is background.
    lesions
        One record each, in the order of their ids; vanished lesions of the prior visit stand last.

    Raises
    ------
    BadInputError
        If the map is not uint16, two lesions share an id or a name, or the map holds an id above all of the records'.
    """

    ids: Volume
    lesions: tuple[Lesion, ...]

    def __post_init__(self) -> None:
        if self.ids.array.dtype != np.uint16:
            raise BadInputError(f"A lesion-id map of {self.ids.array.dtype} is not uint16", path=self.ids.name)
        for what in ("id", "name"):
            values = [getattr(lesion, what) for lesion in self.lesions]
            if len(set(values)) < len(values):
                raise BadInputError(f"Two lesions share one {what}: {values}", path=self.ids.name)
        highest = max((lesion.id for lesion in self.lesions), default=0)
        in_map = int(self.ids.array.max())
        if in_map > highest:
            raise BadInputError(f"The lesion-id map holds {in_map}, the list ends at {highest}", path=self.ids.name)

    def __len__(self) -> int:
        return len(self.lesions)

    def __iter__(self) -> Iterator[Lesion]:
        return iter(self.lesions)

    def __getitem__(self, lesion_id: int) -> Lesion:
        """Lesion of an id; KeyError if there is none."""
        for lesion in self.lesions:
            if lesion.id == lesion_id:
                return lesion
        raise KeyError(lesion_id)

    @property
    def present(self) -> tuple[Lesion, ...]:
        """Lesions that have voxels and that the reviewer has not rejected: what a segmentation shows."""
        return tuple(lesion for lesion in self.lesions if lesion.voxels and lesion.state is not State.REJECTED)

    def mask(self, lesion: Lesion) -> np.ndarray:
        """Boolean crop of one lesion to ``lesion.slices``; all false for a vanished one."""
        return self.ids.array[lesion.slices] == lesion.id

    def label_map(self) -> Volume:
        """Map of labels on the same grid, uint8: 0 background, 1 PT, 2 LN; rejected lesions are left out."""
        table: np.ndarray = np.zeros(max((lesion.id for lesion in self.lesions), default=0) + 1, np.uint8)
        for lesion in self.present:
            table[lesion.id] = lesion.label
        return self.ids.with_array(table[self.ids.array])

    def without_rejected(self) -> LesionSet:
        """What may leave the building: rejected lesions are gone from the map and from the list."""
        rejected = [lesion.id for lesion in self.lesions if lesion.state is State.REJECTED]
        if not rejected:
            return self
        kept = tuple(lesion for lesion in self.lesions if lesion.state is not State.REJECTED)
        table: np.ndarray = np.arange(max(lesion.id for lesion in self.lesions) + 1, dtype=np.uint16)
        table[rejected] = 0
        return LesionSet(self.ids.with_array(table[self.ids.array]), kept)

    def with_lesions(self, *changed: Lesion) -> LesionSet:
        """The same map with some records replaced by id, for example after a reviewer's word.

        Raises
        ------
        KeyError
            If one of the ids is not in the set.
        """
        by_id = {lesion.id: lesion for lesion in changed}
        for lesion_id in by_id:
            self[lesion_id]
        return replace(self, lesions=tuple(by_id.get(lesion.id, lesion) for lesion in self.lesions))
