"""The pre-RT lesions on mid-RT in the module's panel: registered, cancelled, by a transform of the scene, previewed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import RUN_SECONDS, OpenModule, opened, small_patient

from HNTargetSegLib.case.patient import Visit

pytestmark = pytest.mark.dialect("methods")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small patient as it leaves the clinic: images and the pre-RT delineation, nothing registered."""
    import shutil

    copy = tmp_path_factory.mktemp("unregistered") / "1"
    shutil.copytree(small_patient(), copy)
    for file in copy.rglob("*registered*"):
        file.unlink()
    return copy


@pytest.fixture
def module(host: Host, tmp_path: Path, folder: Path) -> Iterator[OpenModule]:
    """The patient open, the tab Segment in front."""
    with opened(host, tmp_path) as found:
        found.open_folder(folder)
        found.tab("Segment")
        yield found


def registering(module: OpenModule) -> Any:
    return module.desk.segmenting.registering


def end_registration(module: OpenModule) -> None:
    module.host.wait_until(lambda: not registering(module).state.running, RUN_SECONDS, "the end of the registration")


def text(host: Host, name: str) -> str:
    return str(host.find(name).text())


def test_registered_lesions_are_told_shown_on_demand_and_matched(module: OpenModule, host: Host) -> None:
    assert text(host, "priorState") == "Not registered yet."
    host.press("registerButton")
    assert not host.find("segmentButton").isEnabled()
    end_registration(module)
    assert text(host, "priorState").startswith("Registered: good. Carried: GTVp")
    assert "There and back again" in text(host, "priorFigures")
    assert module.desk.review_scene.prior_nodes.transform.GetName() == "1 pre-RT to mid-RT"
    assert module.desk.review_scene.prior_nodes.outlines is None
    host.press("previewCheck")
    outlines = module.desk.review_scene.prior_nodes.outlines
    assert outlines.GetSegmentation().GetNumberOfSegments() == len(registering(module).prior.registered.lesions.lesions)
    host.press("previewCheck")
    assert module.desk.review_scene.prior_nodes.outlines is None
    module.segment("mid")
    module.tab("Lesions")
    fates = set(module.cells("Fate"))
    assert fates & {"kept", "shrunk", "grown", "vanished"}


def test_cancelled_half_way_leaves_nothing_and_a_run_that_waits_ends_too(module: OpenModule, host: Host) -> None:
    module.begin_run("mid")
    host.wait_until(lambda: registering(module).state.stage == "deformable", RUN_SECONDS, "the registration")
    assert "Registering the visits" in text(host, "progressLabel")
    worker = module.desk.worker.pid
    host.press("cancelButton")
    module.end_run()
    assert "The registration was cancelled" in module.messages()
    assert registering(module).prior is None
    assert module.session.lesions(Visit.MID) == ()
    assert module.desk.worker.pid == worker


def test_a_transform_that_is_wrong_is_flagged_and_used_only_when_confirmed(module: OpenModule, host: Host) -> None:
    import slicer
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "by hand")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 60.0)
    node.SetMatrixTransformToParent(matrix)
    host.find("transformCombo").setCurrentNode(node)
    host.press("transformButton")
    end_registration(module)
    assert "is poor and is not used" in text(host, "priorState")
    assert module.session.case.registration is None
    host.press("confirmButton")
    assert module.session.case.registration.confirmed
    assert module.session.case.registration.source == "by hand"
    host.press("forgetButton")
    assert module.session.case.registration is None
    assert text(host, "priorState") == "Not registered yet."


def test_no_transform_chosen_is_told(module: OpenModule, host: Host) -> None:
    host.press("transformButton")
    assert "No transform is chosen" in module.messages()


def test_a_mask_in_the_wrong_geometry_is_told_and_a_registered_one_is_taken(
    module: OpenModule, host: Host, folder: Path
) -> None:
    wrong = next((folder / "preRT").glob("*_mask.nii.gz"))
    host.answers.expect("Pre-RT delineation on the mid-RT image", str(wrong))
    host.press("maskButton")
    assert module.session.case.registered_mask is None
    assert wrong.name in module.messages()
    right = next((small_patient() / "midRT").glob("*_preRT_mask_registered.nii.gz"))
    host.answers.expect("Pre-RT delineation on the mid-RT image", str(right))
    host.press("maskButton")
    assert text(host, "priorState") == "A registered delineation was given."
