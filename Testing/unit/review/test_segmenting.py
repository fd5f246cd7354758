"""Runs of a session, with a worker that says what the test has written down for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, ErrorCode
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.review.change import Level, Part
from HNTargetSegLib.review.segmenting import Segmenting
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.worker.messages import ErrorEvent, LogEvent, ProgressEvent, ResultEvent, VisitOutcome

PRE, MID = Visit.PRE, Visit.MID


class ScriptedWorker:
    """Takes requests down and hands out the events that a test has put in."""

    def __init__(self):
        self.requests, self.cancelled, self.events, self.closed = [], [], [], False

    def segment(self, request):
        self.requests.append(request)
        return f"job-{len(self.requests)}"

    def poll(self):
        events, self.events = self.events, []
        return events

    def cancel(self, job):
        self.cancelled.append(job)

    def close(self):
        self.closed = True


@pytest.fixture
def worker():
    return ScriptedWorker()


@pytest.fixture
def fresh(case):
    session = ReviewSession()
    session.open(case)
    return session


@pytest.fixture
def segmenting(fresh, worker):
    return Segmenting(fresh, worker)


def outcome(proposal, run_record, visit="mid", warnings=()):
    return VisitOutcome(visit, proposal, (), {"network": 1.0}, warnings, "cpu", PredictOptions(), run_record.model)


def test_a_run_goes_from_request_to_lesions(segmenting, worker, fresh, proposal, run_record):
    segmenting.start([MID], model="tiny", predict=PredictOptions(mode="fast"))
    assert worker.requests[0].model == "tiny"
    assert [visit.visit for visit in worker.requests[0].visits] == ["mid"]
    worker.events = [ProgressEvent("job-1", "mid", "network", 3, 12)]
    assert segmenting.poll()
    assert (segmenting.state.stage, segmenting.state.done, segmenting.state.total) == ("network", 3, 12)
    worker.events = [ResultEvent("job-1", "segment", (outcome(proposal, run_record, warnings=("Odd voxels.",)),))]
    assert not segmenting.poll()
    assert [lesion.name for lesion in fresh.lesions(MID)] == ["GTVp", "GTVn1", "GTVn2", "GTVn3"]
    assert fresh.require(MID).run.device == "cpu"
    assert [m.text for m in fresh.said] == ["mid-RT: Odd voxels.", "mid-RT: 4 lesions to review."]


def test_all_visits_are_segmented_by_default_pre_rt_first(segmenting, worker):
    segmenting.start()
    assert [visit.visit for visit in worker.requests[0].visits] == ["pre", "mid"]


def test_a_registered_delineation_goes_along_as_the_prior(case, worker, paint):
    prior = paint((1, slice(2, 4), slice(2, 6), slice(2, 6)))
    session = ReviewSession()
    session.open(replace(case, registered_mask=prior))
    Segmenting(session, worker).start()
    pre, mid = worker.requests[0].visits
    assert pre.prior is None
    assert np.array_equal(mid.prior.label_map().array, prior.array)


def test_the_prior_has_the_names_of_the_pre_rt_visit_and_no_other_lesion_takes_one(
    case, worker, paint, proposal, run_record
):
    # Pre-RT: two nodes, the smaller of which grows in registration; a third is lost in it.
    nodes = [(2, slice(2, 8), slice(16, 24), slice(4, 12)), (2, slice(2, 7), slice(16, 22), slice(18, 24))]
    lost = (2, slice(2, 5), slice(2, 6), slice(30, 34))
    grown = (2, slice(1, 11), slice(15, 25), slice(16, 26))
    session = ReviewSession()
    session.open(replace(case, pre_mask=paint(*nodes, lost), registered_mask=paint(nodes[0], grown)))
    segmenting = Segmenting(session, worker)
    segmenting.start([MID])
    prior = worker.requests[0].visits[0].prior
    assert {lesion.name: round(lesion.centroid[0]) for lesion in prior} == {"GTVn1": -48, "GTVn2": 4}
    worker.events = [ResultEvent("job-1", "segment", (outcome(proposal, run_record),))]
    segmenting.poll()
    assert "GTVn3" not in {lesion.name for lesion in session.lesions(MID)}


def test_visits_that_are_not_registered_are_said_to_be_unrelated(segmenting, worker, fresh, proposal, run_record):
    segmenting.start([PRE, MID])
    both = tuple(outcome(proposal, run_record, visit) for visit in ("pre", "mid"))
    worker.events = [ResultEvent("job-1", "segment", both)]
    segmenting.poll()
    assert fresh.said[0].text == "pre-RT: 4 lesions to review. mid-RT: 4 lesions to review."
    assert "not registered" in fresh.said[1].text


def test_the_share_that_is_done_only_grows(segmenting, worker):
    segmenting.start([PRE, MID])
    assert segmenting.state.fraction is None
    shares = []
    for visit in ("pre", "mid"):
        for stage, done in (("preprocess", 0), ("network", 0), ("network", 5), ("network", 10), ("labels", 0)):
            worker.events = [ProgressEvent("job-1", visit, stage, done, 10)]
            segmenting.poll()
            shares.append(segmenting.state.fraction)
    assert shares == sorted(shares)
    assert shares[0] >= 0.0
    assert shares[-1] <= 1.0


def test_a_second_run_waits_for_the_first(segmenting):
    segmenting.start([MID])
    with pytest.raises(BadInputError, match="running"):
        segmenting.start([PRE])


def test_cancel_is_asked_once_and_told_kindly(segmenting, worker, fresh):
    segmenting.start([MID])
    segmenting.cancel()
    segmenting.cancel()
    assert worker.cancelled == ["job-1"]
    assert segmenting.state.cancelling
    worker.events = [ErrorEvent("job-1", ErrorCode.CANCELLED, "Cancelled by the user")]
    assert not segmenting.poll()
    assert [(m.level, m.text) for m in fresh.said] == [(Level.INFO, "Cancelled by the user.")]


def test_an_error_reaches_the_user_with_its_remedy(segmenting, worker, fresh):
    segmenting.start([MID])
    worker.events = [ErrorEvent("job-1", ErrorCode.BAD_INPUT, "No such model", "Choose another", "/models/x")]
    segmenting.poll()
    (message,) = fresh.said
    assert (message.level, str(message)) == (Level.ERROR, "/models/x: No such model. Choose another.")


def test_what_the_worker_logs_is_said(segmenting, worker, fresh):
    worker.events = [LogEvent("warning", "Smaller tiles are used.")]
    segmenting.poll()
    assert fresh.said[0].level is Level.WARNING


def test_events_of_an_older_job_are_ignored(segmenting, worker, fresh, proposal, run_record):
    segmenting.start([MID])
    worker.events = [ResultEvent("job-0", "segment", (outcome(proposal, run_record),))]
    assert segmenting.poll()
    assert fresh.lesions(MID) == ()


def test_closing_the_case_in_mid_run_stops_the_run_and_its_result_goes_nowhere(
    segmenting, worker, fresh, proposal, run_record
):
    segmenting.start([MID])
    fresh.close()
    assert worker.cancelled == ["job-1"]
    worker.events = [ResultEvent("job-1", "segment", (outcome(proposal, run_record),))]
    assert not segmenting.poll()
    assert fresh.visits == {}


def test_no_patient_is_a_clear_error(worker):
    with pytest.raises(BadInputError, match="No patient"):
        Segmenting(ReviewSession(), worker).start()


def test_the_screen_is_told_of_each_step(segmenting, worker, fresh):
    parts = []
    fresh.changed.connect(lambda change: parts.append(change.part))
    segmenting.start([MID])
    worker.events = [ProgressEvent("job-1", "mid", "network", 1, 2)]
    segmenting.poll()
    assert parts == [Part.RUN, Part.RUN]


def test_closing_ends_the_worker_and_hears_no_more_of_the_session(segmenting, worker, fresh):
    segmenting.start([MID])
    segmenting.close()
    fresh.close()
    assert worker.closed
    assert worker.cancelled == []
