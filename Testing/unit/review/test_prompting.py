"""Boxes of a review: asked in their order, listed, moved, repeated, taken back, stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from Testing.unit.review.conftest import GEOMETRY

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, ErrorCode
from HNTargetSegLib.lesions.lesion import Origin, State
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.prompts.answer import Answer, found_in
from HNTargetSegLib.prompts.extent import extent_of
from HNTargetSegLib.prompts.prompt import Kind, Prompt
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.review.exporting import export_review
from HNTargetSegLib.review.prompting import Prompting, predict_of
from HNTargetSegLib.review.segmenting import Segmenting
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import restore_review, review_to_json
from HNTargetSegLib.worker.messages import ErrorEvent, ResultEvent, VisitOutcome
from HNTargetSegLib.worker.prompt_messages import PromptOutcome

PRE, MID = Visit.PRE, Visit.MID
Slices = tuple[slice, slice, slice]
# Where no lesion of the proposal lies.
HERE = (slice(4, 7), slice(6, 10), slice(22, 27))
THERE = (slice(4, 7), slice(10, 14), slice(30, 36))


class BoxWorker:
    """Answers boxes from a picture of where the network would see targets."""

    def __init__(self, run_record, *seen: Slices):
        self.seen, self.model = list(seen), run_record.model
        self.requests, self.cancelled, self.events = [], [], []

    def prompt(self, request):
        self.requests.append(request)
        return f"job-{len(self.requests)}"

    segment = register = prompt

    def poll(self):
        events, self.events = self.events, []
        return events

    def cancel(self, job):
        self.cancelled.append(job)

    def close(self):
        pass

    def result(self, number=-1):
        """The result of a request, by default of the last."""
        request = self.requests[number]
        extent = extent_of(request.prompt, GEOMETRY)
        targets = np.zeros((2, *GEOMETRY.shape), np.float32)
        for place in self.seen:
            targets[(1, *place)] = 0.9
        labels, both = found_in(request.prompt, extent, targets[(slice(None), *extent.reach)], 0.5)
        notes = () if labels.any() or request.prompt.kind is Kind.NOTHING else ("Nothing was found in the box",)
        answer = Answer(request.prompt, extent, labels, both.astype(np.float16), notes=notes, seconds={"prompt": 0.5})
        job = f"job-{number + 1 if number >= 0 else len(self.requests)}"
        outcome = PromptOutcome(request.visit, answer, "cpu", PredictOptions(), self.model)
        return ResultEvent(job, "prompt", prompt=outcome)


@pytest.fixture
def worker(run_record):
    return BoxWorker(run_record, HERE, THERE)


@pytest.fixture
def prompting(session, worker):
    return Prompting(session, worker)


@pytest.fixture
def answered(prompting: Prompting, worker: BoxWorker) -> Callable[..., None]:
    """Ask for a box and take its answer."""

    def ask(slices: Slices, kind: Kind = Kind.LN) -> None:
        prompting.ask_slices(MID, kind, slices)
        prompting.take(worker.result())

    return ask


def ids_at(session: ReviewSession, place: Slices) -> set[int]:
    return set(np.unique(session.visits[MID].lesions.ids.array[place]).tolist())


def test_a_box_adds_a_lesion_that_is_to_be_decided_about(session, answered, prompting):
    before = session.visits[MID]
    answered(HERE)
    lesion = session.visits[MID].require_lesion(5)
    assert (lesion.name, lesion.state, lesion.origin, lesion.voxels) == ("GTVn4", State.PROPOSED, Origin.PROMPT, 60)
    assert session.visits[MID].records[:4] == before.records
    assert [(record.drawn, record.model.name) for record in prompting.prompts(MID)] == [((5,), "tiny")]
    assert session.visits[MID].unreviewed[-1] is lesion


def test_the_box_is_told_as_one_step_with_the_lesions_concerned(session, answered):
    told: list[Change] = []
    session.changed.connect(told.append)
    session.select(MID, 2)
    answered(HERE)
    (voxels,) = [change for change in told if change.part is Part.VOXELS]
    assert (voxels.visit, voxels.ids, voxels.step) == (MID, (5,), True)
    assert session.selected == (MID, 2), "what was selected stays so"
    assert session.next_undo == ""


def test_verdicts_on_other_lesions_and_their_undo_outlive_a_box(session, answered):
    session.accept(MID, 2)
    answered(HERE)
    assert session.visits[MID].require_lesion(2).state is State.ACCEPTED
    session.undo()
    assert session.visits[MID].require_lesion(2).state is State.PROPOSED


def test_the_request_has_model_and_options_of_the_run(session, prompting, worker, run_record):
    prompting.ask_slices(MID, Kind.PT, HERE)
    (request,) = worker.requests
    assert (request.visit, request.model, request.image) == ("mid", "tiny", session.visits[MID].image.image)
    assert request.predict == PredictOptions(folds=("0",), mirror=False)
    assert predict_of(replace(run_record, parameters={"folds": None, "minimum_cc": 0.1})) == PredictOptions()


def test_boxes_are_answered_one_after_the_other(prompting, worker, session):
    for place in (HERE, THERE):
        prompting.ask_slices(MID, Kind.LN, place)
    assert len(worker.requests) == 1
    assert len(prompting.state.waiting) == 1
    prompting.take(worker.result())
    assert len(worker.requests) == 2
    prompting.take(worker.result())
    assert not prompting.state.running
    assert [record.drawn for record in prompting.prompts(MID)] == [(5,), (6,)]


def test_a_box_of_a_visit_without_lesions_begins_them(prompting, worker, session):
    prompting.ask_slices(PRE, Kind.PT, HERE)
    prompting.take(worker.result())
    assert [lesion.name for lesion in session.lesions(PRE)] == ["GTVp"]


def test_a_box_in_which_nothing_is_found_is_listed_and_said(session, answered, prompting):
    before = session.visits[MID].lesions
    answered((slice(9, 11), slice(1, 4), slice(1, 4)))
    assert session.visits[MID].lesions is before
    assert prompting.prompts(MID)[0].drawn == ()
    assert session.said[-1].text == "mid-RT: Nothing was found in the box."


def test_taking_a_box_back_leaves_what_came_later(session, answered, prompting):
    before = session.visits[MID].records
    answered(HERE)
    answered(THERE)
    session.reject(MID, 2)
    prompting.remove(MID, 0)
    assert [lesion.id for lesion in session.lesions(MID)] == [1, 2, 3, 4, 6]
    assert ids_at(session, HERE) == {0}
    assert session.visits[MID].require_lesion(2).state is State.REJECTED
    prompting.remove(MID, 0)
    session.reset(MID, 2)
    assert session.visits[MID].records == before
    assert prompting.prompts(MID) == ()


def test_taking_a_box_back_brings_the_lesion_that_it_has_replaced(session, worker, answered, prompting):
    node = (slice(2, 8), slice(16, 24), slice(4, 12))
    before, was = session.visits[MID].records, session.visits[MID].lesions.ids.array
    worker.seen = [(slice(2, 9), slice(16, 25), slice(4, 12))]
    answered(node, Kind.PT)
    assert {lesion.name for lesion in session.lesions(MID)} == {"GTVp", "GTVp1", "GTVn2", "GTVn3"}
    prompting.remove(MID, 0)
    assert np.array_equal(session.visits[MID].lesions.ids.array, was)
    assert session.visits[MID].records == before
    assert not session.visits[MID].touched


def test_a_box_whose_lesion_was_accepted_is_not_taken_back(session, answered, prompting):
    answered(HERE)
    session.accept(MID, 5)
    with pytest.raises(BadInputError, match=r"GTVn4 came of this box and was accepted.*Take that verdict back"):
        prompting.remove(MID, 0)
    assert ids_at(session, HERE) == {5}


def test_a_voxel_that_was_drawn_by_hand_since_stays_when_the_box_goes(session, answered, prompting):
    answered(HERE)
    ids = session.visits[MID].lesions.ids.array.copy()
    ids[HERE[0], HERE[1], 22] = 2
    session.take_voxels(MID, ids)
    session.reset(MID, 5)
    prompting.remove(MID, 0)
    assert ids_at(session, (HERE[0], HERE[1], slice(22, 23))) == {2}
    assert ids_at(session, (HERE[0], HERE[1], slice(23, 27))) == {0}


def test_a_moved_box_takes_its_place_in_the_list_and_its_lesion_along(session, answered, prompting, worker):
    answered(HERE)
    answered((slice(9, 11), slice(1, 4), slice(1, 4)))
    prompting.move(MID, 0, Prompt.of_slices(Kind.LN, THERE, GEOMETRY))
    told: list[Change] = []
    session.changed.connect(told.append)
    prompting.take(worker.result())
    assert ids_at(session, HERE) == {0}
    assert [record.drawn for record in prompting.prompts(MID)] == [(6,), ()]
    assert ids_at(session, THERE) == {6}
    assert [change.ids for change in told if change.part is Part.VOXELS] == [(5, 6)], "one step"


def test_a_box_is_repeated_and_may_grow_then(session, answered, prompting, worker):
    answered(HERE)
    prompting.repeat(MID, 0, grow=True)
    assert worker.requests[-1].prompt == replace(worker.requests[0].prompt, grow=True)
    prompting.take(worker.result())
    assert len(prompting.prompts(MID)) == 1
    assert session.visits[MID].records[-1].voxels == 60


@pytest.mark.parametrize("number", [-1, 1])
def test_a_box_that_is_not_there_is_named(prompting, answered, number):
    answered(HERE)
    for action in (prompting.remove, prompting.repeat):
        with pytest.raises(BadInputError, match=rf"no box {number + 1}\. There are 1"):
            action(MID, number)


def test_a_box_outside_the_image_is_refused_before_it_is_sent(prompting, worker):
    with pytest.raises(BadInputError, match="outside the volume"):
        prompting.ask(MID, Prompt(Kind.LN, (500, 0, 0), (510, 10, 10)))
    assert worker.requests == []


def test_more_than_fifty_waiting_boxes_are_refused(prompting):
    for _ in range(51):
        prompting.ask_slices(MID, Kind.LN, HERE)
    with pytest.raises(BadInputError, match="50 boxes are waiting"):
        prompting.ask_slices(MID, Kind.LN, HERE)


def test_cancelling_stops_the_box_and_forgets_those_that_wait(prompting, worker, session):
    for place in (HERE, THERE):
        prompting.ask_slices(MID, Kind.LN, place)
    prompting.cancel()
    assert worker.cancelled == ["job-1"]
    prompting.take(ErrorEvent("job-1", ErrorCode.CANCELLED, "Cancelled by the user"))
    assert not prompting.state.running
    assert len(worker.requests) == 1
    assert session.said[-1].text == "The box was not looked at: cancelled."


def test_an_error_is_told_and_the_next_box_is_asked(prompting, worker, session):
    for place in (HERE, THERE):
        prompting.ask_slices(MID, Kind.LN, place)
    prompting.take(ErrorEvent("job-1", ErrorCode.OUT_OF_MEMORY, "Too little memory", "Close something"))
    assert session.said[-1].remedy == "Close something."
    assert len(worker.requests) == 2


def test_closing_the_case_ends_the_box(prompting, worker, session):
    prompting.ask_slices(MID, Kind.LN, HERE)
    session.close()
    assert worker.cancelled == ["job-1"]
    assert not prompting.state.running


def test_a_box_during_a_run_comes_after_its_result(session, worker, proposal, run_record):
    segmenting = Segmenting(session, worker)
    segmenting.start([MID])
    segmenting.prompting.ask_slices(MID, Kind.LN, HERE)
    assert len(worker.requests) == 1
    outcome = VisitOutcome("mid", proposal, (), {}, (), "cpu", PredictOptions(), run_record.model)
    worker.events = [ResultEvent("job-1", "segment", (outcome,))]
    assert segmenting.poll(), "a box is being looked at"
    assert len(worker.requests) == 2
    worker.events = [worker.result()]
    assert not segmenting.poll()
    assert ids_at(session, HERE) == {5}


def test_after_another_run_the_boxes_are_asked_again_but_those_of_finished_lesions(
    session, worker, proposal, run_record
):
    segmenting = Segmenting(session, worker)
    for place in (HERE, THERE):
        segmenting.prompting.ask_slices(MID, Kind.LN, place)
        worker.events = [worker.result()]
        segmenting.poll()
    session.accept(MID, 5)
    segmenting.start([MID])
    outcome = VisitOutcome("mid", proposal, (), {}, (), "cpu", PredictOptions(), run_record.model)
    worker.events = [ResultEvent("job-3", "segment", (outcome,))]
    segmenting.poll()
    assert [lesion.state for lesion in session.lesions(MID) if lesion.origin is Origin.PROMPT] == [State.ACCEPTED]
    assert worker.requests[-1].prompt == worker.requests[1].prompt
    worker.events = [worker.result()]
    segmenting.poll()
    prompted = [lesion for lesion in session.lesions(MID) if lesion.origin is Origin.PROMPT]
    assert [lesion.state for lesion in prompted] == [State.ACCEPTED, State.PROPOSED]
    assert [len(record.drawn) for record in segmenting.prompting.prompts(MID)] == [1, 1]


def test_boxes_are_stored_with_the_review_and_can_be_taken_back_after_it(session, answered, prompting, worker):
    before = session.visits[MID].records
    answered(HERE)
    text = review_to_json(session)
    images = {visit: review.image.image for visit, review in session.visits.items()}
    again = ReviewSession()
    restore_review(again, text, images, {MID: session.visits[MID].lesions.ids})
    (stored,), (record,) = again.visits[MID].prompts, prompting.prompts(MID)
    assert (stored.prompt, stored.drawn, stored.made, stored.region) == (
        record.prompt,
        record.drawn,
        record.made,
        record.region,
    )
    assert review_to_json(again) == text
    Prompting(again, worker).remove(MID, 0)
    assert again.visits[MID].records == before


def test_boxes_stand_in_the_manifest(session, answered, tmp_path):
    import json

    answered(HERE)
    session.accept(MID, *(lesion.id for lesion in session.lesions(MID)))
    export_review(session, tmp_path / "out")
    (prompt,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["prompts"]
    assert prompt["kind"] == "LN"
    assert len(prompt["low_lps"]) == 3
    assert prompt["lesion_ids"] == [5]
    assert prompt["model"] == "tiny"
