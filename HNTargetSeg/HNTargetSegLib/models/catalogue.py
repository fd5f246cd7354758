"""Public weights that are known by name: where they are, under which terms, and how to get them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.card import checked_name, read_json_object
from HNTargetSegLib.models.recipe import Recipe, recipe_from
from HNTargetSegLib.resources import resource_folder

CATALOGUE_FILE = "catalogue.json"
_TEXTS = ("name", "title", "page", "recipe", "licence", "question", "statement")


@dataclass(frozen=True)
class CatalogueEntry:
    """One model of other people.

    Attributes
    ----------
    page
        Address for people, where the weights and their terms are.
    file, sha256
        Address of a zip and its hash; None where the authors publish no single file or no hash, so that it cannot be
        checked and the user must download it.
    question
        What the user must agree to.
    statement
        Whether and how it was tested here.
    steps
        What to do by hand when there is no ``file``.
    """

    name: str
    title: str
    page: str
    recipe: Recipe
    licence: str
    question: str
    statement: str
    steps: tuple[str, ...]
    file: str | None = None
    sha256: str | None = None

    @property
    def automatic(self) -> bool:
        """Whether it can be downloaded and checked without the user."""
        return self.file is not None and self.sha256 is not None

    def instructions(self) -> str:
        """What to do by hand, numbered."""
        steps = [*self.steps, f"hntargetseg models install FOLDER_OR_ZIP --catalogue {self.name}"]
        return "; ".join(f"({number}) {step}" for number, step in enumerate(steps, start=1))


def read_catalogue(path: Path | None = None) -> dict[str, CatalogueEntry]:
    """Entries by name.

    Parameters
    ----------
    path
        A catalogue of one's own instead of the shipped one.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    path = path or resource_folder("models") / CATALOGUE_FILE
    listed = read_json_object(path).get("models")
    if not isinstance(listed, list):
        raise ModelError("The catalogue has no list 'models'", path=path, remedy="Install HNTargetSeg again")
    try:
        entries = [_entry(fields) for fields in listed]
    except ModelError as error:
        raise ModelError(error.what, path=path, remedy="Correct the catalogue") from None
    return {entry.name: entry for entry in entries}


def _entry(fields: Any) -> CatalogueEntry:
    if not isinstance(fields, dict):
        raise ModelError("An entry of the catalogue is not an object")
    missing = [key for key in _TEXTS if not isinstance(fields.get(key), str)]
    if missing:
        raise ModelError(f"The catalogue's entry {fields.get('name')!r} lacks {', '.join(missing)}")
    texts = {key: fields[key] for key in _TEXTS if key not in ("recipe", "name")}
    return CatalogueEntry(
        name=checked_name(fields["name"]),
        recipe=recipe_from(fields["recipe"]),
        steps=tuple(str(step) for step in fields.get("steps", ())),
        file=fields.get("file"),
        sha256=fields.get("sha256"),
        **texts,
    )
