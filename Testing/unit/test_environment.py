"""What a machine has."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from HNTargetSegLib.environment import examine


@pytest.fixture(autouse=True)
def store(blob_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(blob_model))


def test_versions_are_those_that_are_installed() -> None:
    report = examine()
    assert platform.python_version() in report.python
    for package in report.packages:
        try:
            assert package.version == importlib.metadata.version(package.name)
        except importlib.metadata.PackageNotFoundError:
            assert package.version is None
            assert not package.needed, "the tests need it too"


def test_the_cpu_comes_last_and_a_gpu_is_listed_where_pytorch_sees_one() -> None:
    import torch

    kinds = [device.kind for device in examine().devices]
    assert kinds[-1] == "cpu"
    assert kinds.count("cuda") == torch.cuda.device_count()


def test_with_a_model_and_all_packages_nothing_is_missing() -> None:
    report = examine()
    assert report.problems == ()
    assert "blobs" in report.models


def test_the_disk_is_that_of_the_folder(small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(1_000_000)
    report = examine(disk)
    assert report.free_disk_gb == pytest.approx(shutil.disk_usage(disk).free / 1e9)
    assert any("only 0.0 GB of disk are free" in note for note in report.notes)
    assert report.problems == (), "little disk stops nothing by itself"


def test_the_report_is_json() -> None:
    report = examine().to_dict()
    assert json.loads(json.dumps(report))["packages"][0]["name"] == "numpy"
