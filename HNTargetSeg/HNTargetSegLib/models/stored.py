"""A stored model: nnU-Net's plans and data set description, safetensors weights and a card, in one folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.files import sha256
from HNTargetSegLib.models.card import CARD_FILE, ModelCard, read_card, read_json_object
from HNTargetSegLib.models.plans import channel_names, check_plans, labels
from HNTargetSegLib.models.weights import WEIGHTS_FILE, read_weights

if TYPE_CHECKING:
    import torch

PLANS_FILE = "plans.json"
DATASET_FILE = "dataset.json"
FINGERPRINT_FILE = "dataset_fingerprint.json"
# What file browsers leave behind says nothing about the model.
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class StoredModel:
    """A model that can be used.

    Attributes
    ----------
    plans, dataset
        plans.json and dataset.json as they are.
    configuration
        Such as ``3d_fullres``.
    trainer
        Name of the trainer in the checkpoint; it says how the model came about and is not needed to use it.
    folds
        ``("0",)``, ``("all",)`` or ``("0", "1", ...)``.
    mirror_axes
        Spatial axes along which inference may mirror.
    """

    folder: Path
    card: ModelCard
    plans: dict[str, Any] = field(repr=False)
    dataset: dict[str, Any] = field(repr=False)
    configuration: str
    trainer: str
    folds: tuple[str, ...]
    mirror_axes: tuple[int, ...]

    @property
    def labels(self) -> dict[str, int]:
        """Name to value; values that dataset.json writes as strings are ints here."""
        return labels(self.dataset)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels in order."""
        return channel_names(self.dataset)

    @property
    def digest(self) -> str:
        """SHA-256 of the card, and through the hashes in it of the whole model: what a manifest writes down."""
        return sha256(self.folder / CARD_FILE)

    def weights_file(self, fold: str) -> Path:
        """File with the weights of one fold."""
        return self.folder / f"fold_{fold}" / WEIGHTS_FILE

    def weights(self, fold: str) -> dict[str, torch.Tensor]:
        """State dict of one fold in fp32.

        Raises
        ------
        ModelError
            If the model lacks the fold, or the file is damaged.
        """
        if fold not in self.folds:
            raise ModelError(
                f"There is no fold '{fold}'", path=self.folder, remedy=f"Choose from {', '.join(self.folds)}"
            )
        return read_weights(self.weights_file(fold))


def load_model(folder: Path) -> StoredModel:
    """Open a stored model; its weights are read when asked for.

    Files must be there and fit together; whether they are unchanged is what :func:`changed_files` says.

    Raises
    ------
    ModelError
        If something is missing, contradictory or unsafe.
    """
    folder = Path(folder)
    card = read_card(folder)
    plans = read_json_object(folder / PLANS_FILE)
    dataset = read_json_object(folder / DATASET_FILE)
    try:
        check_plans(plans, card.network.configuration)
        check_dataset(dataset, card)
    except ModelError as error:
        raise ModelError(error.what, path=folder, remedy=error.remedy) from None
    model = StoredModel(
        folder=folder,
        card=card,
        plans=plans,
        dataset=dataset,
        configuration=card.network.configuration,
        trainer=card.network.trainer,
        folds=card.network.folds,
        mirror_axes=card.network.mirror_axes,
    )
    for fold in model.folds:
        if not model.weights_file(fold).is_file():
            raise ModelError("The weights are missing", path=model.weights_file(fold), remedy="Install the model again")
    return model


def check_dataset(dataset: dict[str, Any], card: ModelCard) -> None:
    """Refuse a dataset.json whose labels cannot be used or whose channels are not as many as the card's recipe has.

    Raises
    ------
    ModelError
        As said.
    """
    labels(dataset)
    names = channel_names(dataset)
    expected = len(card.recipe.channels)
    if len(names) != expected:
        raise ModelError(
            f"dataset.json has {len(names)} channels ({', '.join(names)}), the recipe {card.recipe} has {expected}",
            remedy="Choose the recipe that fits with --recipe",
        )


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a model folder except its card, by name with ``/``."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in _LITTER)
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: sha256(path) for name, path in names.items() if name != CARD_FILE}


def changed_files(model: StoredModel) -> list[str]:
    """What differs from the card, a sentence each; empty when every file is as it was stored."""
    actual = file_hashes(model.folder)
    expected = model.card.files
    changed = [f"{name} is missing" for name in expected if name not in actual]
    changed += [f"{name} was changed" for name, digest in expected.items() if actual.get(name, digest) != digest]
    changed += [f"{name} was added" for name in actual if name not in expected]
    return changed
