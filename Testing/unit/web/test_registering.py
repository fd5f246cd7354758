"""The pre-RT lesions in the Segment card."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from Testing.unit.web.conftest import GEOMETRY, image, said

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import ErrorCode
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.registered import carry_lesions
from HNTargetSegLib.prior.given import write_transform
from HNTargetSegLib.prior.quality import Quality
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.segmenting import Segmenting
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.desk import Desk
from HNTargetSegLib.web.registering import PriorCard
from HNTargetSegLib.web.running import Running
from HNTargetSegLib.web.state import PageState
from HNTargetSegLib.web.sync import PageSync
from HNTargetSegLib.worker.messages import ErrorEvent, ProgressEvent, ResultEvent
from HNTargetSegLib.worker.register_messages import RegistrationOutcome

GOOD = Quality(0.95, 0.9, 0.99, 0.1, 0.04, 0.0, 0.8, 1.2, 0.05, 2.0, 0.4, 0.9, 0.5, 0.9)
POOR = replace(GOOD, problems=("The images do not look like two visits of one patient",))


class TellingWorker:
    """Takes requests down and hands out the events that a test has put in."""

    def __init__(self):
        self.requests, self.cancelled, self.events = [], [], []

    def segment(self, request):
        self.requests.append(request)
        return f"job-{len(self.requests)}"

    register = segment

    def poll(self):
        events, self.events = self.events, []
        return events

    def cancel(self, job):
        self.cancelled.append(job)

    def close(self):
        pass


def labels():
    array = np.zeros(GEOMETRY.shape, np.uint8)
    array[2:7, 5:13, 4:14], array[2:8, 16:24, 4:12] = 1, 2
    return Volume(array, GEOMETRY, "labels")


@pytest.fixture
def worker():
    return TellingWorker()


@pytest.fixture
def desk(worker):
    from trame_server.state import State

    session, state = ReviewSession("a reviewer"), State(ready=True)
    state.update(asdict(PageState()))
    segmenting = Segmenting(session, worker)
    shown = []
    scene = SimpleNamespace(process_pending=lambda: None, preview_prior=shown.append, shown=shown)
    yield Desk(SimpleNamespace(state=state), session, segmenting, core=None, scene=scene, views=None)
    segmenting.close()


@pytest.fixture
def card(desk, tmp_path):
    PageSync(desk).all()
    card = PriorCard(desk, AllowedFolders.of([tmp_path]))
    visits = {Visit.PRE: VisitImage(image("7_preRT_T2", 1)), Visit.MID: VisitImage(image("7_midRT_T2", 2))}
    desk.session.open(ReviewCase("7", visits, pre_mask=labels()))
    return card


def finish(desk, worker, quality=GOOD):
    carried = carry_lesions(find_lesions(labels()), lambda ids: ids)
    shift = sitk.TranslationTransform(3, (0.0, 0.0, 0.0))
    outcome = RegistrationOutcome(carried, shift, quality, "descriptor", {})
    worker.events = [ResultEvent(f"job-{len(worker.requests)}", "register", registration=outcome)]
    desk.segmenting.poll()


def test_the_card_says_where_the_lesions_stand_from_the_first_moment(desk, tmp_path):
    card = PriorCard(desk, AllowedFolders.of([tmp_path]))
    assert desk.state.prior["text"] == "Both visits are needed"
    assert card is not None


def test_register_shows_its_progress_and_then_figures(card, desk, worker):
    assert desk.state.prior["text"] == "Not registered."
    card.register_visits()
    assert desk.state.prior["running"]
    worker.events = [ProgressEvent("job-1", "mid", "deformable", 5, 10)]
    desk.segmenting.poll()
    assert (desk.state.prior["stage"], desk.state.prior["percent"]) == ("Deforming", 40)
    finish(desk, worker)
    assert desk.state.prior["text"] == "Registered: good. Carried: GTVp, GTVn1"
    assert desk.state.prior["good"]
    titles = [figure["title"] for figure in desk.state.prior["figures"]]
    assert "Overlap of the bodies (DSC)" in titles


def test_a_poor_one_is_offered_and_used_only_when_confirmed(card, desk, worker):
    card.register_visits()
    finish(desk, worker, POOR)
    assert desk.state.prior["offered"]
    assert desk.state.prior["problems"] == list(POOR.problems)
    assert desk.session.case.registration is None
    card.confirm_registration()
    assert not desk.state.prior["offered"]
    assert desk.session.case.registration.confirmed


def test_outlines_are_hidden_until_asked_for(card, desk, worker):
    card.register_visits()
    finish(desk, worker)
    assert set(desk.scene.shown) == {None}
    desk.state.prior_preview = True
    card._preview()
    assert desk.scene.shown[-1] is desk.session.case.registration.registered.lesions


def test_stop_cancels_and_forget_takes_the_prior_away(card, desk, worker):
    card.register_visits()
    card.cancel_registration()
    assert desk.state.prior["cancelling"]
    assert worker.cancelled == ["job-1"]
    worker.events = [ErrorEvent("job-1", ErrorCode.CANCELLED, "Cancelled by the user")]
    desk.segmenting.poll()
    assert not desk.state.prior["running"]
    card.register_visits()
    finish(desk, worker)
    card.forget_prior()
    assert desk.session.case.registration is None


def test_a_transform_file_of_the_server_is_taken_instead_of_registering(card, desk, worker, tmp_path):
    write_transform(sitk.TranslationTransform(3, (1.0, 2.0, 3.0)), tmp_path / "from elsewhere.tfm")
    desk.state.prior_file = str(tmp_path / "from elsewhere.tfm")
    asyncio.run(card.take_prior_file())
    (request,) = worker.requests
    assert request.transform.TransformPoint((0.0, 0.0, 0.0)) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("name", ["", "nowhere.h5", "../x.tfm", "."])
def test_a_file_that_is_not_there_or_not_allowed_is_told(card, desk, worker, tmp_path, name):
    desk.state.prior_file = str(tmp_path / name) if name else ""
    asyncio.run(card.take_prior_file())
    assert worker.requests == []
    assert len(said(desk)) == 1


def test_a_registered_mask_in_the_wrong_geometry_is_told_and_one_on_the_grid_is_taken(card, desk, tmp_path):
    good = labels()
    write_volume(good, tmp_path / "good.nii.gz")
    write_volume(replace(good, geometry=replace(GEOMETRY, origin=(1.0, 2.0, 3.0))), tmp_path / "moved.nii.gz")
    desk.state.prior_file = str(tmp_path / "moved.nii.gz")
    asyncio.run(card.take_prior_file())
    assert desk.session.case.registered_mask is None
    assert "moved.nii.gz" in said(desk)[-1]
    desk.state.prior_file = str(tmp_path / "good.nii.gz")
    asyncio.run(card.take_prior_file())
    assert desk.state.prior["text"] == "A registered delineation was given."


def test_a_run_registers_first_unless_the_box_is_cleared(card, desk, worker):
    running = Running(desk)
    desk.state.run_visits = "mid"
    asyncio.run(running.start())
    assert desk.state.run["text"] == "Registering the visits"
    assert hasattr(worker.requests[0], "moving")
    desk.segmenting.cancel()
    worker.events = [ErrorEvent("job-1", ErrorCode.CANCELLED, "Cancelled by the user")]
    desk.segmenting.poll()
    desk.state.register_first = False
    asyncio.run(running.start())
    assert [visit.visit for visit in worker.requests[1].visits] == ["mid"]
