"""Folders that the page may look into: everything else on the machine stays out of its sight."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from HNTargetSegLib.errors import BadInputError


@dataclass(frozen=True)
class AllowedFolders:
    """Folders whose content a page may list and open.

    Attributes
    ----------
    roots
        The folders themselves, with all links in their paths resolved.
    """

    roots: tuple[Path, ...]

    @classmethod
    def of(cls, folders: Iterable[str | os.PathLike[str]]) -> AllowedFolders:
        """From folders as a user names them; the same folder twice counts once."""
        return cls(tuple(dict.fromkeys(Path(folder).expanduser().resolve() for folder in folders)))

    def checked(self, path: str | os.PathLike[str]) -> Path:
        """The resolved path, if it lies in one of the folders.

        Raises
        ------
        BadInputError
            If it does not, once ``..`` and every link in it are followed, or there is nothing at all.
        """
        text = os.fspath(path)
        try:
            # A relative path would depend on where the program was started.
            found = Path(text).expanduser() if text else None
            resolved = None if found is None or not found.is_absolute() else found.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            resolved = None
        if resolved is None or not self._holds(resolved):
            # One answer for both: whether a file exists elsewhere is nobody's business.
            raise BadInputError(
                "There is no such file or folder among those that this page may open",
                path=text.replace("\0", " "),
                remedy="Choose one below: " + ", ".join(map(str, self.roots)),
            )
        return resolved

    def subfolders(self, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
        """Folders directly below, by name; hidden ones and links that lead outside are left out.

        Raises
        ------
        BadInputError
            As :meth:`checked`, and if the folder cannot be listed.
        """
        return tuple(path for path in self._listed(folder) if path.is_dir())

    def files(self, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
        """Files directly in a folder, by name; hidden ones and links that lead outside are left out.

        Raises
        ------
        BadInputError
            As :meth:`subfolders`.
        """
        return tuple(path for path in self._listed(folder) if path.is_file())

    def parent(self, folder: str | os.PathLike[str]) -> Path | None:
        """The folder above, if it may be seen.

        Raises
        ------
        BadInputError
            As :meth:`checked`.
        """
        above = self.checked(folder).parent
        return above if self._holds(above) else None

    def _listed(self, folder: str | os.PathLike[str]) -> list[Path]:
        home = self.checked(folder)
        try:
            entries = sorted(home.iterdir(), key=lambda path: path.name.casefold())
            return [path for path in entries if not path.name.startswith(".") and self._holds(path.resolve())]
        except OSError as error:
            raise BadInputError(
                f"The folder cannot be listed ({error.strerror or error})",
                path=home,
                remedy="Choose a folder that you may read",
            ) from error

    def _holds(self, resolved: Path) -> bool:
        return any(resolved == root or root in resolved.parents for root in self.roots)
