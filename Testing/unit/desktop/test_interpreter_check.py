"""Asking a Python what it has, in a thread."""

from __future__ import annotations

import time

import pytest

from HNTargetSegLib.desktop.interpreter_check import InterpreterCheck
from HNTargetSegLib.errors import TargetSegError


@pytest.mark.parametrize("path", ["no/such/python", "~nobody-of-that-name/bin/python"])
def test_check_answers_whatever_goes_wrong(path: str) -> None:
    check = InterpreterCheck(path)
    limit = time.monotonic() + 20
    while check.result is None and time.monotonic() < limit:
        time.sleep(0.01)
    assert isinstance(check.result, TargetSegError)
