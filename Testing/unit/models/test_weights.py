"""Checkpoints come in without running anything, and go out as safetensors with every value kept."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.weights import check_fit, read_checkpoint, read_weights, write_weights

CHECKPOINT = Path("fold_0") / "checkpoint_final.pth"


class Attack:
    """Runs a command when unpickled by a reader that is not restricted."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch '{self.canary}'",))


def test_a_checkpoint_with_numpy_scalars_in_its_log_is_read(results: Callable[..., Path]) -> None:
    checkpoint = read_checkpoint(results() / CHECKPOINT)
    assert checkpoint.configuration == "3d_fullres"
    assert checkpoint.trainer == "nnUNetTrainer"
    assert checkpoint.mirror_axes == (0, 1, 2)
    assert "encoder.stages.0.0.convs.0.conv.weight" in checkpoint.weights


def test_what_nnunets_own_trainer_saves_is_read(
    results: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.setenv(variable, str(tmp_path))
    preprocessed = tmp_path / "Dataset777_Tiny" / "nnUNetPlans_3d_fullres"
    preprocessed.mkdir(parents=True)
    (preprocessed / "case.b2nd").write_bytes(b"")
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    folder = results()
    plans, dataset = (json.loads((folder / name).read_text()) for name in ("plans.json", "dataset.json"))
    trainer = nnUNetTrainer({**plans, "continue_training": False}, "3d_fullres", 0, dataset, torch.device("cpu"))
    trainer._do_i_compile = lambda: False
    trainer.output_folder = str(tmp_path)
    trainer.initialize()
    trainer.save_checkpoint(str(tmp_path / "checkpoint_final.pth"))
    checkpoint = read_checkpoint(tmp_path / "checkpoint_final.pth")
    expected = trainer.network.state_dict()
    assert checkpoint.trainer == "nnUNetTrainer"
    assert checkpoint.weights.keys() == expected.keys()
    assert all(torch.equal(checkpoint.weights[key], expected[key]) for key in expected)


@pytest.mark.parametrize("place", ["beside the weights", "among the weights", "the whole file"])
def test_a_checkpoint_that_would_run_a_command_is_refused_and_runs_nothing(tmp_path: Path, place: str) -> None:
    canary, path = tmp_path / "canary", tmp_path / "evil.pth"
    attack = Attack(canary)
    content: dict[str, Any] = {"network_weights": {"a": torch.zeros(1)}, "trainer_name": "t", "init_args": {}}
    if place == "among the weights":
        content["network_weights"]["b"] = attack
    torch.save({**content, "logging": attack} if place != "the whole file" else attack, path)
    with pytest.raises(ModelError, match=r"evil\.pth: The checkpoint holds code or objects beside weights"):
        read_checkpoint(path)
    assert not canary.exists()
    torch.load(path, weights_only=False)
    assert canary.exists(), "the attack is real: a reader without restriction falls for it"


def test_a_bare_pickle_that_would_run_a_command_is_refused(tmp_path: Path) -> None:
    canary, path = tmp_path / "canary", tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Attack(canary), protocol=2))
    with pytest.raises(ModelError, match=r"evil\.pth"):
        read_checkpoint(path)
    assert not canary.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02}q\x00.", b"not a checkpoint" * 99])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.pth"):
        read_checkpoint(tmp_path / "x.pth")


def test_a_truncated_checkpoint_is_refused(results: Callable[..., Path]) -> None:
    path = results() / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        read_checkpoint(path)


def _save(path: Path, **changes: Any) -> Path:
    content = {
        "network_weights": {"a": torch.ones(2)},
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": None,
    }
    torch.save({**content, **changes}, path)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network_weights": [1]}, "not a checkpoint of nnU-Net"),
        ({"network_weights": {}}, "no weights"),
        ({"network_weights": {"a": 1.0}}, "something else than tensors"),
        ({"network_weights": {"a": torch.tensor([1.0, float("nan")])}}, "'a' are not all finite"),
        ({"network_weights": {"a": torch.ones(1), "module.a": torch.ones(1)}}, "'a' twice"),
        ({"init_args": {}}, "no configuration or trainer"),
        ({"trainer_name": None}, "no configuration or trainer"),
        ({"inference_allowed_mirroring_axes": (0, 5)}, "mirroring axes"),
        ({"inference_allowed_mirroring_axes": 2}, "mirroring axes"),
    ],
)
def test_a_checkpoint_that_lacks_something_says_what(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_checkpoint(_save(tmp_path / "x.pth", **changes))


def test_a_checkpoint_without_mirroring_has_no_axes(tmp_path: Path) -> None:
    assert read_checkpoint(_save(tmp_path / "x.pth")).mirror_axes == ()


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod."])
def test_prefixes_of_compiled_and_parallel_networks_are_taken_off(results: Callable[..., Path], prefix: str) -> None:
    plain = read_checkpoint(results("plain") / CHECKPOINT).weights
    wrapped = read_checkpoint(results("wrapped", prefix=prefix) / CHECKPOINT).weights
    assert plain.keys() == wrapped.keys()


def test_fp32_weights_come_back_exactly_with_every_name(results: Callable[..., Path], tmp_path: Path) -> None:
    weights = read_checkpoint(results() / CHECKPOINT).weights
    write_weights(tmp_path / "w.safetensors", weights, half=False)
    again = read_weights(tmp_path / "w.safetensors")
    assert again.keys() == weights.keys()
    assert all(torch.equal(again[key], weights[key]) for key in weights)


def test_fp16_weights_are_half_the_size_and_come_back_as_fp32(tmp_path: Path) -> None:
    weights = {"a": torch.linspace(-3, 3, 100_000)}
    write_weights(tmp_path / "full.safetensors", weights, half=False)
    write_weights(tmp_path / "half.safetensors", weights, half=True)
    again = read_weights(tmp_path / "half.safetensors")["a"]
    assert again.dtype == torch.float32
    assert torch.equal(again, weights["a"].half().float())
    ratio = (tmp_path / "half.safetensors").stat().st_size / (tmp_path / "full.safetensors").stat().st_size
    assert 0.49 < ratio < 0.51


def test_repeated_tensors_are_written_once(results: Callable[..., Path], tmp_path: Path) -> None:
    weights = read_checkpoint(results() / CHECKPOINT).weights
    write_weights(tmp_path / "w.safetensors", weights, half=False)
    with safe_open(str(tmp_path / "w.safetensors"), "pt") as stream:
        written = list(stream.keys())
    assert len(written) < len(weights)
    assert not any(key.startswith("decoder.encoder.") for key in written)


def test_a_weight_too_large_for_half_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'a' are too large for fp16"):
        write_weights(tmp_path / "w.safetensors", {"a": torch.tensor([1e5])}, half=True)


@pytest.mark.parametrize("damage", ["truncated", "no header", "missing"])
def test_damaged_safetensors_are_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, {"a": torch.ones(1000)}, half=False)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-100] if damage == "truncated" else b"\xff" * 100)
    with pytest.raises(ModelError, match=r"w\.safetensors: The weights cannot be read"):
        read_weights(path)


def test_weights_for_other_channels_or_labels_are_refused(results: Callable[..., Path]) -> None:
    weights = read_checkpoint(results() / CHECKPOINT).weights
    check_fit(weights, channels=1, heads=3, path=Path("x"))
    with pytest.raises(ModelError, match=r"has 1 channels, .* 2"):
        check_fit(weights, channels=2, heads=3, path=Path("x"))
    with pytest.raises(ModelError, match=r"has 3 labels, .* 2"):
        check_fit(weights, channels=1, heads=2, path=Path("x"))
