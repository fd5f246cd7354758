"""Engines agree with each other, and a missing device says what to do."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from HNTargetSegLib.errors import MissingDependencyError
from HNTargetSegLib.models.engines import TorchEngine, build_engine, chosen_device, mirrored_mean
from HNTargetSegLib.models.network import build_network, read_plan
from HNTargetSegLib.models.options import PredictOptions

CPU = torch.device("cpu")


@pytest.fixture
def network(random_model: Callable[..., Any]) -> torch.nn.Module:
    model = random_model()
    return build_network(read_plan(model), model.weights("0"))


@pytest.fixture
def tile() -> torch.Tensor:
    return torch.randn(1, 1, 8, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def openvino_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if importlib.util.find_spec("openvino") is None:
        reason = "openvino is not installed (hntargetseg[fast])"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path))
    return tmp_path


def test_mirroring_in_one_batch_equals_one_after_the_other(network: torch.nn.Module, tile: torch.Tensor) -> None:
    engine = TorchEngine(network, CPU, "exact")
    single = mirrored_mean(engine, tile, (0, 1, 2))
    batched = mirrored_mean(engine, tile, (0, 1, 2), batched=True)
    assert torch.allclose(single, batched, atol=1e-5)
    assert not torch.allclose(single, mirrored_mean(engine, tile, ()), atol=1e-3)


def test_mirrored_mean_is_the_mean_over_all_flips(tile: torch.Tensor) -> None:
    ramp = torch.arange(16.0).reshape(1, 1, 1, 1, 16)

    def engine(tiles: torch.Tensor) -> torch.Tensor:
        return tiles * ramp

    mean = mirrored_mean(engine, tile, (2,))
    assert torch.allclose(mean, (tile * 7.5)[0], atol=1e-5)


def test_fast_mode_of_pytorch_computes_in_bfloat16_and_gives_float32(
    network: torch.nn.Module, tile: torch.Tensor
) -> None:
    exact = TorchEngine(network, CPU, "exact")(tile)
    engine = TorchEngine(network, CPU, "fast")
    fast = engine(tile)
    assert "bfloat16" in engine.name
    assert fast.dtype == torch.float32
    assert 0 < (fast - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_openvino_in_exact_mode_agrees_with_pytorch_to_float32_rounding(
    network: torch.nn.Module, tile: torch.Tensor, openvino_cache: Path
) -> None:
    expected = TorchEngine(network, CPU, "exact")(tile)
    engine, note = build_engine(network, PredictOptions(device="cpu", backend="openvino"), (1, 8, 16, 16))
    assert note is None
    assert engine.name == "OpenVINO, cpu, f32"
    assert torch.allclose(engine(tile), expected, atol=1e-4)
    assert torch.allclose(engine(torch.cat([tile, tile.flip(2)]))[1:], engine(tile.flip(2)))


def test_fast_mode_of_openvino_is_close_to_exact(
    network: torch.nn.Module, tile: torch.Tensor, openvino_cache: Path
) -> None:
    exact = TorchEngine(network, CPU, "exact")(tile)
    engine, _ = build_engine(network, PredictOptions(device="cpu", mode="fast"), (1, 8, 16, 16))
    assert engine.name.startswith("OpenVINO")
    assert (engine(tile) - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_a_converted_network_is_kept_and_another_one_is_not_taken_for_it(
    network: torch.nn.Module, tile: torch.Tensor, openvino_cache: Path
) -> None:
    options = PredictOptions(device="cpu", backend="openvino")
    first = build_engine(network, options, (1, 8, 16, 16))[0](tile)
    files = sorted(openvino_cache.rglob("network.xml"))
    written = files[0].stat().st_mtime_ns
    assert torch.equal(build_engine(network, options, (1, 8, 16, 16))[0](tile), first)
    assert files[0].stat().st_mtime_ns == written
    with torch.no_grad():
        next(network.parameters()).mul_(1.5)
    assert not torch.equal(build_engine(network, options, (1, 8, 16, 16))[0](tile), first)
    assert len(sorted(openvino_cache.rglob("network.xml"))) == 2


def test_openvino_is_loaded_without_its_usage_reports(openvino_cache: Path) -> None:
    script = (
        "import sys; from HNTargetSegLib.models.engines import _openvino; _openvino();"
        "print(any(name.startswith('openvino_telemetry.') for name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_asking_for_cuda_without_a_card_says_what_to_do() -> None:
    with pytest.raises(MissingDependencyError) as caught:
        chosen_device("cuda")
    assert "device cpu" in str(caught.value)
    assert chosen_device("auto").type in ("cpu", "mps")
