"""What is asked before a patient is opened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.desktop.opening import Answer, UnansweredError, answered, settled
from HNTargetSegLib.review.case import Concern, Question, ReviewCase, VisitImage


def _case(pre: str, mid: str, *, same: bool = False) -> ReviewCase:
    geometry = Geometry((2, 3, 4), (1.0, 1.0, 1.0))
    arrays = [np.full(geometry.shape, value, np.float32) for value in (1, 1 if same else 2)]
    images = [VisitImage(Volume(array, geometry, name)) for array, name in zip(arrays, (pre, mid), strict=True)]
    return ReviewCase("1", {Visit.PRE: images[0], Visit.MID: images[1]})


def _never(questions: tuple[Question, ...]) -> Answer:
    raise AssertionError(questions)


def test_pair_without_doubt_is_opened_unasked() -> None:
    case = _case("1_preRT.nii", "1_midRT.nii")
    assert settled(case, _never) is case


def test_cancelled_case_is_not_opened() -> None:
    assert settled(_case("1_midRT.nii", "1_preRT.nii"), lambda questions: Answer.CANCEL) is None


def test_swapped_case_has_its_visits_exchanged() -> None:
    case = settled(_case("1_midRT.nii", "1_preRT.nii"), lambda questions: Answer.SWAP)
    assert case is not None
    assert case.visits[Visit.PRE].image.name == "1_preRT.nii"


def test_what_else_speaks_against_a_swapped_pair_is_asked_again() -> None:
    asked: list[list[Concern]] = []

    def decide(questions: tuple[Question, ...]) -> Answer:
        asked.append([question.concern for question in questions])
        return Answer.SWAP if len(asked) == 1 else Answer.CANCEL

    assert settled(_case("1_midRT.nii", "1_preRT.nii", same=True), decide) is None
    assert asked == [[Concern.SAME_IMAGE, Concern.SWAPPED], [Concern.SAME_IMAGE]]


def test_question_that_nobody_answers_is_an_error_that_says_how_to() -> None:
    with pytest.raises(UnansweredError, match="answer='swap'"):
        settled(_case("1_midRT.nii", "1_preRT.nii"), answered(None))


def test_answer_given_in_advance_settles_it() -> None:
    case = _case("1_midRT.nii", "1_preRT.nii")
    opened = settled(case, answered("continue"))
    assert opened is not None
    assert opened.visits == case.visits


def test_doubt_that_was_continued_with_stays_on_the_screen_as_a_warning() -> None:
    opened = settled(_case("1_preRT.nii", "1_midRT.nii", same=True), answered("continue"))
    assert opened is not None
    assert opened.warnings == ("Both visits show the same image.",)


@pytest.mark.parametrize("names", [("1_midRT.nii", "1_preRT.nii"), ("1_preRT.nii", "1_midRT.nii")])
def test_exchange_does_not_answer_what_else_is_asked(names: tuple[str, str]) -> None:
    with pytest.raises(UnansweredError, match="Both visits show the same image"):
        settled(_case(*names, same=True), answered("swap"))


def test_answer_that_there_is_not_is_an_error_that_says_which_there_are() -> None:
    with pytest.raises(UnansweredError, match="answer='swap'"):
        settled(_case("1_midRT.nii", "1_preRT.nii"), answered("yes"))


def test_swapped_case_keeps_its_warnings() -> None:
    case = replace(_case("1_midRT.nii", "1_preRT.nii"), warnings=("The voxels are unusually large.",))
    swapped = settled(case, answered("swap"))
    assert swapped is not None
    assert swapped.warnings == case.warnings
