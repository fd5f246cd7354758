"""Arrays and volumes as files of a private folder, for the way between two processes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError, OutputError

if TYPE_CHECKING:
    import numpy as np

    from HNTargetSegLib.case.volume import Geometry, Volume

_FILE = re.compile(r"[\w-]+(/[\w-]+)?\.npy")
_LARGEST = 1e12
_LENGTHS = {"size": 3, "spacing": 3, "origin": 3, "direction": 9}


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy``, whole or not at all; its folder is made when missing.

    Raises
    ------
    OutputError
        If the disk is full or cannot be written.
    """
    import numpy as np

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array, allow_pickle=False)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        # NumPy's own error has no number: it wrote less than it was asked to.
        reason = error.strerror or "the disk is full"
        raise OutputError(
            f"An array of {array.nbytes / 1e6:.0f} MB could not be handed over ({reason})",
            path=path,
            remedy="Free space on that disk, or set TMPDIR to a folder on another one and start again",
        ) from error


def read_array(path: Path) -> np.ndarray:
    """Array of a ``.npy`` file.

    Raises
    ------
    BadInputError
        If it is missing, incomplete, or holds no numbers.
    """
    import numpy as np

    try:
        array: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        what = f"The array cannot be read ({error})"
        raise BadInputError(what, path=path, remedy="Start the worker again") from error
    if array.dtype.kind not in "biuf":
        raise BadInputError(f"An array of {array.dtype} holds no numbers", path=path)
    return array


def volume_to_json(volume: Volume, folder: Path, name: str, *, write: bool = True) -> dict[str, Any]:
    """Write a volume's array to ``folder / name`` (``job/what.npy``) and describe the volume in plain values.

    Parameters
    ----------
    write
        Whether the array is to be written; not where it lies there already.
    """
    if write:
        write_array(folder / name, volume.array)
    return {
        "file": name,
        "geometry": _geometry_to_json(volume.geometry),
        "stated": None if volume.stated is None else _geometry_to_json(volume.stated),
        "name": os.fspath(volume.name),
    }


def volume_from_json(content: Any, folder: Path) -> Volume:
    """The volume that :func:`volume_to_json` described.

    Raises
    ------
    BadInputError
        If the description or the file is not as it should be; a file outside the folder is never opened.
    """
    from HNTargetSegLib.case.volume import Volume

    if not isinstance(content, Mapping) or not isinstance(content.get("name"), str):
        raise BadInputError("A volume is described by its file, geometry and name")
    stated = content.get("stated")
    return Volume(
        read_array(file_in(folder, content.get("file"))),
        _geometry_from_json(content.get("geometry")),
        content["name"],
        None if stated is None else _geometry_from_json(stated),
    )


def file_in(folder: Path, name: Any) -> Path:
    """The array file of a name such as ``job/what.npy``.

    Raises
    ------
    BadInputError
        If the name leads anywhere else than into the folder.
    """
    if not isinstance(name, str) or not _FILE.fullmatch(name):
        raise BadInputError(f"'{name!s:.80}' is no array file of the private folder")
    return folder / name


def _geometry_to_json(geometry: Geometry) -> dict[str, list[float]]:
    # Python's own numbers: those of NumPy are unknown to JSON.
    numbers: dict[str, list[float]] = {key: [float(v) for v in getattr(geometry, key)] for key in _LENGTHS}
    return {**numbers, "size": [int(n) for n in geometry.size]}


def _geometry_from_json(content: Any) -> Geometry:
    from HNTargetSegLib.case.volume import Geometry

    if not isinstance(content, Mapping):
        raise BadInputError("The geometry of a volume is missing")
    values: dict[str, Any] = {}
    for key, length in _LENGTHS.items():
        numbers = content.get(key)
        kind = int if key == "size" else (int, float)
        if not isinstance(numbers, list) or len(numbers) != length or not all(_is(kind, n) for n in numbers):
            raise BadInputError(f"The {key} of a geometry is not {length} numbers")
        values[key] = tuple(numbers)
    return Geometry(**values)


def _is(kind: Any, value: Any) -> bool:
    # Bounds instead of isfinite, which whole numbers beyond floats would break.
    return isinstance(value, kind) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST
