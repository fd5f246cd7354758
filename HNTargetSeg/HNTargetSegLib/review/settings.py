"""What a user has chosen once and for all: interpreter, model, name; one file for both faces."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import user_folder, write_text

RECENT_KEPT = 10


@dataclass(frozen=True)
class Settings:
    """Choices of the user.

    Attributes
    ----------
    reviewer
        Name that is written into exports.
    interpreter
        Python that runs the models; empty takes Slicer's own, or the running one.
    model
        Name in the model store; empty takes the store's default.
    device, mode
        As of :class:`~HNTargetSegLib.models.options.PredictOptions`.
    recent
        Folders of patients, the last one first.
    """

    reviewer: str = ""
    interpreter: str = ""
    model: str = ""
    device: str = "auto"
    mode: str = "exact"
    recent: tuple[str, ...] = ()

    def with_recent(self, folder: str | Path) -> Settings:
        """The settings with a patient's folder as the last one opened."""
        path = str(Path(folder).absolute())
        return replace(self, recent=(path, *(old for old in self.recent if old != path))[:RECENT_KEPT])


def settings_file() -> Path:
    """Where the settings lie."""
    return user_folder("settings") / "settings.json"


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings; the defaults where there are none.

    Raises
    ------
    BadInputError
        If the file cannot be read or is damaged.
    """
    source = path or settings_file()
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
        return Settings(**_checked(content))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(
            f"The settings cannot be read ({error})", path=source, remedy="Delete the file to begin with the defaults"
        ) from error


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings, whole or not at all.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    write_text(path or settings_file(), json.dumps(asdict(settings), indent=2, ensure_ascii=False) + "\n")


def _checked(content: Any) -> dict[str, Any]:
    """Known entries of the right kind; entries of a later version are left out."""
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    known = {field.name for field in fields(Settings)}
    chosen = {key: value for key, value in content.items() if key in known}
    recent = chosen.pop("recent", [])
    if not all(isinstance(value, str) for value in chosen.values()):
        raise ValueError("an entry is not text")
    if not isinstance(recent, list) or not all(isinstance(value, str) for value in recent):
        raise ValueError("'recent' is not a list of folders")
    return {**chosen, "recent": tuple(recent)}
