"""Options refuse what they do not know, and the environment helps only where it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.options import PredictOptions, allocator_environment, cache_folder


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "gpu"),
        ("mode", "quick"),
        ("backend", "onnx"),
        ("step", 0.0),
        ("step", 1.5),
        ("rule", "max"),
        ("threshold", 1.0),
        ("folds", ()),
        ("fold_mean", "median"),
    ],
)
def test_an_unknown_value_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(BadInputError) as caught:
        PredictOptions(**{name: value})
    assert str(value) in str(caught.value) or name in str(caught.value) or "fold" in str(caught.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc reads these variables")
def test_allocator_environment_keeps_large_blocks_in_the_process(tmp_path: Path) -> None:
    # A block of 64 MiB given back by the program stays part of the process with the settings, and not without.
    script = (
        "import numpy, os\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')\n"
        "numpy.ones(1); before = resident(); block = numpy.ones(1 << 23); del block; print(resident() - before)\n"
    )
    kept = [
        int(subprocess.run([sys.executable, "-c", script], env=env, check=True, capture_output=True, text=True).stdout)
        for env in ({}, allocator_environment())
    ]
    assert kept[0] < 1 << 25
    assert kept[1] > 1 << 25


def test_cache_folder_follows_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "kept here"))
    assert cache_folder() == tmp_path / "kept here"
    monkeypatch.delenv("HNTARGETSEG_CACHE")
    assert cache_folder().name == "HNTargetSeg"
