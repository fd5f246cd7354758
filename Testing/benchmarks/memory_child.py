"""Segment one image as `hntargetseg segment` does and print the peak memory: ``memory_child MODEL IMAGE OUTPUT``.

All tiles are cut and added up over the whole image, and lesions and files follow as always; only the network itself is
computed for the first tiles alone, which is where it reaches its peak. Every tile answers with a ball in its middle:
random weights would give thousands of lesions of a voxel or two.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from Testing.benchmarks.resident import Resident

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.export.format import SEGMENTATION
from HNTargetSegLib.models.engines import Engine
from HNTargetSegLib.models.stored import load_model

_COMPUTED = 2
_BALL_VOXELS = 8


class FirstTiles:
    """An engine that computes a few tiles, and answers each with the same logits."""

    def __init__(self, engine: Engine, computed: int) -> None:
        self.name, self.device = engine.name, engine.device
        self.tiles = 0
        self._engine, self._computed = engine, computed

    def __call__(self, tiles: torch.Tensor) -> torch.Tensor:
        """Logits of tiles."""
        self.tiles += 1
        if self.tiles <= self._computed:
            self._engine(tiles)
        shape = tuple(tiles.shape[2:])
        axes = torch.meshgrid(*(torch.arange(size) - size // 2 for size in shape), indexing="ij")
        inside = sum(axis**2 for axis in axes) <= _BALL_VOXELS**2
        logits = torch.zeros(len(tiles), 3, *shape)
        logits[:, 0] = 1.0
        logits[:, 2][:, inside] = 5.0
        return logits


def run(model: Path, image: Path, output: Path) -> dict[str, object]:
    """Segment and measure."""
    ours = Resident(load_model(model), "exact")
    engine = FirstTiles(ours.model.predictor._engines[0], _COMPUTED)
    ours.model.predictor._engines[:] = [engine]
    ours.everything(image, output)
    # Reading the labels again for this report is no part of what is measured.
    peak = peak_gb()
    labels = read_volume(output / SEGMENTATION)
    return {
        "peak_gb": peak,
        "labels": list(labels.array.shape),
        "tiles": engine.tiles,
        "computed": _COMPUTED,
        "engine": engine.name,
    }


def peak_gb() -> float:
    """Largest resident memory of this process so far, in GB of 1e9 bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        # ru_maxrss would begin with the size of the parent at the fork.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9


if __name__ == "__main__":
    print(json.dumps(run(*map(Path, sys.argv[1:4]))))
