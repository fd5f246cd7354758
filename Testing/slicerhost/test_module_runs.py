"""Runs that do not go well: cancelled, killed, their images closed or deleted, their model gone."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from PySide6 import QtCore
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import RUN_SECONDS, OpenModule, opened, small_patient

from HNTargetSegLib.case.patient import Visit

pytestmark = pytest.mark.dialect("methods")


def test_cancelled_run_ends_and_the_next_one_succeeds_in_the_same_worker(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _at_work(module)
        worker = module.desk.worker.pid
        host.press("cancelButton")
        module.end_run()
        assert "Cancelled" in module.messages()
        assert module.session.lesions(Visit.MID) == ()
        module.segment("mid")
        assert module.cells("Lesion")
        assert module.desk.worker.pid == worker


def test_console_that_waits_for_a_run_is_told_that_somebody_cancelled_it(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        QtCore.QTimer.singleShot(500, module.logic.cancel)
        with pytest.raises(Exception, match="Cancelled") as raised:
            module.logic.segment("mid", wait=True)
        assert type(raised.value).__name__ == "RunFailedError"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_killed_worker_is_told_of_and_started_anew(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _at_work(module)
        os.kill(module.desk.worker.pid, signal.SIGKILL)
        module.end_run()
        assert "The worker process ended unexpectedly" in module.messages()
        assert host.find("segmentButton").isEnabled()
        module.segment("mid")
        assert module.cells("Lesion")


def test_scene_closed_in_mid_run_stops_it_and_another_patient_can_be_opened(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _at_work(module)
        host.close_scene()
        assert not module.desk.segmenting.state.running
        assert "stopped because its images were closed" in module.messages()
        assert module.shown_tab() == "Patient"
        host.wait_until(lambda: not module.desk.worker.busy, 10, "the end of the stopped job")
        module.open_folder(small_patient())
        assert host.find("patientLabel").text() == "Patient 1"


def test_segmentation_deleted_in_mid_run_is_told_of_and_made_anew_by_the_result(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _at_work(module)
        host.scene.RemoveNode(module.desk.review_scene.segmentation_node(Visit.MID))
        host.wait_until(lambda: "were removed from the scene" in module.messages(), 10, "the message")
        module.end_run()
        assert module.cells("Lesion")
        node = module.desk.review_scene.segmentation_node(Visit.MID)
        assert node.GetSegmentation().GetNumberOfSegments() == len(module.session.lesions(Visit.MID))


def test_volume_deleted_in_mid_run_leaves_the_other_visit(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _at_work(module)
        host.scene.RemoveNode(module.desk.review_scene.volume_node(Visit.MID))
        host.wait_until(lambda: Visit.MID not in module.session.visits, 10, "the visit to go")
        module.end_run()
        assert list(module.session.visits) == [Visit.PRE]
        assert not host.find("midButton").isEnabled()


def test_timer_rests_while_nothing_happens(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        polling = module.logic.shared.polling
        host.wait_until(lambda: not polling.active, 10, "the timer to stop")
        module.begin_run("mid")
        assert polling.active
        host.press("cancelButton")
        module.end_run()
        host.wait_until(lambda: not polling.active, 10, "the timer to stop")


def test_model_removed_while_it_is_chosen_is_told_of_and_the_list_is_new(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        module.tab("Settings")
        other = _second_model()
        module.tab("Segment")
        host.choose("modelCombo", "second")
        shutil.rmtree(other)
        host.press("segmentButton")
        assert not module.desk.segmenting.state.running
        assert "There is no model 'second'" in module.messages()
        combo = host.find("modelCombo")
        assert [combo.itemText(n) for n in range(combo.count())] == ["phantom-baseline"]


def test_module_that_is_closed_in_mid_run_leaves_no_process(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _at_work(module)
        pid = module.desk.worker.pid
        children = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
        host.close_modules()
        assert not any(psutil.pid_exists(number) for number in children)


def _at_work(module: OpenModule) -> None:
    """A run that computes the network."""
    module.open_folder(small_patient())
    module.begin_run("pre", "mid")
    state = module.desk.segmenting
    module.host.wait_until(lambda: state.state.stage == "network", RUN_SECONDS, "the network")


def _second_model() -> Path:
    from HNTargetSegLib.models.store import InstallOptions, ModelStore

    store = ModelStore.default_store()
    return store.install(store.default().folder, InstallOptions(name="second")).folder
