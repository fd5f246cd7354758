"""The model store: models that are shipped, and models that the user installed."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import MissingDependencyError, ModelError, OutputError
from HNTargetSegLib.files import replacing_folder, sha256, user_folder
from HNTargetSegLib.models.archive import unpacked
from HNTargetSegLib.models.card import CARD_FILE, ModelCard, checked_name, unknown_card, write_card
from HNTargetSegLib.models.download import Progress, check_file, checked_digest, download, is_address, local_file
from HNTargetSegLib.models.plans import channel_names
from HNTargetSegLib.models.recipe import Recipe, guess_recipe
from HNTargetSegLib.models.results import ALL_FOLDS, FoldChoice, find_model_folder, read_results, store_from_results
from HNTargetSegLib.models.stored import StoredModel, changed_files, check_dataset, load_model
from HNTargetSegLib.resources import resource_folder

__all__ = ["InstallOptions", "ModelStore", "store_from_results", "user_models_folder"]


def user_models_folder() -> Path:
    """Folder of the user's models: HNTARGETSEG_MODELS, else where the platform keeps a user's data."""
    return user_folder("models")


@dataclass(frozen=True)
class InstallOptions:
    """How a model is installed; all may be left out.

    Attributes
    ----------
    name
        Name in the store; otherwise the card's, or the data set's.
    recipe
        What the channels are; otherwise the card's, or guessed where the channel names allow one only.
    sha256
        Hash that the zip must have; needed for a URL.
    half
        Store fp16 instead of fp32.
    part, folds
        Which of several models in the source, and which of its checkpoints.
    replace
        Whether an installed model of that name is replaced.
    licence, notes, origin
        For the card of a model that came without one: licence of the weights, further limits, where it is from.
    """

    name: str | None = None
    recipe: Recipe | None = None
    sha256: str | None = None
    half: bool = False
    part: str | None = None
    folds: FoldChoice = ALL_FOLDS
    replace: bool = False
    licence: str | None = None
    notes: tuple[str, ...] = ()
    origin: str | None = None


class ModelStore:
    """Models by name.

    Parameters
    ----------
    user_folder
        Where models are installed; :func:`user_models_folder` by default.
    shipped_folder
        Models that came with HNTargetSeg, read only; found by itself by default.
    """

    def __init__(self, user_folder: Path | None = None, shipped_folder: Path | None = None) -> None:
        self.user_folder = Path(user_folder) if user_folder is not None else user_models_folder()
        self.shipped_folder = Path(shipped_folder) if shipped_folder is not None else _shipped_folder()

    @classmethod
    def default_store(cls) -> ModelStore:
        """The store of this user on this machine."""
        return cls()

    def list(self) -> tuple[StoredModel, ...]:
        """Models that can be used, shipped ones first, by name."""
        return tuple(found for found in self._all().values() if isinstance(found, StoredModel))

    def unreadable(self) -> tuple[ModelError, ...]:
        """What is wrong with the folders that look like models and cannot be used, such as a name that is taken."""
        return tuple(found for found in self._all().values() if isinstance(found, ModelError))

    def is_shipped(self, model: StoredModel) -> bool:
        """Whether a model came with HNTargetSeg."""
        return self.shipped_folder is not None and model.folder.parent == self.shipped_folder

    def get(self, name: str) -> StoredModel:
        """Model of a name.

        Raises
        ------
        ModelError
            If there is none (the message names what there is), or it cannot be used.
        """
        found = self._all()
        models = {model.card.name: model for model in found.values() if isinstance(model, StoredModel)}
        if name in models:
            return models[name]
        for model in (model for folder, model in found.items() if folder.name == name):
            if isinstance(model, ModelError):
                raise model
            return model
        near = difflib.get_close_matches(name, models, n=1, cutoff=0.5)
        meant = f"Did you mean '{near[0]}'? " if near else ""
        raise ModelError(
            f"There is no model '{name}'",
            remedy=f"{meant}The models here are {', '.join(models)}" if models else "No model is installed yet",
        )

    def default(self) -> StoredModel:
        """Model that is used when none is named: the one whose card says so, the user's before a shipped one.

        Without such a card it is the first shipped one, else the first.

        Raises
        ------
        ModelError
            If there is no model at all.
        """
        models = self.list()
        if not models:
            raise ModelError("No model is installed", remedy="Install one with: hntargetseg models install SOURCE")
        said = sorted((model for model in models if model.card.default), key=self.is_shipped)
        return next(iter(said), models[0])

    def install(
        self, source: str | os.PathLike[str], options: InstallOptions | None = None, progress: Progress | None = None
    ) -> StoredModel:
        """Install a model from a folder, a zip or a URL.

        Parameters
        ----------
        source
            A stored model, nnU-Net's results folder or one that holds it, a zip of either (nnU-Net's export too), or
            the http, https or file address of such a zip.

        Raises
        ------
        ModelError
            If the source is incomplete, changed or unsafe, its hash is missing or wrong, or its channels are unclear.
            Nothing is installed then.
        OutputError
            If the disk is full or read-only.
        """
        options = options or InstallOptions()
        with self._opened(str(source), options, progress) as (opened, origin):
            folder = find_model_folder(opened, options.part)
            options = replace(options, origin=options.origin or origin)
            if (folder / CARD_FILE).is_file():
                return self._install_stored(folder, options)
            return self._install_results(folder, options)

    def verify(self, name: str) -> StoredModel:
        """Model whose every file is as it was stored.

        Raises
        ------
        ModelError
            That names the files that are missing, changed or added.
        """
        model = self.get(name)
        changed = changed_files(model)
        if changed:
            remedy = "Install HNTargetSeg again" if self.is_shipped(model) else "Remove the model and install it again"
            raise ModelError("; ".join(changed), path=model.folder, remedy=remedy)
        return model

    def remove(self, name: str) -> Path:
        """Delete an installed model; returns the folder that is gone.

        Raises
        ------
        ModelError
            If there is none of that name, or it was shipped.
        OutputError
            If the store is read-only, or a file is in use.
        """
        shipped = {model.card.name for model in self.list() if self.is_shipped(model)}
        installed = {model.card.name: model.folder for model in self.list() if not self.is_shipped(model)}
        broken = {folder.name: folder for folder in self._folders() if folder.parent == self.user_folder}
        folder = installed.get(name) or broken.get(name)
        if folder is None and name in shipped:
            raise ModelError(
                f"The model '{name}' came with HNTargetSeg and stays", remedy="Only installed models can be removed"
            )
        if folder is None:
            raise ModelError(f"There is no model '{name}'", remedy=f"Installed are {', '.join(installed) or 'none'}")
        try:
            _delete(folder)
        except OSError as error:
            raise OutputError(
                f"The model '{name}' could not be removed ({error.strerror or error})",
                path=folder,
                remedy="Close programs that use it and make the folder of the models writable, or delete its folder",
            ) from error
        return folder

    def _folders(self) -> Iterator[Path]:
        for home in (self.shipped_folder, self.user_folder):
            if home is not None and home.is_dir():
                children = sorted(child for child in home.iterdir() if not child.name.startswith("."))
                yield from (child for child in children if (child / CARD_FILE).is_file())

    def _all(self) -> dict[Path, StoredModel | ModelError]:
        """Each model's folder with the model, or with why it cannot be used."""
        found: dict[Path, StoredModel | ModelError] = {}
        holders: dict[str, Path] = {}
        for folder in self._folders():
            try:
                model = load_model(folder)
                holder = holders.setdefault(model.card.name, folder)
                found[folder] = model if holder == folder else _name_taken(model, holder)
            except ModelError as error:
                found[folder] = error
        return found

    @contextmanager
    def _opened(self, source: str, options: InstallOptions, progress: Progress | None) -> Iterator[tuple[Path, str]]:
        digest = options.sha256
        if is_address(source) and not source.lower().startswith("file:"):
            archive = download(source, self.user_folder / ".downloads", digest, progress)
            try:
                with unpacked(archive, self.user_folder) as folder:
                    yield folder, source
            finally:
                archive.unlink(missing_ok=True)
            return
        path = Path(source)
        if is_address(source):
            checked_digest(digest, source)
            path = local_file(source)
        if path.is_dir():
            if digest is not None:
                raise ModelError("A folder has no SHA-256", path=path, remedy="Leave --sha256 out")
            yield path, f"folder {path.name}"
        elif path.is_file():
            if digest is not None:
                check_file(path, checked_digest(digest, source), source)
            with unpacked(path, self.user_folder) as folder:
                yield folder, f"file {path.name}, SHA-256 {sha256(path)}"
        else:
            raise ModelError(
                "There is no such file or folder",
                path=path,
                remedy="Give a folder, a zip, a URL, or a name of the catalogue",
            )

    def _target(self, name: str, options: InstallOptions) -> Path:
        checked_name(name)
        for folder in self._folders():
            names = {folder.name.casefold(), _card_name(folder).casefold()}
            if name.casefold() in names and (folder.parent != self.user_folder or not options.replace):
                fixed = folder.parent != self.user_folder
                remedy = "Choose another with --name" + ("" if fixed else ", or replace it with --replace")
                raise ModelError(f"There is a model '{name}' already", path=folder, remedy=remedy)
        return self.user_folder / name

    def _install_results(self, folder: Path, options: InstallOptions) -> StoredModel:
        plans, dataset = read_results(folder)
        recipe = options.recipe or guess_recipe(channel_names(dataset))
        name = options.name or _name_from(str(plans.get("dataset_name") or folder.name))
        target = self._target(name, options)
        card = _third_party_card(name, recipe, options)
        return store_from_results(folder, target, card, options.half, options.folds)

    def _install_stored(self, folder: Path, options: InstallOptions) -> StoredModel:
        model = load_model(folder)
        changed = changed_files(model)
        if changed:
            raise ModelError(
                f"The model is not as its card says: {'; '.join(changed)}", path=folder, remedy="Get it again"
            )
        if options.half or options.folds != ALL_FOLDS:
            raise ModelError(
                "This model is stored already", path=folder, remedy="Leave --half, --folds and --checkpoint out"
            )
        name = options.name or model.card.name
        card = replace(model.card, name=name, recipe=options.recipe or model.card.recipe)
        check_dataset(model.dataset, card)
        target = self._target(name, options)
        with replacing_folder(target, marker=CARD_FILE) as temporary:
            for file in model.card.files:
                (temporary / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / file, temporary / file)
            write_card(temporary, card)
        return load_model(target)


def _shipped_folder() -> Path | None:
    try:
        return resource_folder("models")
    except MissingDependencyError:
        # A store without shipped models is still a store; whoever needs one is told by get and default.
        return None


def _delete(folder: Path) -> None:
    retired = Path(tempfile.mkdtemp(prefix=".removing-", dir=folder.parent))
    try:
        # A model that is half deleted would still be listed: the rename takes it away at once.
        folder.replace(retired / folder.name)
    except OSError:
        retired.rmdir()
        raise
    shutil.rmtree(retired)


def _name_taken(model: StoredModel, holder: Path) -> ModelError:
    return ModelError(
        f"The name '{model.card.name}' belongs to the model in {holder}",
        path=model.folder,
        remedy=f'Remove it with: hntargetseg models remove "{model.folder.name}"; to keep it under another name, '
        f'first: hntargetseg models install "{model.folder}" --name NEW-NAME',
    )


def _card_name(folder: Path) -> str:
    try:
        return load_model(folder).card.name
    except ModelError:
        return folder.name


def _name_from(text: str) -> str:
    return checked_name(re.sub(r"[^\w.+-]+", "-", text).strip("-._")[:64] or "model")


def _third_party_card(name: str, recipe: Recipe, options: InstallOptions) -> ModelCard:
    card = unknown_card(name, recipe)
    basics: dict[str, Any] = {**card.basics, "limits": [*card.limits, *options.notes]}
    if options.licence:
        basics["licence"] = options.licence
    return replace(card, basics=basics, metadata={**card.metadata, "origin": options.origin or "unknown"})
