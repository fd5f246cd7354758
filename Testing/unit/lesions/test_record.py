"""A lesion survives JSON whole."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Fate, Lesion, LesionSet, Origin, Side, State
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.lesions.record import lesion_from_json, lesion_to_json

LESION = Lesion(
    id=7,
    label=Target.LN,
    name="GTVn 2 – links",
    side=Side.LEFT,
    voxels=123,
    volume_cc=1 / 3,
    long_mm=math.pi,
    short_mm=1e-17,
    centroid=(0.1 + 0.2, -1e300, 5e-324),
    box=((0, 3), (10, 12), (7, 65536)),
    p_mean=0.1,
    p_max=0.9999999999999999,
    state=State.EDITED,
    origin=Origin.PROMPT,
    prior_ids=(1, 12),
    prior_cc=2 / 3,
    change_pct=-33.333333333333336,
    fate=Fate.UNSURE,
)


def through_json(lesion: Lesion) -> Lesion:
    return lesion_from_json(json.loads(json.dumps(lesion_to_json(lesion))))


def test_every_digit_and_every_attribute_comes_back() -> None:
    assert through_json(LESION) == LESION


def test_attributes_come_back_in_their_own_types() -> None:
    back = through_json(LESION)
    for name in LESION.__dataclass_fields__:
        assert type(getattr(back, name)) is type(getattr(LESION, name)), name


def test_what_is_not_known_stays_unknown() -> None:
    unknown = replace(LESION, p_mean=None, p_max=None, prior_ids=(), prior_cc=None, change_pct=None, fate=None)
    assert through_json(unknown) == unknown


def test_measured_matched_and_vanished_lesions_come_back(lesions_of: Callable[..., LesionSet]) -> None:
    node = (2, slice(2, 5), slice(2, 6), slice(25, 30))
    gone = (1, slice(7, 9), slice(12, 18), slice(18, 22))
    matched = match_lesions(lesions_of(node), lesions_of(node, gone), native_cc={1: 0.5, 2: 0.7})
    assert [lesion.fate for lesion in matched] == [Fate.KEPT, Fate.VANISHED]
    assert tuple(map(through_json, matched)) == matched.lesions


def test_numbers_of_numpy_become_plain_ones() -> None:
    measured = replace(LESION, volume_cc=np.float64(0.25), voxels=int(np.int64(3)))
    assert json.loads(json.dumps(lesion_to_json(measured)))["volume_cc"] == 0.25


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 0),
        ("id", True),
        ("id", 1.0),
        ("label", 3),
        ("label", "1"),
        ("name", None),
        ("side", "up"),
        ("voxels", -1),
        ("volume_cc", math.nan),
        ("volume_cc", None),
        ("p_mean", "0.5"),
        ("centroid", [1, 2]),
        ("centroid", None),
        ("box", [[0, 1], [0, 1]]),
        ("box", 5),
        ("state", None),
        ("origin", "robot"),
        ("prior_ids", "12"),
        ("fate", "vanished"),
        ("fate", []),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(BadInputError, match=f"{name}|id 0|vanished"):
        lesion_from_json(lesion_to_json(LESION) | {name: value})


def test_missing_and_unknown_attributes_are_named() -> None:
    record = lesion_to_json(LESION)
    del record["voxels"]
    with pytest.raises(BadInputError, match=r"colour, voxels"):
        lesion_from_json(record | {"colour": "red"})


@pytest.mark.parametrize("content", [None, 3, "lesion", [1]])
def test_what_is_no_object_is_refused(content: Any) -> None:
    with pytest.raises(BadInputError, match="object"):
        lesion_from_json(content)
