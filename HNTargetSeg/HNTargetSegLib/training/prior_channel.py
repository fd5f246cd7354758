"""Second channel of nnU-Net's raw data: the gradient map of each case as a file, and where its prior lesions lie."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import write_text
from HNTargetSegLib.prior.boxes import prior_boxes
from HNTargetSegLib.prior.gradient_map import gradient_map
from HNTargetSegLib.prior.options import Margin
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.prior_recipe import PriorRecipe

_FOLDER = "gradient"
PRIORS = "priors.json"
"""File beside the maps: the recipe, and the boxes of each case."""


@dataclass(frozen=True)
class TightBox:
    """Bounding box of one prior lesion, without a margin.

    Attributes
    ----------
    label
        1 or 2.
    low, high
        First voxel and the one after the last, along (k, j, i) of the image.
    """

    label: int
    low: tuple[int, int, int]
    high: tuple[int, int, int]


def map_file(raw: Path, case: TrainingCase) -> Path:
    """Where the map of a case lies under nnU-Net's raw data."""
    return raw / _FOLDER / f"{case.identifier}.nii.gz"


def write_prior_channel(raw: Path, cases: Sequence[TrainingCase], recipe: PriorRecipe) -> None:
    """Write the map of each case and ``priors.json``; maps that are there are kept.

    Margins are drawn once a case, from the recipe's seed and the case's name alone; where the recipe draws anew each
    time a case is read, the file holds the fixed map of inference, with which held-out cases are segmented.

    Raises
    ------
    BadInputError
        If a case has no prior, or the folder was begun with another recipe.
    GeometryError
        If a prior lies on another grid than its image.
    OutputError
        If the disk is full.
    """
    record = raw / PRIORS
    if record.exists():
        _require_same(json.loads(record.read_text(encoding="utf-8"))["recipe"], recipe, record)
        if all(map_file(raw, case).exists() for case in cases):
            return
    boxes = {}
    for case in cases:
        if case.prior is None:
            raise BadInputError(f"The case {case.identifier} has no prior", path=case.image)
        image = read_volume(case.image)
        prior = read_mask(case.prior, like=image)
        rng = case_generator(recipe, case.identifier) if recipe.draws is None else None
        if not map_file(raw, case).exists():
            write_volume(image.with_array(gradient_map(image, prior, recipe.gradient, rng)), map_file(raw, case))
        boxes[case.identifier] = [_tight(box.label, box.slices) for box in prior_boxes(prior.array, Margin(0))]
    write_text(record, json.dumps({"recipe": recipe.to_dict(), "boxes": boxes}) + "\n")


def read_tight_boxes(path: Path) -> dict[str, tuple[TightBox, ...]]:
    """Boxes by case of ``priors.json``."""
    content = json.loads(path.read_text(encoding="utf-8"))["boxes"]
    return {
        name: tuple(TightBox(int(label), _triple(low), _triple(high)) for label, low, high in boxes)
        for name, boxes in content.items()
    }


def case_generator(recipe: PriorRecipe, identifier: str) -> np.random.Generator:
    """Source of a case's margins: neither the order of the cases nor other cases change them."""
    return np.random.default_rng([recipe.seed, zlib.crc32(identifier.encode())])


def _tight(label: int, slices: Sequence[slice]) -> list[Any]:
    return [int(label), [part.start for part in slices], [part.stop for part in slices]]


def _triple(values: Sequence[int]) -> tuple[int, int, int]:
    k, j, i = (int(value) for value in values)
    return k, j, i


def _require_same(begun: Mapping[str, Any], recipe: PriorRecipe, path: Path) -> None:
    asked = json.loads(json.dumps(recipe.to_dict()))
    # What is drawn when a case is read is no matter of the files.
    for name in sorted({*begun, *asked} - {"draws"}):
        if begun.get(name) != asked.get(name):
            raise BadInputError(
                f"This workspace was begun with another prior: {name} was {begun.get(name)} and is to be "
                f"{asked.get(name)}",
                path=path,
                remedy="Give the same options, or choose another --workspace",
            )
