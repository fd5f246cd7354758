"""Whole files or none: write under a temporary name, then rename; and their SHA-256."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from HNTargetSegLib.errors import OutputError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block succeeds.

    The temporary name keeps all suffixes (``.nii.gz``) in lower case, as writers choose the format by them. The folder
    is made when missing.

    Raises
    ------
    OutputError
        If the folder cannot be made, or the disk is full or read-only. Nothing is left behind.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        suffix = "".join(target.suffixes[-2:]).lower()
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix=suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        _keep_default_permissions(temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its place when the block succeeds.

    Raises
    ------
    OutputError
        As :func:`replacing`; an existing folder at ``path`` is only removed after the new one is complete.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
        yield temporary
        temporary.chmod(0o755)
        retired = temporary.with_name(temporary.name + "-old")
        if target.exists():
            os.replace(target, retired)
        os.replace(temporary, target)
        shutil.rmtree(retired, ignore_errors=True)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def replacing_files(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder whose files move into ``folder`` together when the block succeeds: all of them or none.

    Files in folders below move into folders of the same name. Other files in ``folder`` stay as they are. The folder is
    made when missing.

    Raises
    ------
    OutputError
        As :func:`replacing`; files that stood in ``folder`` before stand there again. One that the block raised of a
        file in the temporary folder names the place that was meant for it.
    """
    target = Path(folder)
    temporary: Path | None = None
    try:
        target.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=target))
        new, old = temporary / "new", temporary / "old"
        new.mkdir()
        old.mkdir()
        yield new
        _move_all(new, target, old)
    except OSError as error:
        raise _output_error(target, error) from error
    except OutputError as error:
        if temporary is None or error.path is None or temporary / "new" not in Path(error.path).parents:
            raise
        meant = target / Path(error.path).relative_to(temporary / "new")
        raise OutputError(error.what, path=meant, remedy=error.remedy) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _move_all(new: Path, target: Path, old: Path) -> None:
    names = sorted(file.relative_to(new) for file in new.rglob("*") if file.is_file())
    folders = sorted(folder.relative_to(new) for folder in new.rglob("*") if folder.is_dir())
    made: list[Path] = []
    done: list[Path] = []
    try:
        for name in folders:
            (old / name).mkdir()
            if not (target / name).is_dir():
                (target / name).mkdir()
                made.append(target / name)
        for name in names:
            if (target / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"there is a folder called {name}")
            _keep_default_permissions(new / name)
            done.append(name)
            if (target / name).exists():
                os.replace(target / name, old / name)
            os.replace(new / name, target / name)
    except BaseException:
        # Also when the user stops it just here.
        for name in done:
            if (old / name).exists():
                os.replace(old / name, target / name)
            elif not (new / name).exists():
                (target / name).unlink(missing_ok=True)
        for folder in reversed(made):
            folder.rmdir()
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _keep_default_permissions(path: Path) -> None:
    # mkstemp makes private files; results are meant to be read like any other file of the user.
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def _output_error(target: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"Could not be written ({reason})",
        path=target,
        remedy="Choose a folder that exists on a disk with free space and that you may write to; nothing was changed",
    )
