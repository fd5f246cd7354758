"""The review is kept when it ends, and offered to go on with."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace

import pytest
from Testing.unit.web.conftest import said

from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.autosave import reviews_folder, save_review, saved_reviews
from HNTargetSegLib.review.case import case_of_files
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.opening import Opening
from HNTargetSegLib.web.saving import Saving, saved_item

MID = Visit.MID


@pytest.fixture
def saving(desk):
    return Saving(desk)


@pytest.fixture
def opening(desk, saving, patient_folder):
    return Opening(desk, AllowedFolders.of([patient_folder.parent]), saving)


@pytest.fixture
def reviewed(desk, saving, opening, patient_folder, open_desk):
    """The patient of the folder under review: three lesions at mid-RT, the first one rejected."""
    lesions = open_desk.session.require(MID)
    (files,) = discover(patient_folder)
    desk.session.open(case_of_files(files))
    desk.session.take_proposal(MID, lesions.lesions, lesions.run)
    desk.session.reject(MID, 1)
    return desk.session.lesions(MID)


def test_a_patient_that_was_only_looked_at_is_not_kept(desk, saving, opening, patient_folder):
    asyncio.run(opening.open_folder(str(patient_folder)))
    desk.session.activate(Visit.PRE)
    assert saving.save() is None
    assert saved_reviews() == ()


def test_work_is_kept_once(saving, reviewed):
    assert saving.save().patient == "7"
    assert saving.save() is None


def test_closing_the_patient_keeps_the_review_and_the_first_screen_offers_it(desk, opening, reviewed):
    opening.close_patient()
    (item,) = desk.state.saved_reviews
    assert (item["patient"], item["lesions"]) == ("7", "3 lesions")
    asyncio.run(opening.go_on_with(item["key"]))
    assert desk.session.lesions(MID) == reviewed


def test_opening_the_same_patient_asks_what_to_do_about_the_review(desk, opening, reviewed, patient_folder):
    opening.close_patient()
    asyncio.run(opening.open_folder(str(patient_folder)))
    assert (desk.session.case, desk.state.dialog, desk.state.saved["patient"]) == (None, "saved", "7")
    opening.answer_saved("continue")
    assert desk.session.lesions(MID) == reviewed
    assert desk.state.dialog == ""
    desk.session.accept(MID, 2)
    assert len([saved for saved in saved_reviews() if saved.sources[MID] is not None]) == 1


def test_a_program_that_was_killed_is_told_of_at_the_next_start(desk, reviewed):
    Saving(desk)
    assert "The review of patient 7" in said(desk)[-1]
    assert "was not closed" in said(desk)[-1]


def test_begun_anew_the_review_on_disk_stays_until_something_is_done(desk, saving, opening, reviewed, patient_folder):
    opening.close_patient()
    asyncio.run(opening.open_folder(str(patient_folder)))
    opening.answer_saved("anew")
    assert (desk.session.case.name, desk.session.lesions(MID)) == ("7", ())
    saving.save()
    assert saved_reviews()[0].lesions == 3


def test_cancelling_opens_nothing(desk, opening, reviewed, patient_folder):
    opening.close_patient()
    asyncio.run(opening.open_folder(str(patient_folder)))
    opening.answer_saved("cancel")
    opening.answer_saved("continue")
    assert desk.session.case is None


def test_images_outside_the_allowed_folders_are_not_offered(desk, saving, reviewed, tmp_path):
    saving.save()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = Opening(desk, AllowedFolders.of([elsewhere]), saving)
    key = saved_reviews()[0].folder.name
    desk.session.close()
    asyncio.run(other.go_on_with(key))
    assert (desk.state.saved_reviews, desk.session.case) == ([], None)
    assert "This review is not there any more" in said(desk)[-1]


def test_a_key_that_is_a_path_opens_nothing(desk, opening, reviewed):
    opening.close_patient()
    asyncio.run(opening.go_on_with("../reviews/" + saved_reviews()[0].folder.name))
    assert desk.session.case is None


def test_a_place_that_is_taken_is_said_and_the_patient_is_closed_at_the_second_try(desk, opening, reviewed):
    shutil.rmtree(reviews_folder())
    reviews_folder().write_text("a file", "utf-8")
    desk.session.accept(MID, 2)
    opening.close_patient()
    assert "The review cannot be saved" in said(desk)[-1]
    assert desk.session.case is not None
    opening.close_patient()
    assert desk.session.case is None


def test_one_lesion_is_not_many(reviewed, desk):
    saved = save_review(desk.session)
    assert saved_item(replace(saved, lesions=1))["lesions"] == "1 lesion"
