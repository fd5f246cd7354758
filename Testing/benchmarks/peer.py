"""The peer: nnU-Net's own command, a fresh process each time, with the same weights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from Testing.benchmarks.setting import Setting, plain_environment

from HNTargetSegLib.errors import MissingDependencyError
from HNTargetSegLib.models.results import export_to_nnunet

_DATASET = 999
_LAUNCHER = Path(__file__).with_name("timed_nnunet.py")


@dataclass(frozen=True)
class Timing:
    """Wall seconds of a run, and the part of it that the sliding window over the network took."""

    total: float
    network: float = 0.0

    @property
    def outside(self) -> float:
        """What is not the network."""
        return self.total - self.network


class NnunetCommand:
    """`nnUNetv2_predict` on the CPU, with its own defaults but for mirroring, which is off here as it is in ours."""

    def __init__(self, setting: Setting) -> None:
        self._folds = setting.model.folds
        self._configuration = setting.model.configuration
        self._home = setting.folder / "nnunet"
        results = self._home / "results" / f"Dataset{_DATASET}_Peer"
        folder = results / f"nnUNetTrainer__nnUNetPlans__{self._configuration}"
        if not folder.is_dir():
            export_to_nnunet(setting.model, folder)
        self._folders = {f"nnUNet_{name}": str(self._home / name) for name in ("raw", "preprocessed", "results")}

    def run(self, images: Path, output: Path) -> Timing:
        """The unchanged command; its network is not timed."""
        return Timing(self._timed([_installed("nnUNetv2_predict")], images, output))

    def run_measured(self, images: Path, output: Path) -> Timing:
        """The command with a clock round its sliding window."""
        times = self._home / "times.json"
        times.unlink(missing_ok=True)
        total = self._timed([sys.executable, str(_LAUNCHER), str(times)], images, output)
        return Timing(total, sum(json.loads(times.read_text())))

    def _timed(self, program: list[str], images: Path, output: Path) -> float:
        # The command would leave out what is there already with --continue_prediction only; a fresh folder is surer.
        shutil.rmtree(output, ignore_errors=True)
        arguments = ["-i", images, "-o", output, "-d", _DATASET, "-c", self._configuration, "-f", *self._folds]
        arguments += ["-device", "cpu", "--disable_tta"]
        command = [*program, *map(str, arguments)]
        begin = time.perf_counter()
        done = subprocess.run(
            command, env=plain_environment(**self._folders), capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - begin
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return seconds


def _installed(name: str) -> str:
    """Path of a command that is installed with this interpreter."""
    command = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if command is None:
        raise MissingDependencyError(f"The command {name} is not installed", remedy="Run this with: make bench")
    return command


def our_command() -> list[str]:
    """The command line of this project, as its users start it."""
    return [_installed("hntargetseg")]
