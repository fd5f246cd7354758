"""The folders of the HNTS-MRG 2024 challenge's container: where a patient's images lie, and where the answer goes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from HNTargetSegLib.errors import BadInputError

PRE, MID = "pre-rt-t2w-head-neck", "mid-rt-t2w-head-neck"
PRE_MASK = "pre-rt-head-neck-segmentation"
REGISTERED_PRE, REGISTERED_MASK = "registered-pre-rt-head-neck", "registered-pre-rt-head-neck-segmentation"

ANSWER = Path("images") / "mri-head-neck-segmentation" / "output.mha"
"""The segmentation under the output folder."""


class Task(IntEnum):
    """The challenge's tasks."""

    PRE_RT = 1
    MID_RT = 2

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders under ``images`` that hold one file each; the first is the image to segment."""
        return (PRE,) if self is Task.PRE_RT else (MID, PRE, PRE_MASK, REGISTERED_PRE, REGISTERED_MASK)


@dataclass(frozen=True)
class ChallengeFiles:
    """One patient of one task.

    Attributes
    ----------
    task
        Which.
    image
        The T2 to segment.
    registered_pre, registered_mask
        On its grid, in task 2.
    """

    task: Task
    image: Path
    registered_pre: Path | None = None
    registered_mask: Path | None = None


def find_challenge_files(folder: Path, task: Task | None = None) -> ChallengeFiles:
    """Files of the one patient in a container's input folder.

    Parameters
    ----------
    folder
        Holds ``images``.
    task
        By default 2 where there is a mid-RT image, else 1.

    Raises
    ------
    BadInputError
        If a folder of the task is missing or does not hold exactly one .mha file; their names are free.
    """
    images = folder / "images"
    if not images.is_dir():
        raise BadInputError(
            "There is no folder 'images' in it",
            path=folder,
            remedy=f"Give the folder that holds images/{PRE} and, for task 2, images/{MID} and the others",
        )
    chosen = task or (Task.MID_RT if (images / MID).is_dir() else Task.PRE_RT)
    found = {name: _only_file(images / name, chosen) for name in chosen.folders}
    return ChallengeFiles(chosen, found[chosen.folders[0]], found.get(REGISTERED_PRE), found.get(REGISTERED_MASK))


def _only_file(folder: Path, task: Task) -> Path:
    files = sorted(folder.glob("*.mha")) if folder.is_dir() else []
    if len(files) != 1:
        said = ", ".join(path.name for path in files[:8]) or "none"
        raise BadInputError(
            f"Task {int(task)} needs exactly one .mha file here, and there are {len(files)} ({said})",
            path=folder,
            remedy="Give one patient a run, or another --task",
        )
    return files[0]
