"""What is to be looked at before lesions leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.lesions.final_check import Check, check_lesions
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet, State

GRID = Geometry((40, 36, 16), (2.0, 2.5, 4.0), (-40.0, -45.0, 10.0))


def decided(labels: np.ndarray) -> LesionSet:
    found = find_lesions(Volume(labels, GRID, "labels"))
    return found.with_lesions(*(replace(lesion, state=State.ACCEPTED) for lesion in found))


def plain() -> np.ndarray:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4:9, 10:18, 10:20] = 1
    return labels


def image() -> Volume:
    array = np.random.default_rng(0).normal(10, 2, GRID.shape).astype(np.float32)
    array[:, 4:32, 6:34] += 200
    return Volume(array, GRID, "T2")


def checks(lesions: LesionSet, shown: Volume | None = None) -> list[Check]:
    return [finding.check for finding in check_lesions(lesions, shown)]


def test_a_decided_lesion_without_fault_has_no_finding():
    assert checks(decided(plain()), image()) == []


def test_an_undecided_lesion_is_named_with_a_place_inside_of_it():
    lesions = find_lesions(Volume(plain(), GRID, "labels"))
    (finding,) = check_lesions(lesions)
    assert (finding.check, finding.name, finding.lesion_id) == (Check.UNREVIEWED, "GTVp", 1)
    k, j, i = np.rint(GRID.to_kji(np.array(finding.place))).astype(int)
    assert lesions.ids.array[k, j, i] == 1


def test_a_hole_within_a_slice_is_found_also_where_it_is_open_to_the_next_slice():
    labels = plain()
    labels[8, 13:15, 14:16] = 0
    (finding,) = check_lesions(decided(labels))
    assert finding.check is Check.HOLE
    assert finding.text.startswith("4 voxels in 1 slice are")
    assert np.rint(GRID.to_kji(np.array(finding.place))).astype(int).tolist() in [
        [8, j, i] for j in (13, 14) for i in (14, 15)
    ]


def test_a_notch_at_the_edge_is_no_hole():
    labels = plain()
    labels[6, 10:12, 14] = 0
    assert checks(decided(labels)) == []


def test_a_piece_in_a_single_slice_is_an_island_and_a_thin_lesion_too():
    labels = plain()
    lesions = decided(labels)
    array = lesions.ids.array.copy()
    array[12, 20:22, 20:22] = 1
    from HNTargetSegLib.lesions.find import remeasure

    (finding,) = check_lesions(remeasure(lesions.ids.with_array(array), lesions))
    assert (finding.check, finding.text) == (Check.ISLAND, "a piece of 4 voxels lies in a single slice")
    assert np.rint(GRID.to_kji(np.array(finding.place)))[0] == 12
    labels[12, 20:24, 20:24] = 2
    assert checks(decided(labels)) == [Check.ISLAND]


def test_a_lesion_outside_the_body_is_told_with_a_place_in_the_air():
    labels = plain()
    labels[4:9, 14:20, 35:40] = 2
    (finding,) = check_lesions(decided(labels), image())
    assert (finding.check, finding.name) == (Check.OUTSIDE, "GTVn1")
    assert np.rint(GRID.to_kji(np.array(finding.place)))[2] >= 34


def test_an_image_without_a_body_says_nothing_about_it():
    constant = Volume(np.ones(GRID.shape, np.float32), GRID, "T2")
    assert checks(decided(plain()), constant) == []


def test_a_name_that_planning_systems_do_not_expect_is_told():
    lesions = decided(plain())
    renamed = lesions.with_lesions(replace(lesions.lesions[0], name="Larynx"))
    assert checks(renamed) == [Check.NAME]


def test_rejected_and_vanished_lesions_have_no_findings():
    lesions = find_lesions(Volume(plain(), GRID, "labels"))
    assert checks(lesions.with_lesions(replace(lesions.lesions[0], state=State.REJECTED))) == []


def test_an_image_on_another_grid_is_refused():
    other = Volume(np.zeros((2, 2, 2), np.float32), Geometry((2, 2, 2)), "T2")
    with pytest.raises(GeometryError):
        check_lesions(decided(plain()), other)
