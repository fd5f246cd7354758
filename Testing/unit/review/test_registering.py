"""Pre-RT lesions on mid-RT in a review: asked for, judged, confirmed, matched, kept; with a scripted worker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, ErrorCode, GeometryError
from HNTargetSegLib.lesions.lesion import Fate, State
from HNTargetSegLib.lesions.registered import carry_lesions
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.prior.carrying import carry_labels
from HNTargetSegLib.prior.quality import Quality
from HNTargetSegLib.review.autosave import go_on, save_review
from HNTargetSegLib.review.change import Level, Part
from HNTargetSegLib.review.exporting import export_review
from HNTargetSegLib.review.matching import matched_again
from HNTargetSegLib.review.prior import decided_lesions, fingerprint
from HNTargetSegLib.review.segmenting import Segmenting
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.worker.messages import ErrorEvent, ProgressEvent, ResultEvent, VisitOutcome
from HNTargetSegLib.worker.register_messages import RegistrationOutcome

PRE, MID = Visit.PRE, Visit.MID
TUMOUR = (1, slice(2, 7), slice(5, 13), slice(4, 14))
NODE = (2, slice(2, 8), slice(16, 24), slice(4, 12))
GONE = (2, slice(2, 5), slice(5, 9), slice(28, 32))
GOOD = Quality(0.95, 0.9, 0.99, 0.1, 0.04, 0.0, 0.8, 1.2, 0.05, 2.0, 0.4, 0.9, 0.5, 0.9)
POOR = replace(GOOD, problems=("The images do not look like two visits of one patient",))
IDENTITY = sitk.TranslationTransform(3, (0.0, 0.0, 0.0))


class ScriptedWorker:
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


@pytest.fixture
def worker():
    return ScriptedWorker()


@pytest.fixture
def given(case, paint):
    """A session whose pre-RT visit came with a tumour and two nodes."""
    session = ReviewSession("a reviewer")
    session.open(replace(case, pre_mask=paint(TUMOUR, NODE, GONE)))
    return session


@pytest.fixture
def segmenting(given, worker):
    return Segmenting(given, worker)


def outcome(session, quality=GOOD, transform=IDENTITY):
    lesions = decided_lesions(session.visits[Visit.PRE].lesions)
    grid = session.require(MID).image.image.geometry
    return RegistrationOutcome(
        carry_lesions(lesions, lambda ids: carry_labels(ids, grid, transform)), transform, quality, "descriptor", {}
    )


def finish(segmenting, worker, session, quality=GOOD, job=None):
    worker.events = [
        ResultEvent(job or f"job-{len(worker.requests)}", "register", registration=outcome(session, quality))
    ]
    segmenting.poll()


def found(proposal, run_record):
    return VisitOutcome("mid", proposal, (), {"network": 1.0}, (), "cpu", PredictOptions(), run_record.model)


def texts(session):
    return [message.text for message in session.said]


def test_given_lesions_are_asked_for_with_both_images(segmenting, worker, given):
    segmenting.registering.start(device="cpu")
    (request,) = worker.requests
    assert request.fixed is given.require(MID).image.image
    assert request.moving is given.require(PRE).image.image
    assert [lesion.name for lesion in request.lesions] == ["GTVp", "GTVn1", "GTVn2"]
    assert segmenting.busy


def test_only_decided_lesions_are_carried(segmenting, worker, given):
    ids = {lesion.name: lesion.id for lesion in given.lesions(PRE)}
    given.reset(PRE, ids["GTVn1"])
    given.reject(PRE, ids["GTVn2"])
    segmenting.registering.start()
    (request,) = worker.requests
    assert [lesion.name for lesion in request.lesions] == ["GTVp"]
    assert set(np.unique(request.lesions.ids.array)) == {0, ids["GTVp"]}


def test_proposed_lesions_alone_are_nothing_to_register(case, worker, proposal, run_record):
    session = ReviewSession()
    session.open(case)
    session.take_proposal(PRE, proposal, run_record)
    segmenting = Segmenting(session, worker)
    assert "no accepted or given lesions" in segmenting.registering.obstacle
    with pytest.raises(BadInputError, match="accept, draw or bring"):
        segmenting.registering.start()


def test_one_visit_alone_cannot_be_registered(case, worker):
    session = ReviewSession()
    session.open(replace(case, visits={MID: case.visits[MID]}))
    assert Segmenting(session, worker).registering.obstacle == "Both visits are needed"


def test_a_good_registration_is_used_and_told(segmenting, worker, given):
    segmenting.registering.start()
    finish(segmenting, worker, given)
    assert [lesion.name for lesion in segmenting.registering.prior.registered.lesions] == ["GTVp", "GTVn1", "GTVn2"]
    assert texts(given)[-1] == "3 pre-RT lesions carried to mid-RT by descriptor: good."
    assert not segmenting.busy


def test_progress_only_grows(segmenting, worker):
    segmenting.registering.start()
    assert segmenting.registering.state.fraction is None
    shares = []
    for stage, done in (("rigid", 0), ("rigid", 1), ("deformable", 5), ("check", 2), ("check", 9), ("carry", 0)):
        worker.events = [ProgressEvent("job-1", "mid", stage, done, 10)]
        segmenting.poll()
        shares.append(segmenting.registering.state.fraction)
    assert shares == sorted(shares)
    assert shares[-1] <= 1.0


def test_a_flagged_registration_is_not_used_until_it_is_confirmed(segmenting, worker, given):
    segmenting.registering.start()
    finish(segmenting, worker, given, POOR)
    registering = segmenting.registering
    assert registering.prior is None
    assert registering.offered.quality.problems == POOR.problems
    assert given.said[-1].level is Level.WARNING
    assert "is not used" in texts(given)[-1]
    assert registering.carried is registering.offered.registered.lesions
    registering.confirm()
    assert registering.offered is None
    assert registering.prior.confirmed
    assert registering.prior.record()["confirmed_by_reviewer"]
    assert registering.prior.record()["quality"] == "poor"


def test_a_run_on_mid_rt_registers_first_and_then_takes_the_lesions_along(
    segmenting, worker, given, proposal, run_record
):
    segmenting.start([MID], model="tiny")
    assert segmenting.state.stage == "register"
    worker.events = [ProgressEvent("job-1", "mid", "deformable", 5, 10)]
    assert segmenting.poll()
    assert segmenting.state.done == 40
    finish(segmenting, worker, given)
    assert segmenting.state.running
    (visit,) = worker.requests[1].visits
    assert worker.requests[1].model == "tiny"
    assert [lesion.name for lesion in visit.prior] == ["GTVp", "GTVn1", "GTVn2"]
    assert visit.native_cc == {x.id: x.volume_cc for x in given.lesions(PRE)}
    worker.events = [ResultEvent("job-2", "segment", (found(proposal, run_record),))]
    assert not segmenting.poll()
    assert not any("not registered" in text for text in texts(given))


def test_a_run_does_not_register_where_it_is_told_not_to_or_a_prior_is_there(segmenting, worker, given, case, paint):
    segmenting.start([MID], register=False)
    assert worker.requests[0].visits[0].prior is None
    other = ReviewSession()
    other.open(replace(case, pre_mask=paint(NODE), registered_mask=paint(NODE)))
    elsewhere = ScriptedWorker()
    Segmenting(other, elsewhere).start([MID])
    assert [lesion.name for lesion in elsewhere.requests[0].visits[0].prior] == ["GTVn1"]


def test_a_run_goes_on_without_a_prior_where_the_registration_is_flagged_or_fails(segmenting, worker, given):
    segmenting.start([MID])
    finish(segmenting, worker, given, POOR)
    assert worker.requests[1].visits[0].prior is None
    segmenting.cancel()
    worker.events = [ErrorEvent("job-2", ErrorCode.CANCELLED, "Cancelled by the user")]
    segmenting.poll()
    segmenting.registering.forget()
    segmenting.start([MID])
    worker.events = [ErrorEvent("job-3", ErrorCode.OUT_OF_MEMORY, "Too little memory", "Close other programs")]
    segmenting.poll()
    assert given.said[-1].level is Level.ERROR or "Too little memory." in texts(given)
    assert worker.requests[3].visits[0].prior is None


def test_cancelling_half_way_ends_the_registration_and_the_run_that_waits_for_it(segmenting, worker, given):
    segmenting.start([MID])
    segmenting.cancel()
    assert worker.cancelled == ["job-1"]
    worker.events = [ErrorEvent("job-1", ErrorCode.CANCELLED, "Cancelled by the user")]
    assert not segmenting.poll()
    assert len(worker.requests) == 1
    assert segmenting.registering.prior is None
    assert given.lesions(MID) == ()


def test_closing_the_case_stops_the_registration_and_its_result_goes_nowhere(segmenting, worker, given):
    segmenting.start([MID])
    result = ResultEvent("job-1", "register", registration=outcome(given))
    given.close()
    assert worker.cancelled == ["job-1"]
    worker.events = [result]
    assert not segmenting.poll()
    assert given.case is None


def test_a_second_registration_and_a_run_wait_for_the_first(segmenting):
    segmenting.registering.start()
    with pytest.raises(BadInputError, match="registration is running"):
        segmenting.registering.start()
    with pytest.raises(BadInputError, match="registration is running"):
        segmenting.start([PRE])


def test_lesions_found_before_are_matched_and_keep_what_the_reviewer_said(
    segmenting, worker, given, proposal, run_record
):
    given.take_proposal(MID, proposal, run_record)
    tumour = next(lesion for lesion in given.lesions(MID) if lesion.name == "GTVp")
    given.rename(MID, tumour.id, "GTVp_left")
    given.accept(MID, tumour.id)
    parts = []
    given.changed.connect(lambda change: parts.append((change.part, change.visit)))
    segmenting.registering.start()
    finish(segmenting, worker, given)
    fates = {lesion.name: lesion.fate for lesion in given.lesions(MID)}
    assert fates["GTVp_left"] is Fate.KEPT
    assert fates["GTVn1"] is Fate.KEPT
    assert fates["GTVn2"] is Fate.VANISHED
    assert given.require(MID).require_lesion(tumour.id).state is State.ACCEPTED
    assert (Part.LESIONS, MID) in parts
    segmenting.registering.forget()
    assert {lesion.fate for lesion in given.lesions(MID)} == {None}


def test_a_name_that_the_reviewer_has_given_away_is_not_taken_by_a_match(proposal, paint):
    from HNTargetSegLib.lesions.find import find_lesions

    node = next(lesion for lesion in proposal if lesion.name == "GTVn2")
    decided = replace(node, name="GTVn1", state=State.ACCEPTED)
    other = next(lesion for lesion in proposal if lesion.name == "GTVn1")
    lesions = proposal.with_lesions(decided, replace(other, name="GTVn7"))
    before = carry_lesions(find_lesions(paint(NODE)), lambda ids: ids)
    names = [lesion.name for lesion in matched_again(lesions, before)]
    assert len(set(names)) == len(names)
    assert next(x for x in matched_again(lesions, before) if x.id == node.id).name == "GTVn1"


def test_pre_rt_lesions_that_change_afterwards_are_carried_anew(segmenting, worker, given):
    segmenting.registering.start()
    finish(segmenting, worker, given)
    node = next(lesion for lesion in given.lesions(PRE) if lesion.name == "GTVn1")
    given.rename(PRE, node.id, "Node_IIa")
    segmenting.start([MID])
    assert "Node_IIa" in {lesion.name for lesion in worker.requests[1].visits[0].prior}
    assert segmenting.registering.prior.carried == fingerprint(decided_lesions(given.visits[Visit.PRE].lesions))


def test_a_registered_mask_from_elsewhere_takes_the_place_of_a_registration(segmenting, worker, given, paint):
    segmenting.registering.start()
    finish(segmenting, worker, given)
    segmenting.registering.use_mask(paint(NODE))
    assert segmenting.registering.given
    assert [lesion.name for lesion in segmenting.registering.carried] == ["GTVn1"]
    segmenting.start([MID])
    assert [lesion.name for lesion in worker.requests[1].visits[0].prior] == ["GTVn1"]


def test_a_mask_in_the_wrong_geometry_is_refused_and_all_stays(segmenting, given, paint):
    mask = paint(NODE)
    moved = replace(mask, geometry=replace(mask.geometry, origin=(0.0, 0.0, 0.0)))
    with pytest.raises(GeometryError):
        segmenting.registering.use_mask(moved)
    assert segmenting.registering.carried is None


def test_a_registration_outlives_the_session_on_disk_with_its_transform(segmenting, worker, given, case, tmp_path):
    segmenting.registering.start()
    finish(segmenting, worker, given)
    saved = save_review(given, tmp_path)
    other = ReviewSession()
    go_on(other, replace(case, pre_mask=None), saved)
    before, after = given.case.registration, other.case.registration
    assert after.registered.lesions.lesions == before.registered.lesions.lesions
    assert np.array_equal(after.registered.lesions.ids.array, before.registered.lesions.ids.array)
    assert (after.quality, after.engine, after.carried) == (before.quality, before.engine, before.carried)
    assert after.transform.TransformPoint((1.0, 2.0, 3.0)) == pytest.approx((1.0, 2.0, 3.0))


def test_the_manifest_of_mid_rt_tells_of_the_registration(segmenting, worker, given, proposal, run_record, tmp_path):
    import json

    given.take_proposal(MID, proposal, run_record)
    segmenting.registering.start()
    finish(segmenting, worker, given, POOR)
    segmenting.registering.confirm()
    given.accept(MID, *(lesion.id for lesion in given.lesions(MID) if not lesion.state.reviewed))
    folders = export_review(given, tmp_path / "out")
    told = json.loads((folders[MID] / "manifest.json").read_text(encoding="utf-8"))["registration"]
    assert (told["quality"], told["engine"], told["confirmed_by_reviewer"]) == ("poor", "descriptor", True)
    assert json.loads((folders[PRE] / "manifest.json").read_text(encoding="utf-8"))["registration"] is None
