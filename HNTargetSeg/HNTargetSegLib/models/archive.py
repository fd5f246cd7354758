"""Zip archives from strangers: looked through before anything is written, unpacked where they vanish again."""

from __future__ import annotations

import lzma
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from HNTargetSegLib.errors import ModelError, OutputError

_CHUNK = 1 << 20
_ADVICE = "Do not use this archive; get it again from the model's authors"
# What zipfile raises of bytes that are no archive: damaged streams, unknown compression, cut headers, odd names.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    MemoryError,
)
_FORBIDDEN = re.compile(r"[\x00-\x1f:]")


@dataclass(frozen=True)
class Limits:
    """How large an archive may become.

    Attributes
    ----------
    files
        Number of entries.
    size
        Bytes unpacked. Five folds of the ResEnc M layout with optimiser states are about 4 GB.
    ratio
        Bytes unpacked of one byte packed, beyond ``free``; weights hardly compress.
    free
        Bytes unpacked that are never too many.
    """

    files: int = 10_000
    size: int = 16 << 30
    ratio: float = 50.0
    free: int = 64 << 20


LIMITS = Limits()


@contextmanager
def unpacked(archive: Path, beside: Path, limits: Limits = LIMITS) -> Iterator[Path]:
    """Yield a temporary folder in ``beside`` with the content of a zip; it is gone afterwards.

    Raises
    ------
    ModelError
        If the file is no zip, or an entry leaves the folder, is a link or a device, is encrypted or damaged,
        collides with another, or the whole is larger than the limits; nothing is left on the disk.
    OutputError
        If the disk is full or read-only.
    """
    try:
        beside.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=".unpacking-", dir=beside)
    except OSError as error:
        raise _unwritable(beside, error) from error
    with temporary as name:
        folder = Path(name)
        _unpack(archive, folder, limits)
        yield folder


def _unpack(archive: Path, folder: Path, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(archive) as stream:
            _extract(stream, _checked_entries(stream, archive, limits), folder)
    except _DAMAGE as error:
        raise ModelError(f"This is not a readable zip archive ({error})", path=archive, remedy=_ADVICE) from error
    except OSError as error:
        raise ModelError(
            f"The archive cannot be read ({error.strerror or error})", path=archive, remedy="Check the name"
        ) from error


def _checked_entries(stream: zipfile.ZipFile, archive: Path, limits: Limits) -> dict[PurePosixPath, zipfile.ZipInfo]:
    infos = stream.infolist()
    if len(infos) > limits.files:
        raise ModelError(
            f"The archive has {len(infos)} entries, more than {limits.files}", path=archive, remedy=_ADVICE
        )
    # The sum against the whole file also catches entries that share one packed block.
    total = sum(info.file_size for info in infos)
    allowed = min(limits.size, max(limits.free, int(limits.ratio * archive.stat().st_size)))
    if total > allowed:
        what = (
            f"The archive would unpack to {total / 1e6:.0f} MB, more than the {allowed / 1e6:.0f} MB that are plausible"
        )
        raise ModelError(what, path=archive, remedy=_ADVICE)
    entries: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in infos:
        try:
            name = _safe_name(info)
        except ModelError as error:
            raise ModelError(error.what, path=archive, remedy=_ADVICE) from None
        if not info.is_dir():
            if name in entries:
                raise ModelError(f"The archive holds '{name}' twice", path=archive, remedy=_ADVICE)
            entries[name] = info
    _refuse_collisions(entries, archive)
    return entries


def _safe_name(info: zipfile.ZipInfo) -> PurePosixPath:
    # The original name: zipfile cuts a name at its first NUL, and what came after would go unseen.
    text = info.orig_filename.replace("\\", "/")
    name = PurePosixPath(text)
    if text.startswith("/") or ".." in name.parts or not name.parts or _FORBIDDEN.search(text):
        raise ModelError(f"The archive holds {info.orig_filename!r}, a path outside its folder")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ModelError(f"The archive holds {info.orig_filename!r}, a link or device")
    if info.flag_bits & 0x1:
        raise ModelError("The archive is encrypted")
    return name


def _refuse_collisions(entries: dict[PurePosixPath, zipfile.ZipInfo], archive: Path) -> None:
    # As a disk sees it that does not tell capitals apart.
    files = {str(name).casefold() for name in entries}
    folders = {str(parent).casefold() for name in entries for parent in name.parents}
    if len(files) != len(entries) or files & folders:
        raise ModelError("The archive holds two entries of one name", path=archive, remedy=_ADVICE)


def _extract(stream: zipfile.ZipFile, entries: dict[PurePosixPath, zipfile.ZipInfo], folder: Path) -> None:
    for name, info in entries.items():
        target = folder.joinpath(*name.parts)
        with stream.open(info) as packed:
            written = 0
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "wb") as plain:
                    while chunk := _read(packed):
                        written += len(chunk)
                        if written > info.file_size:
                            raise zipfile.BadZipFile(f"'{name}' is larger than it says")
                        plain.write(chunk)
            except OSError as error:
                raise _unwritable(folder.parent, error) from error


def _read(packed: IO[bytes]) -> bytes:
    try:
        return packed.read(_CHUNK)
    except OSError as error:
        # bz2 says so of a damaged stream; an OSError beyond here is of the file that is written.
        raise zipfile.BadZipFile(str(error)) from error


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"The archive could not be unpacked ({error.strerror or error})",
        path=folder,
        remedy="Free disk space, or set HNTARGETSEG_MODELS to another folder; nothing was changed",
    )
