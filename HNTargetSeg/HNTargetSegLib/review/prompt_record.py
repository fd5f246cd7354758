"""One box that a reviewer has drawn: what it said, what came of it, and its stored form."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.lesion import Lesion
from HNTargetSegLib.lesions.record import lesion_from_json, lesion_to_json
from HNTargetSegLib.prompts.prompt import Prompt, Slices, prompt_from_json, prompt_to_json
from HNTargetSegLib.review.packing import packed_ids, unpacked_ids

_written: WeakKeyDictionary[PromptRecord, dict[str, Any]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class PromptRecord:
    """One box and what came of it.

    Attributes
    ----------
    prompt
        The box and what it said.
    drawn
        Ids of the lesions that it has drawn.
    touches
        Whether what was found goes on at the border of its reach.
    notes
        What the reviewer should know, in sentences.
    model
        Who has answered.
    made
        When, with its time zone.
    seconds
        Wall time in the worker.
    region
        Slices (k, j, i) outside of which nothing was changed.
    before, after
        Lesion-id map of the region, uint16, before and after.
    replaced
        Records of lesions as they were before.
    """

    prompt: Prompt
    drawn: tuple[int, ...]
    touches: bool
    notes: tuple[str, ...]
    model: ModelRecord
    made: datetime.datetime
    seconds: float
    region: Slices
    before: np.ndarray
    after: np.ndarray
    replaced: tuple[Lesion, ...] = ()

    def for_manifest(self) -> dict[str, Any]:
        """What a manifest writes down of it."""
        return {
            **prompt_to_json(self.prompt),
            "lesion_ids": list(self.drawn),
            "touches_reach": self.touches,
            "notes": list(self.notes),
            "model": self.model.name,
            "made": self.made,
            "seconds": round(self.seconds, 3),
        }

    def settled(self) -> PromptRecord:
        """The box once another run has numbered the lesions anew: it stays in the list and takes nothing back."""
        return replace(self, before=self.after, replaced=())


def record_to_json(record: PromptRecord) -> dict[str, Any]:
    """Plain values of a box and of what it has changed; made once, as the state is stored after each verdict."""
    if record not in _written:
        _written[record] = {
            "prompt": prompt_to_json(record.prompt),
            "drawn": list(record.drawn),
            "touches": record.touches,
            "notes": list(record.notes),
            "model": asdict(record.model),
            "made": record.made.isoformat(),
            "seconds": record.seconds,
            "region": [[part.start, part.stop] for part in record.region],
            "before": packed_ids(record.before),
            "after": packed_ids(record.after),
            "replaced": [lesion_to_json(lesion) for lesion in record.replaced],
        }
    return _written[record]


def record_from_json(content: Mapping[str, Any], shape: tuple[int, int, int]) -> PromptRecord:
    """The box that :func:`record_to_json` described.

    Raises
    ------
    BadInputError
        If it does not lie in an image of the shape, or is damaged.
    """
    (k0, k1), (j0, j1), (i0, i1) = content["region"]
    if not all(0 <= a < b <= size for (a, b), size in zip(content["region"], shape, strict=True)):
        raise BadInputError("A stored box is not inside the image", remedy="Open the patient's files again")
    size = (k1 - k0, j1 - j0, i1 - i0)
    record = PromptRecord(
        prompt=prompt_from_json(content["prompt"]),
        drawn=tuple(map(int, content["drawn"])),
        touches=bool(content["touches"]),
        notes=tuple(map(str, content["notes"])),
        model=ModelRecord(**content["model"]),
        made=datetime.datetime.fromisoformat(content["made"]),
        seconds=float(content["seconds"]),
        region=(slice(k0, k1), slice(j0, j1), slice(i0, i1)),
        before=unpacked_ids(content["before"], size),
        after=unpacked_ids(content["after"], size),
        replaced=tuple(lesion_from_json(lesion) for lesion in content["replaced"]),
    )
    _written[record] = dict(content)
    return record
