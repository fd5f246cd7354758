"""Losses, learning rate and pseudo Dice of each epoch as TensorBoard event files, where tensorboard is installed.

Imported by its bare name beside the trainers, so it imports nothing of the package.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

FOLDER = "tensorboard"


class LiveLog:
    """Event files of one training; opened at the first epoch, so that a training that goes on hides what it repeats.

    Parameters
    ----------
    folder
        Results folder of the fold.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, FOLDER)
        self._writer: Any = None
        self._absent = False

    def write(self, epoch: int, values: Mapping[str, float]) -> None:
        """Add one epoch's values and put them on disk, so that a kill loses none."""
        if self._writer is None and not self._absent:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                self._absent = True
            else:
                self._writer = SummaryWriter(self._folder, purge_step=epoch)
        if self._writer is None:
            return
        for name, value in values.items():
            self._writer.add_scalar(name, float(value), epoch)
        self._writer.flush()
