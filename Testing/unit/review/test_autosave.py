"""Reviews on disk."""

from __future__ import annotations

import datetime
import json
import os
import stat
import sys
from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.review import autosave
from HNTargetSegLib.review.autosave import (
    FLUSHED_FILE,
    STATE_FILE,
    case_of_saved,
    go_on,
    save_review,
    saved_of,
    saved_reviews,
)
from HNTargetSegLib.review.case import ReviewCase, case_of_images
from HNTargetSegLib.review.edit_record import edit_record
from HNTargetSegLib.review.session import ReviewSession

PRE, MID = Visit.PRE, Visit.MID


@pytest.fixture
def files(case, tmp_path):
    """The images of the case on disk."""
    paths = {visit: tmp_path / "images" / f"7_{visit.value}RT_T2.nii.gz" for visit in Visit}
    for visit, path in paths.items():
        write_volume(case.visits[visit].image, path)
    return paths


@pytest.fixture
def session(files, proposal, run_record):
    """A review of these images, with verdicts."""
    session = ReviewSession("a reviewer")
    session.open(case_of_images(files[PRE], files[MID], "7"))
    session.take_proposal(MID, proposal, run_record)
    session.accept(MID, 1)
    session.reject(MID, 3)
    session.rename(MID, 2, "Knoten_ä")
    return session


@pytest.fixture
def home(tmp_path):
    return tmp_path / "reviews"


def test_a_review_is_gone_on_with_as_it_was_left(session, home):
    saved = save_review(session, home)
    other = ReviewSession()
    go_on(other, case_of_saved(saved), saved)
    assert other.lesions(MID) == session.lesions(MID)
    np.testing.assert_array_equal(other.require(MID).lesions.ids.array, session.require(MID).lesions.ids.array)
    assert other.require(MID).run.model == session.require(MID).run.model
    assert (other.case.name, other.reviewer, other.require(PRE).lesions) == ("7", "a reviewer", None)


def test_voxels_drawn_by_hand_come_back(session, home):
    ids = session.require(MID).lesions.ids.array.copy()
    ids[8:10, 26:28, 30:36] = 2
    session.take_voxels(MID, ids, {})
    saved = save_review(session, home)
    other = ReviewSession()
    go_on(other, case_of_saved(saved), saved)
    np.testing.assert_array_equal(other.require(MID).lesions.ids.array, ids)


def test_what_is_on_disk_says_whose_and_of_when_it_is(session, home):
    before = datetime.datetime.now().astimezone()
    save_review(session, home)
    (saved,) = saved_reviews(home)
    assert (saved.patient, saved.lesions) == ("7", 4)
    assert before <= saved.saved <= datetime.datetime.now().astimezone()
    assert saved.sources[MID].name == "7_midRT_T2.nii.gz"


def test_the_review_is_found_by_its_images_wherever_they_lie_now(session, home, files, tmp_path):
    save_review(session, home)
    moved = [files[visit].rename(tmp_path / f"{visit.value}.nii.gz") for visit in (PRE, MID)]
    assert saved_of(case_of_images(*moved, "another name"), home).patient == "7"
    assert saved_of(case_of_images(moved[0], None), home) is None


def test_images_that_are_gone_are_said(session, home, files):
    saved = save_review(session, home)
    files[MID].unlink()
    with pytest.raises(BadInputError, match="mid-RT image of 7 is not where it was"):
        case_of_saved(saved)


def test_images_that_are_others_by_now_are_refused(session, home, files):
    saved = save_review(session, home)
    image = session.require(MID).image.image
    write_volume(image.with_array(image.array[::-1].copy()), files[MID])
    with pytest.raises(BadInputError, match="have changed"):
        case_of_saved(saved)


def test_the_delineation_that_was_given_stays_with_the_case(case, files, home, paint):
    mask = paint((1, slice(2, 7), slice(5, 13), slice(4, 14)))
    images = case_of_images(files[PRE], files[MID], "7").visits
    session = ReviewSession()
    session.open(ReviewCase("7", images, pre_mask=mask, registered_mask=mask))
    session.reject(PRE, 1)
    saved = save_review(session, home)
    other = ReviewSession()
    go_on(other, case_of_saved(saved), saved)
    assert other.lesions(PRE) == session.lesions(PRE)
    np.testing.assert_array_equal(other.case.registered_mask.array, mask.array)


def test_a_review_that_is_saved_again_is_replaced_and_another_of_the_same_images_stays(session, home):
    saved = save_review(session, home)
    save_review(session, home)
    session.reject(MID, 1)
    save_review(session, home, folder=saved.folder)
    assert len(saved_reviews(home)) == 2
    assert saved_of(session.case, home).folder == saved.folder


def test_only_the_latest_are_kept(session, home, files, monkeypatch):
    monkeypatch.setattr(autosave, "REVIEWS_KEPT", 1)
    first = save_review(session, home)
    session.open(case_of_images(None, files[MID], "8"))
    save_review(session, home)
    assert [saved.patient for saved in saved_reviews(home)] == ["8"]
    assert not first.folder.exists()


def test_a_write_that_fails_leaves_the_one_before(session, home, monkeypatch):
    saved = save_review(session, home)
    before = {path.name: path.read_bytes() for path in saved.folder.iterdir()}
    session.reject(MID, 1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OutputError, match=r"cannot be saved.*No space left"):
        save_review(session, home, folder=saved.folder)
    assert {path.name: path.read_bytes() for path in saved.folder.iterdir()} == before
    with pytest.raises(OutputError, match="No space left"):
        save_review(session, home)
    assert [path.name for path in home.iterdir()] == [saved.folder.name]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"format": 2, "patient": "7"}'])
def test_what_cannot_be_read_is_not_offered(session, home, text):
    saved = save_review(session, home, flush=False)
    (saved.folder / STATE_FILE).write_text(text, "utf-8")
    assert saved_reviews(home) == ()
    assert saved_of(session.case, home) is None


def test_a_file_that_a_power_cut_has_emptied_gives_way_to_that_of_the_minute_before(session, home):
    saved = save_review(session, home, flush=True)
    names = [lesion.name for lesion in session.lesions(MID)]
    session.rename(MID, 1, "later")
    save_review(session, home, folder=saved.folder, flush=False)
    content = (saved.folder / STATE_FILE).read_bytes()
    for length in (0, 100, len(content) - 1):
        (saved.folder / STATE_FILE).write_bytes(content[:length])
        other = ReviewSession()
        go_on(other, case_of_saved(saved), saved)
        assert [lesion.name for lesion in other.lesions(MID)] == names


def test_damaged_voxels_are_a_clear_error_and_leave_the_session(session, home):
    saved = save_review(session, home, flush=False)
    case = case_of_saved(saved)
    file = saved.folder / STATE_FILE
    head, text, voxels = file.read_text("utf-8").removesuffix("\n").split("\n")
    packed = json.loads(voxels)
    packed["mid"]["1"] = "AAAA" + packed["mid"]["1"][4:]
    damaged = json.dumps(packed)
    head = json.dumps(json.loads(head) | {"bytes": len(text.encode()) + len(damaged) + 2})
    file.write_text(f"{head}\n{text}\n{damaged}\n", "utf-8")
    other = ReviewSession()
    with pytest.raises(BadInputError, match="damaged"):
        go_on(other, case, saved)
    assert other.case is None


def test_what_was_proposed_and_the_time_spent_come_back(session, home):
    session.visits[MID] = replace(session.require(MID), seconds={1: 12.5})
    ids = session.require(MID).lesions.ids.array.copy()
    ids[ids == 4] = 0
    ids[7, 5:13, 4:14] = 1
    session.take_voxels(MID, ids, {})
    saved = save_review(session, home)
    other = ReviewSession()
    go_on(other, case_of_saved(saved), saved)
    assert edit_record(other, MID) == edit_record(session, MID)
    assert edit_record(other, MID)[0].seconds == pytest.approx(12.5, abs=0.2)


def test_a_program_that_was_killed_while_it_wrote_leaves_nothing_behind(session, home):
    saved = save_review(session, home)
    (saved.folder / ".writing-abc.jsonl").write_text("half", "utf-8")
    save_review(session, home, folder=saved.folder)
    assert sorted(path.name for path in saved.folder.iterdir()) == [FLUSHED_FILE, STATE_FILE]


def test_images_that_lie_elsewhere_by_now_are_remembered_there(session, home, files, tmp_path):
    saved = save_review(session, home)
    moved = [files[visit].rename(tmp_path / f"{visit.value}.nii.gz") for visit in (PRE, MID)]
    other = ReviewSession()
    go_on(other, case_of_images(*moved, "7"), saved)
    assert save_review(other, home, folder=saved.folder).sources == dict(zip((PRE, MID), moved, strict=True))


def test_a_closed_session_writes_nothing(home):
    assert save_review(ReviewSession(), home) is None
    assert not home.exists()


def test_nothing_there_is_no_error(home):
    assert saved_reviews(home) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_others_of_the_machine_cannot_look_into_it(session, home):
    save_review(session, home)
    assert stat.S_IMODE(os.stat(home).st_mode) == 0o700


def test_the_folder_does_not_name_the_patient(session, home):
    session.case = ReviewCase("Doe_Jane", session.case.visits)
    assert "Doe" not in save_review(session, home).folder.name
