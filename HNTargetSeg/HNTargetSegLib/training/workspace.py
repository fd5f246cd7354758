"""The folder of one training: nnU-Net's three folders, its environment, and its commands as child processes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError, OutputError, TargetSegError
from HNTargetSegLib.files import write_text
from HNTargetSegLib.models.options import allocator_environment
from HNTargetSegLib.training.presets import Schedule
from HNTargetSegLib.training.space import free_bytes

TRAINERS = Path(__file__).resolve().parent / "nnunet_trainers"

COMMAND = Path(__file__).resolve().parent / "nnunet_command.py"

_DISK_FULL = os.strerror(errno.ENOSPC)
_NEARLY_FULL = 1 << 20
"""Bytes; not every library that nnU-Net writes with says why it could not."""


@dataclass(frozen=True)
class Workspace:
    """Where one training lives.

    Attributes
    ----------
    root
        Holds ``raw``, ``preprocessed``, ``results`` and ``training.log``.
    dataset_id
        nnU-Net's number of the data set, 1 to 999.
    dataset_name
        Its name without the number.
    run_name
        Trainings of one root share its raw and preprocessed data; one with a name has results and log under
        ``runs/<name>``.
    """

    root: Path
    dataset_id: int = 524
    dataset_name: str = "HNTargetSeg"
    run_name: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.dataset_id <= 999:
            raise BadInputError(f"The data set number {self.dataset_id} is not between 1 and 999")

    @property
    def dataset(self) -> str:
        """nnU-Net's name of the data set."""
        return f"Dataset{self.dataset_id:03d}_{self.dataset_name}"

    @property
    def raw(self) -> Path:
        """Folder of the data set's dataset.json."""
        return self.root / "raw" / self.dataset

    @property
    def preprocessed(self) -> Path:
        """Folder of plans, splits and preprocessed cases."""
        return self.root / "preprocessed" / self.dataset

    @property
    def home(self) -> Path:
        """Folder of what is this training's alone."""
        return self.root / "runs" / self.run_name if self.run_name else self.root

    @property
    def log(self) -> Path:
        """Everything that nnU-Net printed."""
        return self.home / "training.log"

    def results(self, trainer: str, plans: str, configuration: str = "3d_fullres") -> Path:
        """Folder of one trained model."""
        return self.home / "results" / self.dataset / f"{trainer}__{plans}__{configuration}"

    def environment(
        self,
        schedule: Schedule,
        device: str,
        loss: Mapping[str, Any] | None = None,
        prior: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        """Environment of nnU-Net's commands.

        Parameters
        ----------
        loss
            Options of the trainer's loss.
        prior
            Recipe of the second channel, in its JSON form.
        """
        variables = dict(os.environ)
        variables.update(
            nnUNet_raw=str(self.root / "raw"),
            nnUNet_preprocessed=str(self.root / "preprocessed"),
            nnUNet_results=str(self.home / "results"),
            nnUNet_extTrainer=str(TRAINERS),
            HNTARGETSEG_SCHEDULE=json.dumps(schedule.to_dict()),
            HNTARGETSEG_LOSS=json.dumps(dict(loss or {})),
            HNTARGETSEG_PRIOR=json.dumps(dict(prior or {})),
        )
        if device == "cpu":
            # One loader keeps two cores busy with the network; more only take its time.
            variables.update(allocator_environment(), nnUNet_n_proc_DA="1", nnUNet_def_n_proc="2")
        return variables

    def run(
        self, stage: str, arguments: Sequence[str], environment: dict[str, str], say: Callable[[str], None]
    ) -> None:
        """Run one of nnU-Net's commands, passing its lines to ``say`` and to the log.

        Raises
        ------
        OutputError
            If the disk is full.
        TargetSegError
            If the command fails otherwise; the message holds its last lines.
        """
        command = [sys.executable, str(COMMAND), stage, *arguments]
        self.home.mkdir(parents=True, exist_ok=True)
        last: list[str] = []
        full = False
        with (
            # Unbuffered: what a full disk refused must not be tried again when the log is closed.
            open(self.log, "ab", buffering=0) as log,
            subprocess.Popen(
                command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
            ) as process,
        ):
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    full = full or _DISK_FULL in line or not _written(log, line)
                    last = [*last, line.rstrip()][-15:]
                    say(line.rstrip())
            except BaseException:
                terminate_tree(process.pid)
                raise
            status = process.wait()
        if status != 0:
            raise self._failure(stage, status, last, full=full or free_bytes(self.root) < _NEARLY_FULL)

    def _failure(self, stage: str, status: int, last: Sequence[str], *, full: bool) -> TargetSegError:
        if full:
            return OutputError(
                f"The disk became full in nnU-Net's stage '{stage}'",
                path=self.root,
                remedy="Make room, or choose a --workspace on a larger disk; the same command goes on from there",
            )
        return TargetSegError(
            f"nnU-Net's stage '{stage}' ended with status {status}; its last lines were:\n" + "\n".join(last),
            path=self.log,
            remedy="Read the log; the same command goes on from where it stopped",
        )

    def write_json(self, path: Path, content: object) -> None:
        """Write one of nnU-Net's files."""
        write_text(path, json.dumps(content, indent=2) + "\n")


def _written(log: RawIOBase, line: str) -> bool:
    """Add a line to the log; False where the disk is full, which the command itself will find out."""
    try:
        log.write(line.encode())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def terminate_tree(pid: int) -> None:
    """End a process and its children: nnU-Net's loaders outlive their parent otherwise."""
    import psutil

    try:
        parent = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return
    processes = [*parent.children(recursive=True), parent]
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    for process in psutil.wait_procs(processes, timeout=5)[1]:
        process.kill()
