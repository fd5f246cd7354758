"""`hntargetseg doctor`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib import __version__


def test_the_report_in_json_has_versions_devices_models_memory_and_disk(hntargetseg: Any) -> None:
    outcome = hntargetseg("doctor", "--json")
    report = outcome.json
    assert (outcome.status, outcome.err, report["problems"]) == (0, "", [])
    assert report["version"] == __version__
    assert {package["name"] for package in report["packages"]} >= {"torch", "nnunetv2", "SimpleITK", "openvino"}
    assert "cpu" in [device["kind"] for device in report["devices"]]
    assert "blobs" in report["models"]
    assert report["free_memory_gb"] > 0
    assert report["free_disk_gb"] > 0


def test_the_report_for_people_says_that_nothing_is_missing(hntargetseg: Any) -> None:
    outcome = hntargetseg("doctor")
    assert outcome.status == 0
    assert outcome.out.startswith(f"HNTargetSeg {__version__} on Python ")
    assert "blobs" in outcome.out
    assert outcome.out.endswith("Nothing is missing.\n")


def test_a_model_that_cannot_be_used_is_a_note(
    hntargetseg: Any, blob_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shutil.copytree(blob_model, tmp_path / "store")
    shutil.copytree(store / "blobs", store / "broken")
    (store / "broken" / "plans.json").unlink()
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(store))
    outcome = hntargetseg("doctor", "--json")
    assert outcome.status == 0
    assert any(str(store / "broken") in note for note in outcome.json["notes"])


def test_no_model_and_no_pytorch_are_problems_with_a_way_out(process: Any, repository: Path, tmp_path: Path) -> None:
    # An installation without shipped models, on a machine where PyTorch cannot be imported.
    library = tmp_path / "site" / "HNTargetSegLib"
    shutil.copytree(
        repository / "HNTargetSeg" / "HNTargetSegLib",
        library,
        ignore=shutil.ignore_patterns("__pycache__", "Resources"),
    )
    (tmp_path / "site" / "torch").mkdir()
    (tmp_path / "site" / "torch" / "__init__.py").write_text("raise ImportError('no libcudart')")
    outcome = process(
        *("doctor", "--json"),
        env={
            "PYTHONPATH": str(tmp_path / "site"),
            "HNTARGETSEG_MODELS": str(tmp_path / "none"),
            "PATH": os.environ["PATH"],
        },
    )
    assert outcome.status == 5, outcome
    torch, model = outcome.json["problems"]
    assert "torch cannot be imported (no libcudart); install" in torch
    assert "hntargetseg models install" in model
    assert [device["kind"] for device in outcome.json["devices"]] == ["cpu"]
