"""Structures: their names, which are taken, and the maps that they make."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.dicom_structure import (
    Structure,
    chosen_structures,
    cropped,
    id_map,
    label_map,
    target_of_name,
)
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError

GRID = Geometry((6, 5, 4))


def structure(name: str, *slices: slice, number: int = 1) -> Structure:
    mask = np.zeros(GRID.shape, bool)
    if slices:
        mask[slices] = True
    return Structure(name, number, target_of_name(name), *cropped(mask))


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("GTVp", Target.PT),
        (" GTVp2 ", Target.PT),
        ("GTVn12", Target.LN),
        ("GTVn1_MR2", Target.LN),
        ("GTVp^left", Target.PT),
        ("GTV", None),
        ("gtvp", None),
        ("GTVp0", None),
        ("CTVn", None),
        ("GTVp-1", None),
        ("GTVpp", None),
    ],
)
def test_names_of_tg263_say_the_target(name: str, target: Target | None) -> None:
    assert target_of_name(name) is target


def test_structures_of_known_names_are_taken_and_the_rest_left() -> None:
    parotid, node = structure("Parotid_L", slice(0, 2)), structure("GTVn1", slice(2, 3))
    (taken,) = chosen_structures([parotid, node], {}, "rs.dcm")
    assert (taken.name, taken.target) == ("GTVn1", Target.LN)


def test_a_wanted_structure_is_what_the_user_says() -> None:
    mass = structure("GTV_Mass", slice(0, 2))
    (taken,) = chosen_structures([mass, structure("GTVp", slice(1))], {"GTV_Mass": Target.PT}, "rs.dcm")
    assert (taken.name, taken.target) == ("GTV_Mass", Target.PT)


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ({}, "Neither name nor code says"),
        ({"GTV_Mass": None}, "Neither name nor code says"),
        ({"mass": Target.PT}, r"no structure mass; there are: GTV_Mass \(30 voxels\)"),
    ],
)
def test_what_cannot_be_told_is_an_error_that_lists_the_structures(wanted: dict[str, Target], what: str) -> None:
    with pytest.raises(BadInputError, match=what):
        chosen_structures([structure("GTV_Mass", slice(0, 1))], wanted, "rs.dcm")


def test_structures_without_a_voxel_are_an_error_only_when_all_are() -> None:
    full, empty = structure("GTVp", slice(0, 1)), structure("GTVn", number=2)
    assert [s.name for s in chosen_structures([full, empty], {}, "rs.dcm")] == ["GTVp"]
    with pytest.raises(BadInputError, match="No voxel of the series lies in GTVn"):
        chosen_structures([empty], {}, "rs.dcm")


def test_a_voxel_of_both_kinds_becomes_primary_tumour_and_is_counted() -> None:
    tumour, node = structure("GTVp", slice(0, 2)), structure("GTVn", slice(1, 3))
    for order in ([tumour, node], [node, tumour]):
        labels, doubled = label_map(order, GRID, "rs.dcm")
        assert doubled == 30
        assert [int(value) for value in labels.array[:, 0, 0]] == [1, 1, 2, 0]
        assert labels.array.dtype == np.uint8


def test_ids_count_the_structures_and_the_first_wins() -> None:
    ids = id_map([structure("GTVn1", slice(0, 2)), structure("GTVn2", slice(1, 4))], GRID, "rs.dcm")
    assert [int(value) for value in ids.array[:, 0, 0]] == [1, 1, 2, 2]
