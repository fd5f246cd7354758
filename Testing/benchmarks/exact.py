"""Exact mode, warm, beside nnU-Net's cold command: total time, and whether the labels are the same."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import numpy as np
from Testing.benchmarks.peer import NnunetCommand
from Testing.benchmarks.resident import Resident
from Testing.benchmarks.setting import Setting, case_of
from Testing.benchmarks.table import Row, at_most, below_peer

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.export.format import SEGMENTATION


def run(setting: Setting) -> list[Row]:
    """Measure; ours and theirs take turns."""
    peer, ours = NnunetCommand(setting), Resident(setting.model, "exact")
    images, output, their_output = setting.images(1), setting.folder / "ours", setting.folder / "theirs"
    (image,) = sorted(images.iterdir())
    ours.everything(image, output)
    theirs, warm = [], []
    for number in range(max(setting.repeats, setting.peer_repeats)):
        if number < setting.peer_repeats:
            theirs.append(peer.run(images, their_output).total)
        warm.append(ours.everything(image, output).total)
    different, voxels = _differing(output / SEGMENTATION, their_output / f"{case_of(image)}.nii.gz")
    return [
        below_peer(f"exact mode, warm ({ours.model.predictor.engine_name})", median(warm), median(theirs), 2),
        at_most(f"  voxels that differ, {different} of {voxels}", different / voxels, 1e-5, "of the voxels"),
    ]


def _differing(ours: Path, theirs: Path) -> tuple[int, int]:
    first, second = read_volume(ours), read_volume(theirs)
    first.require_same_grid(second)
    return int(np.count_nonzero(first.array != second.array)), first.array.size
