"""A review is never lost: another patient, a closed scene, a deleted node, the end of Slicer, a crash."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PySide6 import QtWidgets
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import OpenModule, opened, small_patient

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.autosave import saved_reviews

PRE, MID = Visit.PRE, Visit.MID


def _reviewed(host: Host, module: OpenModule) -> tuple[Any, ...]:
    """Open the patient and reject the given GTVp; what the lesions are then."""
    module.open_folder(small_patient())
    module.tab("Lesions")
    host.press("preButton")
    module.click_lesion("GTVp")
    host.press("rejectButton")
    lesions: tuple[Any, ...] = module.session.lesions(PRE)
    return lesions


def _answering(host: Host, button: str) -> None:
    def answer(box: QtWidgets.QMessageBox) -> int:
        next(found for found in box.buttons() if found.text().replace("&", "") == button).click()
        return 1

    host.answers.expect("is kept on this computer", answer)


def test_opening_the_patient_again_asks_and_goes_on(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        before = _reviewed(host, module)
        _answering(host, "Go on with it")
        module.open_folder(small_patient())
        assert module.session.lesions(PRE) == before
        assert len(saved_reviews()) == 1


@pytest.mark.dialect("methods")
def test_a_review_that_is_begun_anew_leaves_the_other_on_disk(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        before = _reviewed(host, module)
        _answering(host, "Begin anew")
        module.open_folder(small_patient())
        assert module.session.lesions(PRE) != before
        _answering(host, "Cancel")
        module.open_folder(small_patient())
        module.tab("Patient")
        host.press("savedButton")
        assert module.session.lesions(PRE) == before


@pytest.mark.dialect("attributes")
def test_after_a_crash_the_next_start_offers_to_go_on(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        before = _reviewed(host, module)
        (saved,) = saved_reviews()
        shutil.copytree(saved.folder, tmp_path / "as it was")
    shutil.rmtree(saved.folder)
    shutil.copytree(tmp_path / "as it was", saved.folder)
    host.begin()
    with opened(host, tmp_path) as module:
        assert "was not closed" in module.messages()
        host.screenshot(tmp_path / "offered.png")
        module.tab("Patient")
        host.press("savedButton")
        assert module.session.lesions(PRE) == before
        assert module.shown_tab() in ("Lesions", "Segment")


@pytest.mark.dialect("methods")
def test_an_orderly_end_keeps_the_last_stroke_and_is_no_crash(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _reviewed(host, module)
        node = module.desk.review_scene.segmentation_node(PRE)
        number = module.session.lesions(PRE)[1].id
        node.GetSegmentation().RemoveSegment(module.desk.review_scene.segment_id(PRE, number))
    host.begin()
    with opened(host, tmp_path) as module:
        assert module.messages() == ""
        module.tab("Patient")
        host.press("savedButton")
        assert number not in [lesion.id for lesion in module.session.lesions(PRE)]


@pytest.mark.dialect("attributes")
def test_a_scene_that_is_closed_keeps_what_was_said_and_drawn(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        before = _reviewed(host, module)
        node = module.desk.review_scene.segmentation_node(PRE)
        node.GetSegmentation().RemoveSegment(module.desk.review_scene.segment_id(PRE, before[1].id))
        host.close_scene()
        assert "it is kept on this computer" in module.messages()
        module.tab("Patient")
        host.press("savedButton")
        found = {lesion.id: lesion.state for lesion in module.session.lesions(PRE)}
        assert found == {lesion.id: lesion.state for lesion in before if lesion.id != before[1].id}


@pytest.mark.dialect("methods")
def test_verdicts_outlive_the_segmentation_node_that_is_deleted(host: Host, tmp_path: Path) -> None:
    import slicer

    with opened(host, tmp_path) as module:
        before = _reviewed(host, module)
        slicer.mrmlScene.RemoveNode(module.desk.review_scene.segmentation_node(PRE))
        host.wait_until(lambda: not module.desk.review_scene.pending, 10, "the scene to settle")
        assert module.session.lesions(PRE) == ()
        assert "what was said of them" in module.messages()
        _answering(host, "Go on with it")
        module.open_folder(small_patient())
        assert module.session.lesions(PRE) == before


@pytest.mark.dialect("attributes")
def test_a_kept_review_is_deleted_when_the_user_says_so(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _reviewed(host, module)
        host.close_scene()
        module.tab("Patient")
        host.answers.expect("Delete the review", QtWidgets.QMessageBox.StandardButton.Ok)
        host.press("deleteReviewButton")
        assert saved_reviews() == ()
        assert not host.find("savedRow").isVisible()


@pytest.mark.dialect("methods")
def test_an_undo_across_runs_stays_in_the_tab_where_it_was_pressed(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        module.segment("mid")
        assert module.shown_tab() == "Lesions"
        module.tab("Correct")
        module.desk.review_scene.undo_voxels(MID)
        host.process()
        assert module.session.lesions(MID) == ()
        assert module.shown_tab() == "Correct"
        module.desk.review_scene.redo_voxels(MID)
        host.process()
        assert module.session.lesions(MID) != ()
        assert module.shown_tab() == "Correct"
