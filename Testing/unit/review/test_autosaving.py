"""When a review is kept, and that nothing is lost whatever ends the program."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from Testing.unit.review import killed_review

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.review.autosave import (
    FLUSHED_FILE,
    STATE_FILE,
    go_on,
    save_review,
    saved_of,
    saved_reviews,
)
from HNTargetSegLib.review.autosaving import FLUSH_SECONDS, Autosave, tell_of_unended
from HNTargetSegLib.review.session import ReviewSession

MID = Visit.MID


class Clock:
    """Time that only a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "reviews"


@pytest.fixture
def autosave(home, clock, case, proposal, run_record):
    """Of a review with a run's four lesions."""
    session = ReviewSession("a reviewer")
    autosave = Autosave(session, home, clock)
    autosave.open(case)
    session.take_proposal(MID, proposal, run_record)
    autosave.session = session
    return autosave


def on_disk(case, home):
    """The review as another program would go on with it."""
    session = ReviewSession()
    go_on(session, case, saved_of(case, home))
    return session


def test_each_step_is_on_disk_when_it_is_done(autosave, case, home):
    session = autosave.session
    assert len(on_disk(case, home).lesions(MID)) == 4
    session.accept(MID, 1)
    assert on_disk(case, home).lesions(MID) == session.lesions(MID)
    session.rename(MID, 2, "Knoten")
    assert on_disk(case, home).lesions(MID) == session.lesions(MID)
    ids = session.require(MID).lesions.ids.array.copy()
    ids[9, 1:3, 1:3] = 3
    session.take_voxels(MID, ids)
    assert (on_disk(case, home).require(MID).lesions.ids.array == ids).all()
    session.undo()
    assert on_disk(case, home).lesions(MID) == session.lesions(MID)
    assert len(saved_reviews(home)) == 1


def test_a_patient_that_was_only_looked_at_is_not_kept(home, clock, case):
    session = ReviewSession()
    autosave = Autosave(session, home, clock)
    autosave.open(case)
    session.activate(Visit.PRE)
    clock.now += 2 * FLUSH_SECONDS
    autosave.tick()
    autosave.leave()
    assert saved_reviews(home) == ()


def test_what_is_no_step_is_saved_within_a_minute(autosave, case, home, clock):
    autosave.session.set_shown(MID, [2], False)
    clock.now += FLUSH_SECONDS - 1
    autosave.tick()
    assert on_disk(case, home).require(MID).hidden == frozenset()
    clock.now += 1
    autosave.tick()
    assert on_disk(case, home).require(MID).hidden == {2}


def test_the_disk_itself_has_a_run_at_once_and_a_verdict_within_a_minute(autosave, home, clock):
    (saved,) = saved_reviews(home)
    files = [saved.folder / name for name in (STATE_FILE, FLUSHED_FILE)]
    assert files[0].read_bytes() == files[1].read_bytes()
    autosave.session.reject(MID, 1)
    assert files[0].read_bytes() != files[1].read_bytes()
    clock.now += FLUSH_SECONDS
    autosave.tick()
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_minute_in_which_nothing_was_done_writes_nothing(autosave, home, clock):
    (saved,) = saved_reviews(home)
    before = (saved.folder / STATE_FILE).stat().st_mtime_ns
    clock.now += 10 * FLUSH_SECONDS
    autosave.tick()
    assert (saved.folder / STATE_FILE).stat().st_mtime_ns == before


def test_begun_anew_the_review_of_before_stays(autosave, case, home):
    autosave.session.accept(MID, 1)
    before = saved_of(case, home)
    autosave.open(case)
    autosave.session.take_proposal(MID, *_run(before, case))
    assert len(saved_reviews(home)) == 2
    assert saved_of(case, home).folder != before.folder


def _run(saved, case):
    session = ReviewSession()
    go_on(session, case, saved)
    review = session.require(MID)
    return review.lesions, review.run


def test_gone_on_with_it_is_kept_where_it_was(autosave, case, home, clock):
    session = ReviewSession()
    other = Autosave(session, home, clock)
    autosave.leave()
    saved = saved_of(case, home)
    other.open(case, saved)
    session.reject(MID, 2)
    assert [found.folder for found in saved_reviews(home)] == [saved.folder]
    assert on_disk(case, home).lesions(MID) == session.lesions(MID)


def test_lesions_that_were_removed_from_the_scene_stay_on_disk_with_what_was_said(autosave, case, home):
    session = autosave.session
    session.reject(MID, 3)
    before = session.lesions(MID)
    session.put_back(MID, session.require(MID).without_lesions())
    assert on_disk(case, home).lesions(MID) == before


def test_a_scene_that_is_closed_leaves_the_review_on_disk_and_says_so(autosave, case, home):
    autosave.session.accept(MID, 1)
    before = autosave.session.lesions(MID)
    autosave.session.close()
    assert "was closed; it is kept on this computer" in autosave.session.said[-1].text
    assert on_disk(case, home).lesions(MID) == before
    assert tell_of_unended(ReviewSession(), home) is None


def test_a_visit_that_is_dropped_stays_on_disk(autosave, case, home):
    before = autosave.session.lesions(MID)
    autosave.session.accept(MID, 1)
    autosave.session.drop(MID)
    assert on_disk(case, home).lesions(MID)[1:] == before[1:]


def test_a_disk_that_is_full_is_told_of_once_and_written_when_there_is_room(autosave, case, home, clock, monkeypatch):
    session = autosave.session
    full = pytest.MonkeyPatch()
    full.setattr("os.replace", _no_space)
    session.accept(MID, 1)
    session.accept(MID, 2)
    assert [message.text for message in session.said if "cannot be saved" in message.text] == [session.said[-1].text]
    full.undo()
    clock.now += FLUSH_SECONDS
    autosave.tick()
    assert on_disk(case, home).lesions(MID) == session.lesions(MID)


def _no_space(*_):
    raise OSError(28, "No space left on device")


def test_a_review_that_cannot_be_kept_is_closed_at_the_second_try_only(autosave, monkeypatch):
    monkeypatch.setattr("os.replace", _no_space)
    autosave.session.accept(MID, 1)
    with pytest.raises(OutputError):
        autosave.leave()
    autosave.leave()


def test_a_review_whose_program_was_not_ended_is_told_of_at_the_next_start(autosave, home):
    session = ReviewSession()
    assert tell_of_unended(session, home).patient == "7"
    assert "was not closed" in session.said[0].text
    autosave.leave()
    assert tell_of_unended(session, home) is None


def _kill(home: Path, moments: int, seed: int) -> list[int]:
    """Review and kill as often as asked; returns how many steps were done each time."""
    rng, done = random.Random(seed), []
    expected = [""]
    session = ReviewSession("a reviewer")
    session.open(killed_review.case())
    program = subprocess.Popen(
        [sys.executable, killed_review.__file__, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    with program:
        for moment in range(moments):
            shutil.rmtree(home, ignore_errors=True)
            log = home.parent / f"log-{moment}"
            program.stdin.write(f"{log}\n")
            child = int(program.stdout.readline())
            if moment % 5:
                _wait_for(log)
            time.sleep(rng.uniform(0, 0.4))
            os.kill(child, signal.SIGKILL)
            assert program.stdout.readline() == "over\n"
            steps = len(log.read_text("ascii").split("\n")) - 1 if log.exists() else 0
            while len(expected) < steps + 2:
                killed_review.step(session, len(expected) - 1)
                expected.append(killed_review.fingerprint(session))
            assert _fingerprint_on_disk(home) in expected[steps : steps + 2], f"after {steps} steps"
            done.append(steps)
        program.stdin.close()
    return done


def _wait_for(log: Path) -> None:
    """Wait until a step was done."""
    end = time.monotonic() + 30
    while not (log.exists() and log.stat().st_size) and time.monotonic() < end:
        time.sleep(0.005)


def _fingerprint_on_disk(home: Path) -> str:
    case = killed_review.case()
    saved = saved_of(case, home)
    if saved is None:
        return ""
    session = ReviewSession()
    go_on(session, case, saved)
    return killed_review.fingerprint(session)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the review is killed in a process that was forked")
def test_nothing_that_was_done_is_lost_at_ten_moments(tmp_path):
    done = _kill(tmp_path / "reviews", 10, seed=1)
    assert sum(steps > 0 for steps in done) >= 8


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the review is killed in a process that was forked")
def test_nothing_that_was_done_is_lost_at_a_hundred_moments(tmp_path):
    done = _kill(tmp_path / "reviews", 100, seed=2)
    assert sum(steps > 0 for steps in done) >= 80


def test_saving_a_review_that_is_on_disk_already_writes_nothing(autosave):
    autosave.save()
    assert autosave.save() is None


def test_a_review_that_was_saved_by_hand_is_another(autosave, home):
    save_review(autosave.session, home)
    assert len(saved_reviews(home)) == 2
