"""Opening patients from the page."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from Testing.unit.web.conftest import said

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.settings import load_settings
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.opening import Opening
from HNTargetSegLib.web.saving import Saving


@pytest.fixture
def opening(desk, patient_folder):
    return Opening(desk, AllowedFolders.of([patient_folder.parent]), Saving(desk))


def test_a_folder_with_one_patient_is_opened_and_remembered(opening, desk, patient_folder):
    asyncio.run(opening.open_folder(str(patient_folder)))
    assert desk.session.case.name == "7"
    assert load_settings().recent == (str(patient_folder.resolve()),)
    assert desk.state.busy == ""


def test_several_patients_are_offered_and_the_chosen_one_is_opened(opening, desk, patient_folder):
    other = patient_folder.with_name("8")
    other.mkdir()
    shutil.copy(patient_folder / "7_midRT_T2.nii.gz", other / "8_midRT_T2.nii.gz")
    asyncio.run(opening.open_folder(str(patient_folder.parent)))
    assert desk.session.case is None
    assert [(item["name"], item["images"]) for item in desk.state.folder_patients] == [
        ("7", "pre-RT and mid-RT"),
        ("8", "mid-RT"),
    ]
    assert desk.state.dialog == "patients"
    asyncio.run(opening.choose_patient(1))
    assert (desk.session.case.name, desk.state.dialog) == ("8", "")


def test_the_same_image_twice_is_asked_about_before_it_is_opened(opening, desk, patient_folder):
    shutil.copy(patient_folder / "7_preRT_T2.nii.gz", patient_folder / "7_midRT_T2.nii.gz")
    asyncio.run(opening.open_folder(str(patient_folder)))
    assert desk.session.case is None
    assert (desk.state.dialog, desk.state.questions) == ("questions", ["Both visits show the same image."])
    opening.answer("continue")
    assert desk.session.case is not None


def test_cancelling_the_question_opens_nothing(opening, desk, patient_folder):
    shutil.copy(patient_folder / "7_preRT_T2.nii.gz", patient_folder / "7_midRT_T2.nii.gz")
    asyncio.run(opening.open_folder(str(patient_folder)))
    opening.answer("cancel")
    assert (desk.session.case, desk.state.dialog) == (None, "")
    opening.answer("continue")
    assert desk.session.case is None


def test_swapping_exchanges_the_visits(opening, desk, patient_folder):
    shutil.copy(patient_folder / "7_preRT_T2.nii.gz", patient_folder / "a_pre.nii.gz")
    shutil.copy(patient_folder / "7_midRT_T2.nii.gz", patient_folder / "b_mid.nii.gz")
    for name in ("7_preRT_T2", "7_midRT_T2"):
        (patient_folder / f"{name}.nii.gz").unlink()
    shutil.copy(patient_folder / "a_pre.nii.gz", patient_folder / "other.nii.gz")
    asyncio.run(opening.open_folder(str(patient_folder)))
    opening.assign(0, "mid")
    opening.assign(1, "pre")
    asyncio.run(opening.open_assigned())
    assert (desk.state.dialog, desk.state.can_swap) == ("questions", True)
    opening.answer("swap")
    sources = {visit: review.image.source.name for visit, review in desk.session.visits.items()}
    assert sources == {Visit.PRE: "a_pre.nii.gz", Visit.MID: "b_mid.nii.gz"}


def test_a_folder_outside_the_allowed_ones_is_refused(opening, desk, tmp_path):
    asyncio.run(opening.open_folder(str(tmp_path)))
    assert desk.session.case is None
    assert "There is no such file or folder among those that this page may open" in said(desk)[0]


def test_a_folder_without_a_patient_is_said_with_what_to_do(opening, desk, patient_folder):
    empty = patient_folder.parent / "empty"
    empty.mkdir()
    asyncio.run(opening.open_folder(str(empty)))
    assert "The folder holds no patient" in said(desk)[0]
    assert desk.state.busy == ""


def test_the_browser_lists_folders_and_files_and_stays_below_its_root(opening, desk, patient_folder):
    opening.browse()
    assert [(item["name"], item["path"]) for item in desk.state.folders] == [("7", str(patient_folder.resolve()))]
    opening.browse(str(patient_folder))
    assert [item["name"] for item in desk.state.folders] == [".."]
    assert desk.state.folder_files == ["7_midRT_T2.nii.gz", "7_preRT_T2.nii.gz"]


def test_an_upload_is_opened_and_not_remembered(opening, desk, patient_folder):
    asyncio.run(opening.open_upload(patient_folder))
    assert desk.session.case.name == "7"
    assert load_settings().recent == ()
