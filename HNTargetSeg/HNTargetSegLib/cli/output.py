"""The output folder of a command: proved to be writable before the work, gone again when the work fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from HNTargetSegLib.case.write import ensure_writable_folder


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Yield ``path`` as a folder that can be written to.

    When the block fails, the folders that were made here and that are still empty are removed.

    Raises
    ------
    OutputError
        If it cannot be made or written to.
    """
    # os.path.exists is false, and raises nothing, where a part of the path is no folder.
    made = [folder for folder in (path, *path.parents) if not os.path.exists(folder)]
    try:
        yield ensure_writable_folder(path)
    except BaseException:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise
