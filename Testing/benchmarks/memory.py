"""Peak memory of segmenting a full-size image with the ResEnc M network of the papers, weights at random."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from Testing.benchmarks.random_model import store_random_model
from Testing.benchmarks.setting import SEED, Setting, plain_environment
from Testing.benchmarks.table import Row, at_most

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.phantom import PhantomOptions, generate_patient

_REPOSITORY = Path(__file__).resolve().parents[2]
_PLANS = (
    "nnunet-metadata/workdir/nnUNet_trained_models/Dataset030/nnUNetTrainer__nnUNetResEncUNetMPlans_24Gb__3d_fullres"
)
_SIZE = (512, 512, 120)
# That of the plans: the network sees the image as it is.
_SPACING = (0.5, 0.5, 1.2)
# A small phantom is enlarged by whole voxels: what is in the image does not change the memory.
_ENLARGED = (4, 4, 3)


def run(setting: Setting) -> list[Row]:
    """Segment in a child process, once from scratch (the network is converted), once with the converted network."""
    data = Path(os.environ.get("HNTARGETSEG_TEST_DATA", _REPOSITORY.parent / "shared" / "data"))
    source = data / _PLANS
    if not source.is_dir():
        return [Row("peak memory: not measured, HNTARGETSEG_TEST_DATA has no nnunet-metadata", None, "GB")]
    plans, dataset = (json.loads((source / name).read_text()) for name in ("plans.json", "dataset.json"))
    model = store_random_model(plans, dataset, setting.folder / "ResEncM random")
    image = setting.folder / "memory" / "full size.nii.gz"
    write_volume(_full_size(), image)
    rows = []
    for name in ("first run, which converts the network", "later run"):
        found = _segment(model.folder, image, setting.folder / "memory" / "result")
        size = "x".join(map(str, found["labels"][::-1]))
        if found["labels"] != list(_SIZE[::-1]):
            raise RuntimeError(f"The labels are on a grid of {size} voxels")
        about = f"{found['tiles']} tiles, {found['computed']} computed, {found['engine']}"
        rows.append(at_most(f"peak memory, {size}, {name} ({about})", found["peak_gb"], 6, "GB"))
    return rows


def _segment(model: Path, image: Path, output: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "Testing.benchmarks.memory_child", str(model), str(image), str(output)]
    done = subprocess.run(
        command,
        cwd=_REPOSITORY,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The child process ended with {done.returncode}:\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _full_size() -> Volume:
    small = tuple(edge // times for edge, times in zip(_SIZE, _ENLARGED, strict=True))
    spacing = tuple(edge * times for edge, times in zip(_SPACING, _ENLARGED, strict=True))
    options = PhantomOptions(size=(small[0], small[1], small[2]), spacing=(spacing[0], spacing[1], spacing[2]))
    array = generate_patient(SEED, 0, options).mid.image.array
    for axis, times in enumerate(_ENLARGED[::-1]):
        array = np.repeat(array, times, axis=axis)
    geometry = Geometry(_SIZE, _SPACING, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    return Volume(array, geometry, "full size")
