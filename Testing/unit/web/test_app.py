"""The app with Slicer's real scene and views, and no browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from Testing.conftest import REPOSITORY
from Testing.unit.web.conftest import image

from HNTargetSegLib.case.write import write_volume

pytestmark = pytest.mark.needs("egl")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What Testing/unit/web/app_probe.py saw."""
    home = tmp_path_factory.mktemp("app")
    for visit, seed in (("pre", 1), ("mid", 2)):
        write_volume(image(f"7_{visit}", seed), home / "7" / f"7_{visit}RT_T2.nii.gz")
    result = home / "seen.json"
    environment = {
        **os.environ,
        "HNTARGETSEG_SETTINGS": str(home / "settings"),
        "HNTARGETSEG_CACHE": str(home / "cache"),
    }
    command = [sys.executable, "-m", "Testing.unit.web.app_probe", str(home / "7"), str(result)]
    ended = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(result.read_text(encoding="utf-8"))


def test_each_key_has_an_action(seen):
    assert seen["missing actions"] == []


def test_a_pair_of_visits_is_shown_beside_each_other_along_the_patients_axes(seen):
    assert seen["tiles"] == ["pre-axial", "mid-axial"]
    assert seen["letters"] == ["R", "L", "A", "P"]


def test_the_wheel_moves_both_visits_and_stops_at_the_end(seen):
    assert seen["wheel moved"] == [2, 2]
    assert seen["stays inside"]
    assert seen["slider follows"]


def test_a_view_gives_a_picture_that_is_not_black(seen):
    assert seen["picture"][0] > 100


def test_only_the_views_of_the_layout_are_drawn(seen):
    assert seen["four"] == ["mid-axial", "3d", "mid-coronal", "mid-sagittal"]
    assert seen["rest"] == ["pre-axial", "pre-coronal", "pre-sagittal"]


def test_a_view_fills_the_screen_and_goes_back(seen):
    assert seen["enlarged"] == ["single", ["mid-coronal"]]
    assert seen["back"] == ["pre-coronal", "mid-coronal"]


def test_a_lesion_drawn_from_nothing_gets_a_name_and_is_selected(seen):
    assert seen["tool"] == ["paint", "LN"]
    assert seen["drawn"] == [[48], ["GTVn1"], 1]


def test_a_stroke_is_undone_and_done_again(seen):
    assert seen["drawn more"] == [96]
    assert seen["undone"][:2] == [[48], True]
    assert seen["redone"] == [96]


def test_escape_puts_the_tool_away(seen):
    assert seen["put away"] == ["", "SegmentationEffectNoTool"]


def test_closing_the_patient_leads_to_the_first_screen(seen):
    assert seen["after closing"] == ["start", [], ""]


def test_the_review_that_was_closed_is_gone_on_with(seen):
    assert seen["gone on with"] == [True, 1, False]


def test_nothing_went_wrong_on_the_way(seen):
    # What is said is about the coarse voxels of the small images.
    assert [text for text in seen["said"] if "voxels" not in text and "head and neck" not in text] == []
