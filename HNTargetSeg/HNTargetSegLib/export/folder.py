"""The folder of an export: a new one takes the place of the one before, of which nothing out of date is left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from HNTargetSegLib.export.segmentation import MANIFEST
from HNTargetSegLib.files import replacing_files, sha256


def hashed_files(folder: Path) -> dict[str, str]:
    """SHA-256 by name, with ``/``, of all files in a folder and below; what a manifest lists as ``files``."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in found}


@contextmanager
def replacing_export(
    folder: str | PathLike[str], places: Sequence[str] = ("",), shared: Sequence[str] = ()
) -> Iterator[Path]:
    """Yield an empty folder whose files move into ``folder`` together, all or none, as :func:`replacing_files`.

    Files that the manifest of an earlier export lists, and that this one has not, are removed then: the surface of a
    lesion that was rejected since must not stay behind. Other files stay.

    Parameters
    ----------
    places
        Folders below ``folder`` that hold a manifest, or may.
    shared
        Files of ``folder`` itself that belong to all places; the manifests list them as ``../name``.

    Raises
    ------
    OutputError
        As :func:`replacing_files`.
    """
    target = Path(folder)
    earlier = {place: _listed(target / place / MANIFEST) for place in places}
    with replacing_files(target) as new:
        yield new
        written = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    for place, names in earlier.items():
        if Path(place, MANIFEST) in written:
            for name in names:
                if Path(place, name) not in written:
                    _remove(target / place, name)
    for name in shared:
        if Path(name) not in written and any(f"../{name}" in names for names in earlier.values()):
            _remove(target, name)


def _listed(manifest: Path) -> list[str]:
    """Files that a manifest lists; empty where it cannot be read."""
    try:
        return [str(name) for name in json.loads(manifest.read_text(encoding="utf-8"))["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _remove(home: Path, name: str) -> None:
    """Remove a file in a folder or below; what a name beyond it leads to stays."""
    path = home / name
    with suppress(OSError, ValueError):
        if path.resolve().is_relative_to(home.resolve()):
            path.unlink()
            # Gone only where it is empty by now.
            if path.parent != home:
                path.parent.rmdir()
