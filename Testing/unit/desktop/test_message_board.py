"""Which messages stand on the screen."""

from __future__ import annotations

from HNTargetSegLib.desktop.message_board import PASSING_KEPT, MessageBoard
from HNTargetSegLib.review.change import Level, Message


def _board(*messages: Message) -> MessageBoard:
    board = MessageBoard()
    for message in messages:
        board = board.with_message(message)
    return board


def _notes(count: int) -> list[Message]:
    return [Message(Level.INFO, f"Note {number}.") for number in range(count)]


def test_error_stays_however_many_notes_follow() -> None:
    error = Message(Level.ERROR, "It broke.", "Mend it.")
    board = _board(error, *_notes(20))
    assert error in [message for _, message in board.entries]
    assert len(board.entries) == PASSING_KEPT + 1


def test_newest_message_stands_first() -> None:
    assert [message.text for _, message in _board(*_notes(3)).entries] == ["Note 2.", "Note 1.", "Note 0."]


def test_errors_stand_above_later_notes() -> None:
    texts = [message.text for _, message in _board(Message(Level.ERROR, "It broke."), *_notes(2)).entries]
    assert texts == ["It broke.", "Note 1.", "Note 0."]


def test_same_message_again_is_shown_once_as_the_newest() -> None:
    first, second = _notes(2)
    assert [message for _, message in _board(first, second, first).entries] == [first, second]


def test_one_message_is_dismissed_by_its_number() -> None:
    board = _board(Message(Level.ERROR, "One."), Message(Level.ERROR, "Two."))
    assert [message.text for _, message in board.without(0).entries] == ["Two."]
    assert board.cleared().entries == ()


def test_number_is_not_given_again_after_a_dismissal() -> None:
    board = _board(*_notes(2)).without(1).with_message(Message(Level.INFO, "Later."))
    assert [number for number, _ in board.entries] == [2, 0]


def test_html_escapes_what_a_file_name_may_hold_and_links_each_message() -> None:
    text = _board(Message(Level.ERROR, "<b>&.nii: damaged.", "Get it again.")).html("Dismiss")
    assert "&lt;b&gt;&amp;.nii" in text
    assert 'href="dismiss:0"' in text
    assert "Get it again." in text


def test_plain_text_has_a_line_a_message_with_its_remedy() -> None:
    board = _board(Message(Level.WARNING, "Odd."), Message(Level.ERROR, "Broken.", "Mend it."))
    assert board.plain() == "error: Broken. Mend it.\nwarning: Odd."
