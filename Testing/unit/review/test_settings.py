"""The user's settings file."""

from __future__ import annotations

import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.settings import RECENT_KEPT, Settings, load_settings, save_settings, settings_file


def test_settings_survive_a_round_trip(tmp_path):
    settings = Settings(reviewer="Ä. B.", model="mine", recent=("/a b", "/c"))
    save_settings(settings, tmp_path / "deep" / "settings.json")
    assert load_settings(tmp_path / "deep" / "settings.json") == settings


def test_no_file_means_the_defaults(tmp_path):
    assert load_settings(tmp_path / "none.json") == Settings()


def test_entries_of_a_later_version_are_left_out(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('{"reviewer": "x", "colour": 3}', encoding="utf-8")
    assert load_settings(path).reviewer == "x"


@pytest.mark.parametrize("text", ["{", "[]", '{"reviewer": 3}', '{"recent": "x"}', "\x00"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, text):
    path = tmp_path / "settings.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match="Delete the file") as raised:
        load_settings(path)
    assert raised.value.path == str(path)


def test_the_last_patient_stands_first_and_once(tmp_path):
    settings = Settings()
    for number in (*range(RECENT_KEPT + 5), 7):
        settings = settings.with_recent(tmp_path / str(number))
    assert len(settings.recent) == RECENT_KEPT
    assert settings.recent[0] == str(tmp_path / "7")
    assert len(set(settings.recent)) == RECENT_KEPT


def test_the_place_of_the_file_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("HNTARGETSEG_SETTINGS", str(tmp_path))
    assert settings_file() == tmp_path / "settings.json"
