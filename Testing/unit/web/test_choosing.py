"""Images whose visit a person has to say."""

from __future__ import annotations

import asyncio

import pytest
from Testing.unit.web.conftest import image, said

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.choosing import images_in
from HNTargetSegLib.web.opening import Opening
from HNTargetSegLib.web.saving import Saving


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("first", "second", "after_midRT")):
        write_volume(image(name, seed), tmp_path / "x" / f"{name}.nii.gz")
    (tmp_path / "x" / "notes.txt").write_text("no image")
    return tmp_path / "x"


@pytest.fixture
def asked(desk, folder):
    """The page after a folder was opened whose images do not say their visit."""
    opening = Opening(desk, AllowedFolders.of([folder]), Saving(desk))
    asyncio.run(opening.open_folder(str(folder)))
    return opening


def test_images_are_found_with_what_their_names_say(folder):
    assert [(found.name, found.visit) for found in images_in(folder)] == [
        ("after_midRT.nii.gz", Visit.MID),
        ("first.nii.gz", None),
        ("second.nii.gz", None),
    ]


def test_a_real_dicom_series_is_found_with_its_description(real_data, tmp_path):
    import zipfile

    with zipfile.ZipFile(next((real_data / "t2w-mr-dicom").glob("*.zip"))) as archive:
        archive.extractall(tmp_path)
    (found,) = images_in(tmp_path)
    assert "AX T2" in found.details


def test_names_that_do_not_tell_lead_to_a_question_and_not_to_an_error(asked, desk):
    assert (desk.state.dialog, said(desk)) == ("images", [])
    assert [item["visit"] for item in desk.state.images] == ["mid", "", ""]
    assert "does not say whether it is pre-RT or mid-RT" in desk.state.images_reason


def test_a_visit_has_one_image_and_a_second_word_takes_it_back(asked, desk):
    asked.assign(1, "mid")
    assert [item["visit"] for item in desk.state.images] == ["", "mid", ""]
    asked.assign(1, "mid")
    assert [item["visit"] for item in desk.state.images] == ["", "", ""]


def test_the_images_are_opened_as_they_were_assigned(asked, desk):
    asked.assign(2, "pre")
    asyncio.run(asked.open_assigned())
    sources = {visit: review.image.source.name for visit, review in desk.session.visits.items()}
    assert sources == {Visit.PRE: "second.nii.gz", Visit.MID: "after_midRT.nii.gz"}
    assert desk.state.dialog == ""


def test_a_folder_without_images_is_said_to_be_empty(desk, tmp_path):
    (tmp_path / "empty").mkdir()
    asyncio.run(Opening(desk, AllowedFolders.of([tmp_path]), Saving(desk)).open_folder(str(tmp_path / "empty")))
    assert "The folder holds no patient" in said(desk)[0]
