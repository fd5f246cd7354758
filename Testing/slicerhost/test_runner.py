"""The runner gives each test file a process of its own and says which one failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from Testing.slicerhost import __main__ as runner


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    good, bad = tmp_path / "test_good.py", tmp_path / "test_bad.py"
    good.write_text("import os\n\ndef test_leaves_a_mark():\n    os.environ['MARK_OF_GOOD'] = 'set'\n")
    bad.write_text("import os\n\ndef test_sees_the_mark():\n    assert 'MARK_OF_GOOD' in os.environ\n")
    return str(good), str(bad)


def test_files_know_nothing_of_each_other(files: tuple[str, str], capfd: pytest.CaptureFixture[str]):
    assert runner.main([*files, "--noconftest"]) == 1
    assert "Failed: test_bad.py (status 1)" in capfd.readouterr().out


def test_success_is_zero(files: tuple[str, str], capfd: pytest.CaptureFixture[str]):
    assert runner.main([files[0], "--noconftest"]) == 0
    assert "All host tests passed." in capfd.readouterr().out


def test_all_files_of_the_folder_are_found():
    assert Path(__file__).resolve() in runner.test_files([])
