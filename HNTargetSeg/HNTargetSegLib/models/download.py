"""Downloads whose SHA-256 is known beforehand; what broke off goes on where it stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from ssl import SSLError
from typing import IO, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, url2pathname, urlopen

from HNTargetSegLib import __version__
from HNTargetSegLib.errors import ModelError, OutputError
from HNTargetSegLib.files import sha256

Progress = Callable[[int, "int | None"], None]
"""Called with the bytes that are there and the bytes in all (None when the server does not say)."""

_CHUNK = 1 << 18
_ATTEMPTS = 3
_LARGEST = 16 << 30
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206
_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_address(text: str) -> bool:
    """Whether ``text`` is a URL that can be installed from, rather than a file or a name."""
    return text.lower().startswith(("https://", "http://", "file:"))


def checked_digest(digest: str | None, what: str) -> str:
    """SHA-256 in lower case.

    Raises
    ------
    ModelError
        If it is missing or not 64 hexadecimal digits.
    """
    if digest is None:
        raise ModelError(
            f"No SHA-256 is given for {what}", remedy="Add --sha256 with the value that the model's authors state"
        )
    if not _DIGEST.fullmatch(digest.lower()):
        raise ModelError(f"'{digest}' is not a SHA-256", remedy="It has 64 hexadecimal digits")
    return digest.lower()


def check_file(path: Path, digest: str, source: str) -> None:
    """Refuse a file whose SHA-256 is another.

    Raises
    ------
    ModelError
        That names both.
    """
    actual = sha256(path)
    if actual != digest:
        raise ModelError(
            f"The SHA-256 is {actual}, not {digest}",
            path=source,
            remedy="The file is damaged or another one; nothing was installed",
        )


def local_file(address: str) -> Path:
    """Path of a ``file:`` URL.

    Raises
    ------
    ModelError
        If it names another machine.
    """
    parts = urlsplit(address)
    if parts.netloc not in ("", "localhost"):
        raise ModelError(f"'{address}' lies on another machine", remedy="Write file:///folder/file.zip")
    return Path(url2pathname(parts.path))


def download(address: str, folder: Path, digest: str | None, progress: Progress | None = None) -> Path:
    """Bring a file from an http or https address.

    Parameters
    ----------
    folder
        Where it is put, named by its hash. What a broken connection leaves there, the next call continues.
    digest
        SHA-256 that the file must have.

    Raises
    ------
    ModelError
        If the hash is missing or wrong, the address answers with an error, or the connection breaks more than twice.
    OutputError
        If the disk is full or read-only.
    """
    digest = checked_digest(digest, address)
    partial = folder / f"{digest}.part"
    _make_folder(folder)
    kind = _transfer(address, partial, progress)
    try:
        check_file(partial, digest, address)
    except ModelError as error:
        partial.unlink(missing_ok=True)
        hint = "What came is a web page: take the address of the file itself" if kind == "text/html" else error.remedy
        raise ModelError(error.what, path=address, remedy=hint) from None
    complete = partial.with_suffix(".zip")
    partial.replace(complete)
    return complete


def _transfer(address: str, partial: Path, progress: Progress | None) -> str:
    """Ask again where the connection broke until the file is there; the media type of the answer."""
    for attempt in range(_ATTEMPTS):
        try:
            return _continue(address, partial, progress)
        except HTTPError as error:
            error.close()
            partial.unlink(missing_ok=True)
            if error.code != _RANGE_NOT_SATISFIABLE:
                raise ModelError(
                    f"The server answers {error.code} {error.reason}", path=address, remedy="Check the address"
                ) from None
        except (URLError, HTTPException, SSLError, TimeoutError, ConnectionError) as error:
            if attempt == _ATTEMPTS - 1:
                raise _broken_off(address, partial, error) from error
        except OSError as error:
            raise _unwritable(partial, error) from error
    raise ModelError(
        "The server does not send the file", path=address, remedy="Download it in a browser and install the file"
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Could not be made ({error.strerror})", path=folder, remedy="Set HNTARGETSEG_MODELS to a folder of yours"
        ) from error


def _continue(address: str, partial: Path, progress: Progress | None) -> str:
    """Append what is missing to ``partial``; the media type of the answer."""
    there = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": f"HNTargetSeg/{__version__}", **({"Range": f"bytes={there}-"} if there else {})}
    with cast(HTTPResponse, urlopen(Request(address, headers=headers), timeout=30)) as response:
        if response.status != _PARTIAL_CONTENT:
            there = 0
        length = response.headers.get("Content-Length")
        total = there + int(length) if length and length.isdigit() else None
        with open(partial, "ab" if there else "wb") as stream:
            there = _receive(response, stream, partial, (there, total), progress)
        if total is not None and there < total:
            raise ConnectionError(f"{there} of {total} bytes came")
        return str(response.headers.get_content_type())


def _receive(
    response: HTTPResponse, stream: IO[bytes], partial: Path, extent: tuple[int, int | None], progress: Progress | None
) -> int:
    there, total = extent
    if (total or 0) > _LARGEST:
        raise ModelError(f"The file has {total} bytes, more than {_LARGEST}", remedy="This is no model")
    while chunk := response.read(_CHUNK):
        there += len(chunk)
        if there > _LARGEST:
            partial.unlink(missing_ok=True)
            raise ModelError(f"The file has more than {_LARGEST} bytes", remedy="This is no model")
        stream.write(chunk)
        if progress is not None:
            progress(there, total)
    return there


def _unwritable(partial: Path, error: OSError) -> OutputError:
    partial.unlink(missing_ok=True)
    return OutputError(
        f"The download could not be written ({error.strerror or error})",
        path=partial.parent,
        remedy="Free disk space, or set HNTARGETSEG_MODELS to another folder",
    )


def _broken_off(address: str, partial: Path, error: Exception) -> ModelError:
    there = partial.stat().st_size if partial.exists() else 0
    if not there:
        partial.unlink(missing_ok=True)
        return ModelError(
            f"The address cannot be reached ({getattr(error, 'reason', error)})",
            path=address,
            remedy="Check address and network",
        )
    return ModelError(
        f"The download broke off after {there / 1e6:.1f} MB",
        path=address,
        remedy="Give the same command again: it goes on where it stopped",
    )
