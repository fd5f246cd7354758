"""The patient under review, and what must be asked about the pair of images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.case import Concern, ReviewCase, VisitImage, case_of_files, case_of_images

PRE, MID = Visit.PRE, Visit.MID


def dated(case, pre, mid, pre_id="7", mid_id="7"):
    images = {PRE: SeriesIdentity(patient_id=pre_id, series_date=pre)}
    images[MID] = SeriesIdentity(patient_id=mid_id, series_date=mid)
    return replace(case, visits={v: replace(case.visits[v], identity=images[v]) for v in images})


def concerns(case):
    return [question.concern for question in case.questions()]


def test_a_pair_in_order_raises_no_question(case):
    assert case.questions() == ()
    assert dated(case, "20260101", "20260202").questions() == ()


def test_a_pre_rt_image_that_is_later_is_asked_about(case):
    (question,) = dated(case, "20260202", "20260101").questions()
    assert question.concern is Concern.SWAPPED
    assert "2026-02-02" in question.text


def test_names_that_say_the_opposite_are_asked_about(case):
    assert concerns(case.swapped()) == [Concern.SWAPPED]


def test_dates_outweigh_names(case):
    assert dated(case.swapped(), "20260101", "20260202").questions() == ()


def test_two_patients_are_asked_about(case):
    (question,) = dated(case, "20260101", "20260202", mid_id="8").questions()
    assert question.concern is Concern.OTHER_PATIENT
    assert "7" in question.text
    assert "8" in question.text


def test_one_image_for_both_visits_is_asked_about(case):
    twice = replace(case, visits=dict.fromkeys((PRE, MID), case.visits[PRE]))
    assert Concern.SAME_IMAGE in concerns(twice)


def test_swapping_leaves_the_masks_out(case, paint):
    masked = replace(case, pre_mask=paint((1, slice(2, 4), slice(2, 4), slice(2, 4))))
    swapped = masked.swapped()
    assert swapped.visits[MID] is case.visits[PRE]
    assert swapped.pre_mask is None


def test_a_case_needs_an_image():
    with pytest.raises(BadInputError, match="no image"):
        ReviewCase("7", {})


def test_a_date_that_is_none_is_empty():
    assert VisitImage(image=None, identity=SeriesIdentity(series_date="2026")).date == ""


def test_a_folder_in_the_challenge_layout_becomes_a_case(case, paint, tmp_path):
    folder = tmp_path / "7" / "preRT"
    write_volume(case.visits[PRE].image, folder / "7_preRT_T2.nii.gz")
    write_volume(paint((2, slice(2, 4), slice(2, 4), slice(2, 4))), folder / "7_preRT_mask.nii.gz")
    write_volume(case.visits[MID].image, tmp_path / "7" / "midRT" / "7_midRT_T2.nii.gz")
    (files,) = discover(tmp_path)
    read = case_of_files(files)
    assert (read.name, list(read)) == ("7", [PRE, MID])
    assert read.visits[PRE].source == folder / "7_preRT_T2.nii.gz"
    assert read.pre_mask.array.max() == 2


def test_loose_images_take_their_name_from_the_file(case, tmp_path):
    write_volume(case.visits[MID].image, tmp_path / "scan.nrrd")
    read = case_of_images(None, tmp_path / "scan.nrrd")
    assert (read.name, list(read)) == ("scan", [MID])


def test_no_image_at_all_is_a_clear_error():
    with pytest.raises(BadInputError):
        case_of_images(None, None)
