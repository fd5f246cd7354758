"""Opening a patient: what speaks against the pair is asked first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.case import Concern, Question, ReviewCase


class Answer(str, Enum):
    """What a person says to the questions about a case."""

    CONTINUE = "continue"
    SWAP = "swap"
    CANCEL = "cancel"


Decide = Callable[[tuple[Question, ...]], Answer]


class UnansweredError(BadInputError):
    """A case raises questions that nobody has answered.

    Attributes
    ----------
    questions
        What must be confirmed.
    """

    def __init__(self, questions: tuple[Question, ...]) -> None:
        super().__init__(
            " ".join(question.text for question in questions).rstrip("."),
            remedy="Look at both images, then give answer='continue' or answer='swap'",
        )
        self.questions = questions


def settled(case: ReviewCase, decide: Decide) -> ReviewCase | None:
    """The case as the person wants it, or None where it shall not be opened.

    Once the visits are exchanged, what else speaks against the pair is asked again, but not the exchange. What was
    continued with all the same is a warning of the case from then on.

    Raises
    ------
    UnansweredError
        If the answer is an exchange, and something else was asked.
    """
    questions = case.questions()
    while questions:
        answer = decide(questions)
        if answer is Answer.CANCEL:
            return None
        if answer is Answer.CONTINUE:
            return replace(case, warnings=(*case.warnings, *(question.text for question in questions)))
        if all(question.concern is not Concern.SWAPPED for question in questions):
            raise UnansweredError(questions)
        case = case.swapped()
        questions = tuple(question for question in case.questions() if question.concern is not Concern.SWAPPED)
    return case


def answered(answer: str | None) -> Decide:
    """Decision of somebody who has given the answer in advance; None raises :class:`UnansweredError`."""

    def decide(questions: tuple[Question, ...]) -> Answer:
        if answer not in list(Answer):
            raise UnansweredError(questions)
        return Answer(answer)

    return decide
