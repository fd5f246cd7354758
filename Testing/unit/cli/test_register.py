"""`hntargetseg register`: what it writes, and what it refuses to use."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.phantom import PhantomOptions, generate_patient
from HNTargetSegLib.prior.given import read_transform

_SMALL = PhantomOptions(size=(80, 100, 36), spacing=(2.5, 2.5, 4.5))


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """Folder with both visits of one patient and the pre-RT visit of another."""
    folder = tmp_path_factory.mktemp("visits")
    for number, person in enumerate(("patient", "stranger")):
        made = generate_patient(77, number, _SMALL)
        for name, visit in (("pre", made.pre), ("mid", made.mid)):
            write_volume(visit.image, folder / f"{person}_{name}.nii.gz")
            write_volume(visit.mask, folder / f"{person}_{name}_mask.nii.gz")
    return folder


def pair(visits, moving="patient_pre"):
    return ("--fixed", visits / "patient_mid.nii.gz", "--moving", visits / f"{moving}.nii.gz", "--device", "cpu")


def test_image_mask_transform_record_and_picture_are_written_on_the_fixed_grid(hntargetseg: Any, visits, tmp_path):
    outcome = hntargetseg(
        "register", *pair(visits), "--moving-mask", visits / "patient_pre_mask.nii.gz",
        "--fixed-mask", visits / "patient_mid_mask.nii.gz", "--json", "--output", tmp_path / "out",
    )  # fmt: skip
    assert outcome.status == 0, outcome
    fixed = read_volume(visits / "patient_mid.nii.gz")
    image, mask = (read_volume(tmp_path / "out" / f"{name}_registered.nii.gz") for name in ("T2", "mask"))
    assert image.geometry.matches(fixed.geometry)
    assert mask.geometry.matches(fixed.geometry)
    assert mask.array.dtype == np.uint8
    assert mask.array.any()
    read_transform(tmp_path / "out" / "transform.h5")
    assert (tmp_path / "out" / "checkerboard.png").read_bytes()[:4] == b"\x89PNG"
    record = json.loads((tmp_path / "out" / "registration.json").read_text())
    assert record["quality"] == "good"
    assert record["masks_after"]["GTVp"] > record["masks_before"]["GTVp"]
    assert {entry["role"] for entry in record["manifest"]["inputs"]} >= {"fixed_T2", "moving_T2", "moving_mask"}
    assert "SimpleITK" in record["manifest"]["versions"]
    assert outcome.json == {"folder": str(tmp_path / "out"), **record}


def test_another_patient_ends_with_status_2_and_leaves_only_findings(hntargetseg: Any, visits, tmp_path, tree):
    outcome = hntargetseg("register", *pair(visits, "stranger_pre"), "--output", tmp_path / "out")
    assert (outcome.status, outcome.out) == (2, "")
    assert "The registration is poor and is not used" in outcome.err
    assert "--accept-poor" in outcome.err
    assert outcome.err.count("\n") == 1
    assert [name for name in tree(tmp_path / "out") if "." in name] == [
        "poor/checkerboard.png",
        "poor/registration.json",
    ]
    assert json.loads((tmp_path / "out" / "poor" / "registration.json").read_text())["quality"] == "poor"


def test_a_poor_registration_is_used_when_the_user_says_so(hntargetseg: Any, visits, tmp_path):
    outcome = hntargetseg(
        "register", *pair(visits, "stranger_pre"), "--engine", "rigid", "--no-inverse", "--accept-poor",
        "--output", tmp_path / "out",
    )  # fmt: skip
    assert outcome.status == 0
    assert "Registration: poor (rigid" in outcome.out
    assert (tmp_path / "out" / "T2_registered.nii.gz").is_file()


def test_a_transform_from_elsewhere_takes_the_place_of_registering(hntargetseg: Any, visits, tmp_path):
    first = hntargetseg("register", *pair(visits), "--no-inverse", "--output", tmp_path / "first")
    assert first.status == 0, first
    again = hntargetseg(
        "register", *pair(visits), "--transform", tmp_path / "first" / "transform.h5", "--no-inverse", "--json",
        "--output", tmp_path / "again",
    )  # fmt: skip
    assert again.json["engine"] == "given"
    images = [read_volume(tmp_path / name / "T2_registered.nii.gz").array for name in ("first", "again")]
    assert np.abs(images[0] - images[1]).max() <= 1e-3 * np.abs(images[0]).max()


def test_a_mask_in_the_wrong_geometry_is_refused_before_registering(hntargetseg: Any, visits, tmp_path, refuses):
    mask = visits / "patient_mid_mask.nii.gz"
    outcome = hntargetseg("register", *pair(visits), "--moving-mask", mask, "--output", tmp_path / "out")
    refuses(outcome, mask, "The grid differs")
    assert not (tmp_path / "out").exists()


def test_an_engine_that_is_not_installed_ends_with_status_5(hntargetseg: Any, visits, tmp_path, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None if name == "itk" else found(name))
    outcome = hntargetseg("register", *pair(visits), "--engine", "hntsmrg", "--output", tmp_path / "out")
    assert outcome.status == 5
    assert "pip install itk-elastix" in outcome.err
