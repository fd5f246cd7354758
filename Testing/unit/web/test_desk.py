"""Errors on their way to the user."""

from __future__ import annotations

import asyncio

from Testing.unit.web.conftest import said

from HNTargetSegLib.errors import BadInputError, OutOfMemoryError
from HNTargetSegLib.web.desk import as_user_error, told


class Clumsy:
    def __init__(self, desk):
        self.desk = desk

    @told
    def fall(self, error):
        raise error

    @told
    async def fall_later(self, error):
        raise error


def test_an_error_of_ours_is_told_with_its_remedy(desk):
    Clumsy(desk).fall(BadInputError("It is crooked", remedy="Straighten it"))
    assert said(desk) == ["It is crooked. Straighten it."]


def test_an_error_in_a_task_is_told_as_well(desk):
    asyncio.run(Clumsy(desk).fall_later(BadInputError("It is crooked")))
    assert said(desk) == ["It is crooked."]


def test_an_unexpected_error_names_its_kind_and_shows_no_traceback(desk):
    Clumsy(desk).fall(ZeroDivisionError("division by zero"))
    (text,) = said(desk)
    assert text.startswith("An unexpected error of kind ZeroDivisionError: division by zero.")
    assert "Traceback" not in text


def test_too_little_memory_is_said_as_such():
    assert isinstance(as_user_error(MemoryError()), OutOfMemoryError)


def test_settings_that_cannot_be_read_are_said_and_the_defaults_taken(desk, tmp_path):
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "settings.json").write_text("no json")
    assert desk.settings().device == "auto"
    assert "The settings cannot be read" in said(desk)[0]


def test_waiting_says_what_for_and_gives_the_result_back(desk):
    seen = []

    def work(number):
        seen.append(desk.state.busy)
        return number + 1

    assert asyncio.run(desk.wait("Counting ...", work, 4)) == 5
    assert (seen, desk.state.busy) == (["Counting ..."], "")
