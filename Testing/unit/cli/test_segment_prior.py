"""`hntargetseg segment` with a pre-RT delineation: registered, given, refused; what becomes of each lesion."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.prior.given import write_transform

Make = Callable[..., Volume]
SHIFT = (6.0, -4.0, 3.0)


@pytest.fixture
def pair(tmp_path: Path, head_with_blobs: Make) -> dict[str, Path]:
    """Two visits of one head that differ by a shift in space; the delineation is what the model finds, and one more."""
    mid = head_with_blobs()
    moved = replace(mid.geometry, origin=tuple(np.add(mid.geometry.origin, SHIFT).tolist()))
    paths = {name: tmp_path / f"{name}.nii.gz" for name in ("one_midRT_T2", "one_preRT_T2")}
    write_volume(mid, paths["one_midRT_T2"])
    write_volume(Volume(mid.array * 1.1, moved, "pre"), paths["one_preRT_T2"])
    return {"mid": paths["one_midRT_T2"], "pre": paths["one_preRT_T2"], "folder": tmp_path}


@pytest.fixture
def with_mask(pair: dict[str, Path], segment: Any) -> dict[str, Path]:
    """The pair with a pre-RT delineation: what is found there, and a node where nothing is found."""
    assert segment("--pre", pair["pre"], "--output", pair["folder"] / "found").status == 0
    found = read_mask(pair["folder"] / "found" / "segmentation.nii.gz")
    array = found.array.copy()
    empty = np.argwhere(array == 0)
    # Any free place in the middle slice of the body will do.
    k = array.shape[0] // 2
    free = next(
        tuple(p) for p in empty if p[0] == k and not array[k - 1 : k + 2, p[1] : p[1] + 6, p[2] : p[2] + 6].any()
    )
    array[k - 1 : k + 2, free[1] + 1 : free[1] + 5, free[2] + 1 : free[2] + 5] = 2
    mask = pair["folder"] / "pre_mask.nii.gz"
    write_volume(found.with_array(array), mask)
    shift = pair["folder"] / "shift.tfm"
    write_transform(sitk.TranslationTransform(3, SHIFT), shift)
    return {**pair, "mask": mask, "shift": shift}


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "lesions.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def arguments(paths: dict[str, Path], *more: Any) -> tuple[Any, ...]:
    return ("--mid", paths["mid"], "--pre", paths["pre"], "--pre-mask", paths["mask"], *more)


def test_each_lesion_is_told_what_became_of_it(with_mask: dict[str, Path], segment: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = segment(*arguments(with_mask, "--transform", with_mask["shift"], "--accept-registration", "--output", out))
    assert done.status == 0, done.err
    fates = {row["name"]: row["fate"] for row in rows(out)}
    found = {row["name"] for row in rows(with_mask["folder"] / "found")}
    assert list(fates.values()).count("vanished") == 1
    assert set(fates.values()) == {"kept", "vanished"}
    assert len(fates) == len(found) + 1
    assert sorted(path.name for path in out.iterdir()) == [
        *("lesions.csv", "lesions.nii.gz", "manifest.json", "overlay.png", "prior.nii.gz", "segmentation.nii.gz"),
        "transform.h5",
    ]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["registration"]["engine"] == "given"
    assert [record["role"] for record in manifest["inputs"]] == ["midRT_T2", "preRT_T2", "preRT_mask", "transform"]
    # The shift lies in the files' origins: on the mid-RT grid the delineation has the same voxels.
    assert np.array_equal(read_mask(out / "prior.nii.gz").array, read_mask(with_mask["mask"]).array)


def test_the_visits_are_registered_where_no_transform_is_given(
    with_mask: dict[str, Path], segment: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = segment(*arguments(with_mask, "--accept-registration", "--json", "--output", out))
    assert done.status == 0, done.err
    assert list(done.json) == ["mid"]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["registration"]["engine"] == "descriptor"
    transform = sitk.ReadTransform(str(out / "transform.h5"))
    mid = read_mask(out / "prior.nii.gz").geometry
    centre = mid.to_lps((np.array(mid.shape) - 1) / 2)
    assert np.linalg.norm(np.subtract(transform.TransformPoint(centre.tolist()), centre) - SHIFT) < 3.0


def test_a_flagged_registration_ends_with_status_2_and_writes_nothing(
    with_mask: dict[str, Path], segment: Any, tmp_path: Path
) -> None:
    far = tmp_path / "far.tfm"
    write_transform(sitk.TranslationTransform(3, (500.0, 0.0, 0.0)), far)
    out = tmp_path / "out"
    done = segment(*arguments(with_mask, "--transform", far, "--output", out))
    assert done.status == 2
    assert "is poor and is not used" in done.err
    assert "--accept-registration" in done.err
    assert not out.exists() or not any(out.iterdir())


def test_no_register_matches_nothing(with_mask: dict[str, Path], segment: Any, tmp_path: Path) -> None:
    assert segment(*arguments(with_mask, "--no-register", "--output", tmp_path / "out")).status == 0
    assert {row["fate"] for row in rows(tmp_path / "out")} == {""}


def test_a_registered_mask_is_taken_as_it_is(with_mask: dict[str, Path], segment: Any, tmp_path: Path) -> None:
    mask = read_mask(with_mask["mask"])
    grid = read_mask(with_mask["folder"] / "found" / "segmentation.nii.gz").geometry
    mid = replace(grid, origin=tuple(np.subtract(grid.origin, SHIFT).tolist()))
    registered = tmp_path / "registered.nii.gz"
    # The bright ball alone: the rest of this head looks like air beside it.
    write_volume(Volume((mask.array == 1).astype(np.uint8), mid, "registered"), registered)
    out = tmp_path / "out"
    done = segment("--mid", with_mask["mid"], "--registered-mask", registered, "--output", out)
    assert done.status == 0, done.err
    assert {row["name"]: row["fate"] for row in rows(out)} == {"GTVp": "kept", "GTVn1": "new"}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert [record["role"] for record in manifest["inputs"]] == ["midRT_T2", "registered_mask"]
    assert not (out / "transform.h5").exists()


def test_a_mask_in_the_wrong_geometry_names_both_grids(
    with_mask: dict[str, Path], segment: Any, tmp_path: Path
) -> None:
    mask = read_mask(with_mask["mask"])
    wrong = tmp_path / "wrong.nii.gz"
    write_volume(
        Volume(mask.array[:-2], replace(mask.geometry, size=(*mask.geometry.size[:2], mask.array.shape[0] - 2)), ""),
        wrong,
    )
    done = segment(*arguments({**with_mask, "mask": wrong}, "--output", tmp_path / "out"))
    assert done.status == 2
    assert "wrong.nii.gz" in done.err
    done = segment("--mid", with_mask["mid"], "--registered-mask", wrong, "--output", tmp_path / "out")
    assert done.status == 2


def test_one_image_given_for_both_visits_is_refused(with_mask: dict[str, Path], segment: Any, tmp_path: Path) -> None:
    done = segment(*arguments({**with_mask, "mid": with_mask["pre"]}, "--output", tmp_path / "out"))
    assert done.status == 2
    assert "the same image" in done.err


def test_swapped_visits_are_refused(with_mask: dict[str, Path], segment: Any, tmp_path: Path) -> None:
    swapped = {**with_mask, "mid": with_mask["pre"], "pre": with_mask["mid"]}
    mask = read_mask(with_mask["mask"])
    other = tmp_path / "mask_on_mid.nii.gz"
    grid = replace(mask.geometry, origin=tuple(np.subtract(mask.geometry.origin, SHIFT).tolist()))
    write_volume(Volume(mask.array, grid, ""), other)
    done = segment(*arguments({**swapped, "mask": other}, "--output", tmp_path / "out"))
    assert done.status == 2
    assert "The names say otherwise" in done.err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--pre-mask", "mask"), "needs the pre-RT image"),
        (("--transform", "shift"), "Give it with --pre and --pre-mask"),
        (("--registered-mask", "mask", "--transform", "shift"), "needs neither"),
    ],
)
def test_options_that_contradict_each_other_are_told_at_once(
    with_mask: dict[str, Path], segment: Any, tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    values = [with_mask.get(word, word) for word in more]
    done = segment("--mid", with_mask["mid"], *values, "--output", tmp_path / "out")
    assert done.status == 2
    assert told in done.err


def test_an_empty_delineation_is_told(with_mask: dict[str, Path], segment: Any, tmp_path: Path) -> None:
    mask = read_mask(with_mask["mask"])
    empty = tmp_path / "empty.nii.gz"
    write_volume(mask.with_array(np.zeros_like(mask.array)), empty)
    done = segment(*arguments({**with_mask, "mask": empty}, "--output", tmp_path / "out"))
    assert done.status == 2
    assert "is empty" in done.err
