"""Files of the user: written whole or not at all, their SHA-256, and the folders where the platform keeps them."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

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
def replacing_folder(path: str | os.PathLike[str], *, marker: str | None = None) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its place when the block succeeds.

    Parameters
    ----------
    marker
        File that a folder at ``path`` must hold to be replaced; without it only an empty folder is.

    Raises
    ------
    OutputError
        As :func:`replacing`, and as :func:`require_replaceable` before the block runs. An existing folder at ``path``
        is only removed after the new one has its place.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        require_replaceable(target, marker)
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
        yield temporary
        temporary.chmod(0o755)
        # Again: the block may have run for hours.
        require_replaceable(target, marker)
        _swap(temporary, target)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def require_replaceable(folder: str | os.PathLike[str], marker: str | None = None) -> None:
    """Refuse a place where something lies that is not ours to replace.

    Parameters
    ----------
    marker
        File that says that a folder is ours, such as ``card.json``.

    Raises
    ------
    OutputError
        If there is a file, or a folder that is neither empty nor holds ``marker``.
    """
    target = Path(folder)
    if target.is_dir():
        if (marker is not None and (target / marker).is_file()) or not any(target.iterdir()):
            return
        what = "This folder holds other files and is not replaced"
        raise OutputError(what, path=target, remedy="Name a new folder, or empty this one; nothing was changed")
    if target.exists():
        raise OutputError("There is a file of that name", path=target, remedy="Name a new folder; nothing was changed")


def _swap(new: Path, target: Path) -> None:
    retired = new.with_name(new.name + "-old")
    try:
        if target.exists():
            os.replace(target, retired)
        os.replace(new, target)
    except BaseException:
        # Also when the user stops it just here.
        if retired.exists() and not target.exists():
            os.replace(retired, target)
        raise
    shutil.rmtree(retired, ignore_errors=True)


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


def user_folder(kind: Literal["models", "cache", "settings"]) -> Path:
    """Folder of the user's models, of what can be computed again, or of the settings.

    ``HNTARGETSEG_MODELS``, ``HNTARGETSEG_CACHE`` and ``HNTARGETSEG_SETTINGS`` name others; otherwise it
    is where the platform keeps such files.
    """
    chosen = os.environ.get(f"HNTARGETSEG_{kind.upper()}")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "HNTargetSeg" / kind
    if sys.platform == "darwin":
        library = Path.home() / "Library"
        return (
            library / "Caches" / "HNTargetSeg"
            if kind == "cache"
            else library / "Application Support" / "HNTargetSeg" / kind
        )
    variable, usual = _XDG[kind]
    base = Path(os.environ.get(variable) or Path.home() / usual) / "HNTargetSeg"
    return base / kind if kind == "models" else base


_XDG = {
    "models": ("XDG_DATA_HOME", ".local/share"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "settings": ("XDG_CONFIG_HOME", ".config"),
}


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
