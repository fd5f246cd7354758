"""Boxes on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.segment_boxes import joined_boxes

Make = Callable[..., Volume]
DARK = "-31,-31,29,-9,-9,51"
BRIGHT = "19,-31,29,41,-9,51"


@pytest.fixture
def t2(tmp_path: Path, head_with_blobs: Make) -> Path:
    path = tmp_path / "T2.nii.gz"
    write_volume(head_with_blobs(), path)
    return path


def manifest(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((folder / "manifest.json").read_text())
    return content


def test_boxes_come_after_the_automatic_result_in_their_order(
    segment: Callable[..., object], t2: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = segment("--mid", t2, "--box", f"{DARK}:nothing", "--box", f"{BRIGHT}:LN", "--output", out)
    assert done.status == 0
    labels = read_mask(out / "segmentation.nii.gz")
    assert set(np.unique(labels.array)) == {0, 2}
    assert np.allclose(labels.geometry.to_lps(np.argwhere(labels.array)).mean(axis=0), (30, -20, 40), atol=1.5)
    prompts = manifest(out)["prompts"]
    assert [prompt["kind"] for prompt in prompts] == ["nothing", "LN"]
    assert prompts[0]["low_lps"] == [-31, -31, 29]
    assert prompts[1]["lesion_ids"] == [3]
    assert "Box 1 (nothing): no lesion" in done.out
    assert "Box 2 (LN): GTVn1" in done.out


def test_only_boxes_leaves_the_automatic_pass_out(segment: Callable[..., object], t2: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = segment("--mid", t2, "--box", f"{DARK}:PT", "--only-boxes", "--json", "--output", out)
    (lesion,) = done.json["mid"]["lesions"]
    assert (lesion["name"], lesion["origin"]) == ("GTVp", "prompt")
    (prompt,) = done.json["mid"]["prompts"]
    assert prompt["touches_reach"] is False
    assert set(np.unique(read_mask(out / "segmentation.nii.gz").array)) == {0, 1}


def test_a_larger_box_than_the_image_is_cut_and_may_grow(
    segment: Callable[..., object], t2: Path, tmp_path: Path
) -> None:
    done = segment("--mid", t2, "--box", "900,900,900,-900,-900,-900:again", "--grow", "--output", tmp_path / "out")
    assert "The box was cut to the image" in done.out
    (prompt,) = manifest(tmp_path / "out")["prompts"]
    assert prompt["grow"] is True
    assert prompt["low_lps"] == [-900, -900, -900]


def test_without_boxes_the_manifest_has_none(segment: Callable[..., object], t2: Path, tmp_path: Path) -> None:
    assert segment("--mid", t2, "--output", tmp_path / "out").status == 0
    assert manifest(tmp_path / "out")["prompts"] == []


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--box", "1,2,3:LN"], r"'1,2,3:LN' is no box\. Write two corners"),
        (["--box", "-900,0,0,-890,10,10:LN"], r"lies outside the volume .*\. Give corners in LPS"),
        (["--box", "1,2,3,1,2,3:LN"], r"is a point\. Give two corners"),
        (["--only-boxes"], r"--only-boxes was given without a box\. Give boxes"),
        (["--grow"], r"--grow was given without a box\. Give boxes"),
    ],
)
def test_what_is_no_use_is_refused_and_nothing_is_written(
    segment: Callable[..., object],
    refuses: Callable[..., None],
    t2: Path,
    tmp_path: Path,
    arguments: list[str],
    what: str,
) -> None:
    refuses(segment("--mid", t2, "--output", tmp_path / "out", *arguments), "", what)
    assert not (tmp_path / "out").exists()


def test_a_box_that_begins_with_a_minus_sign_is_joined_to_its_option() -> None:
    assert joined_boxes(["segment", "--box", "-1,2,3,4,5,6:LN", "--grow"]) == [
        "segment",
        "--box=-1,2,3,4,5,6:LN",
        "--grow",
    ]
    assert joined_boxes(["--box", "--grow"]) == ["--box", "--grow"]
    assert joined_boxes(["--step", "-1,2:LN"]) == ["--step", "-1,2:LN"]
