"""`hntargetseg demo --no-serve`: the whole job on a generated patient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.files import sha256
from HNTargetSegLib.models.store import ModelStore

RESULT = ["lesions.csv", "lesions.nii.gz", "manifest.json", "overlay.png", "segmentation.nii.gz"]


def test_a_patient_is_generated_and_both_visits_are_segmented(hntargetseg: Any, tmp_path: Path) -> None:
    output = tmp_path / "demo"
    outcome = hntargetseg(
        *("demo", "--no-serve", "--output", output, "--seed", "7", "--style", "b"),
        *("--model", "blobs", "--device", "cpu", "--backend", "torch"),
    )
    assert (outcome.status, outcome.err) == (0, "")
    assert sorted(path.name for path in output.iterdir()) == ["midRT", "overlay.png", "patient", "preRT"]
    (patient,) = discover(output / "patient")
    truth = json.loads((output / "patient" / "1" / "1_truth.json").read_text())
    assert (truth["seed"], truth["style"]) == (7, "b")
    for visit, path in (("preRT", patient.pre), ("midRT", patient.mid)):
        assert sorted(file.name for file in (output / visit).iterdir()) == RESULT
        assert read_mask(output / visit / "segmentation.nii.gz").geometry.matches(read_volume(path).geometry, 1e-4)
        assert str(output / visit) in outcome.out
        (used,) = json.loads((output / visit / "manifest.json").read_text())["inputs"]
        assert (used["role"], used["sha256"]) == (f"{visit}_T2", sha256(path))
    assert f"Picture: {output / 'overlay.png'}" in outcome.out
    assert "mean nothing clinically" in outcome.out


def test_a_missing_model_is_said_before_a_patient_is_generated(hntargetseg: Any, refuses: Any, tmp_path: Path) -> None:
    outcome = hntargetseg("demo", "--no-serve", "--output", tmp_path / "demo", "--model", "none such")
    assert (outcome.status, outcome.out) == (2, "")
    assert "There is no model 'none such'" in outcome.err
    assert not (tmp_path / "demo").exists()


def test_the_shipped_model_finds_a_true_lesion_of_the_generated_patient(hntargetseg: Any, tmp_path: Path) -> None:
    store = ModelStore.default_store()
    assert store.is_shipped(store.default()), "no default model is shipped"
    output = tmp_path / "demo"
    outcome = hntargetseg("demo", "--no-serve", "--output", output, "--device", "cpu", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    assert set(outcome.json) == {"pre", "mid"}
    (patient,) = discover(output / "patient")
    found = 0
    for visit, mask in (("preRT", patient.pre_mask), ("midRT", patient.mid_mask)):
        truth, result = read_mask(mask).array, read_mask(output / visit / "segmentation.nii.gz").array
        found += sum(bool(np.any((truth == label) & (result == label))) for label in (1, 2))
    assert found >= 1
