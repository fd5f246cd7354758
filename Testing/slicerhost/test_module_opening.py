"""Opening patients: folders, volumes of the scene, doubts about the pair, images that cannot be read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PySide6 import QtWidgets
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import image_of, opened, small_patient

from HNTargetSegLib.case.patient import Visit


def test_no_button_of_an_empty_module_is_live_without_a_patient(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        for tab, name in (
            ("Segment", "segmentButton"),
            ("Lesions", "acceptButton"),
            ("Lesions", "nextButton"),
            ("Correct", "primaryButton"),
            ("Export", "exportButton"),
        ):
            assert not module.in_tab(tab, name).isEnabled(), name
        assert host.find("researchLabel").text() == "Research use only"


@pytest.mark.parametrize(("button", "pre_is"), [("Swap the visits", "pre"), ("Continue as they are", "mid")])
@pytest.mark.dialect("attributes")
def test_swapped_visits_are_asked_about(host: Host, tmp_path: Path, button: str, pre_is: str) -> None:
    with opened(host, tmp_path) as module:
        pre, mid = (_loaded(host, image_of(visit)) for visit in ("mid", "pre"))
        _use_volumes(host, pre, mid, button)
        assert f"_{pre_is}RT_T2" in module.session.visits[Visit.PRE].image.image.name


def test_cancelled_question_opens_nothing(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        pre, mid = (_loaded(host, image_of(visit)) for visit in ("mid", "pre"))
        _use_volumes(host, pre, mid, "Cancel")
        assert module.session.case is None


def test_two_volumes_of_the_scene_are_opened_without_a_copy(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        pre, mid = (_loaded(host, image_of(visit)) for visit in ("pre", "mid"))
        host.choose("preCombo", pre.GetName())
        host.choose("midCombo", mid.GetName())
        host.press("volumesButton")
        assert module.desk.review_scene.volume_node(Visit.PRE) is pre
        assert module.desk.review_scene.volume_node(Visit.MID) is mid
        assert module.shown_tab() == "Segment"


@pytest.mark.dialect("methods")
def test_no_volume_chosen_is_told_of(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        host.press("volumesButton")
        assert module.session.case is None
        assert module.messages()


@pytest.mark.dialect("attributes")
def test_one_of_several_patients_is_chosen_by_name(host: Host, tmp_path: Path) -> None:
    root = tmp_path / "cohort"
    for name in ("7", "12"):
        for visit in ("pre", "mid"):
            (root / name / f"{visit}RT").mkdir(parents=True)
            shutil.copy(image_of(visit), root / name / f"{visit}RT" / f"{name}_{visit}RT_T2.nii.gz")
    with opened(host, tmp_path) as module:
        module.open_folder(root)
        assert module.session.case is None
        host.choose("patientCombo", "12")
        host.press("patientButton")
        assert host.find("patientLabel").text() == "Patient 12"


@pytest.mark.dialect("methods")
def test_image_that_cannot_be_read_is_a_message_with_its_file(host: Host, tmp_path: Path) -> None:
    home = _copy(tmp_path / "broken", pre="pre", mid="mid")
    image = next((home / "midRT").glob("*_T2.nii.gz"))
    image.write_bytes(image.read_bytes()[:200])
    with opened(host, tmp_path) as module:
        module.open_folder(home)
        assert module.session.case is None
        assert image.name in module.messages()
        host.press("dismissButton")
        assert not host.find("Messages").isVisible()


@pytest.mark.dialect("attributes")
def test_folder_without_a_patient_is_a_message_and_the_open_case_stays(host: Host, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        module.open_folder(tmp_path / "empty")
        assert "holds no patient" in module.messages()
        assert host.find("patientLabel").text() == "Patient 1"


@pytest.mark.dialect("methods")
def test_recent_folder_is_opened_again_after_a_restart(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
    host.begin()
    with opened(host, tmp_path) as module:
        host.press("recentButton")
        assert host.find("patientLabel").text() == "Patient 1"


@pytest.mark.dialect("methods")
def test_dates_of_the_headers_stand_on_the_visits(host: Host, tmp_path: Path) -> None:
    from dataclasses import replace

    from HNTargetSegLib.case.identity import SeriesIdentity
    from HNTargetSegLib.review.case import ReviewCase

    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        case = module.session.case
        dates = {Visit.PRE: "20280103", Visit.MID: "20280131"}
        visits = {
            visit: replace(case.visits[visit], identity=SeriesIdentity(series_date=date))
            for visit, date in dates.items()
        }
        module.session.open(ReviewCase("7", visits))
        assert host.find("preButton").text() == "pre-RT  2028-01-03"
        assert host.find("midButton").text() == "mid-RT  2028-01-31"


@pytest.mark.dialect("attributes")
def test_sample_data_opens_the_generated_patient_in_the_module(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path, HNTARGETSEG_CACHE=str(tmp_path / "cache")) as module:
        host.open_sample("HNTargetSegPatient")
        assert list(module.session.visits) == [Visit.PRE, Visit.MID]
        assert module.session.visits[Visit.PRE].image.image.array.shape == (56, 160, 128)


def _copy(home: Path, **images: str) -> Path:
    for visit, source in images.items():
        (home / f"{visit}RT").mkdir(parents=True)
        shutil.copy(image_of(source), home / f"{visit}RT" / f"1_{visit}RT_T2.nii.gz")
    return home


def _loaded(host: Host, image: Path) -> Any:
    """A volume as Slicer's own reader puts it into the scene."""
    import slicer

    return slicer.modules.volumes.logic().AddArchetypeVolume(str(image), image.name.split(".")[0])


def _use_volumes(host: Host, pre: Any, mid: Any, button: str) -> None:
    host.choose("preCombo", pre.GetName())
    host.choose("midCombo", mid.GetName())

    def answer(box: QtWidgets.QMessageBox) -> int:
        pressed = next(found for found in box.buttons() if found.text().replace("&", "") == button)
        pressed.click()
        return 1

    host.answers.expect("The names say otherwise", answer)
    host.press("volumesButton")
