"""How much the cache holds, and its end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.files import user_folder


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in a folder; 0 where there is none. Files that vanish meanwhile do not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except OSError:
                continue
    return total


def as_text(size: int) -> str:
    """Size for a reader, in MB or GB of 1000."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def delete_cache() -> None:
    """Delete what can be computed again: converted networks, the sample patient, logs.

    Raises
    ------
    OutputError
        If a file cannot be deleted.
    """
    folder = user_folder("cache")
    if not folder.is_dir():
        return
    for child in folder.iterdir():
        try:
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()
        except OSError as error:
            raise OutputError(
                f"The cache could not be deleted ({error.strerror or error})",
                path=child,
                remedy="Close other programs that use HNTargetSeg and try again",
            ) from error
