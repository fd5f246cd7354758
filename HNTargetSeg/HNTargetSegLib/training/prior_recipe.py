"""How a network learns to read the gradient map: as published, or so that it can also do without it and refuse it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.prior.boxes import PUBLISHED_TRAINING_MARGIN
from HNTargetSegLib.prior.gradient_map import fitted_scale
from HNTargetSegLib.prior.options import GradientOptions, Margin, Reading
from HNTargetSegLib.training.cases import TrainingCase

Normalisation = Literal["noNorm", "zscore"]

_TRAINING_MARGIN = Margin(drawn=PUBLISHED_TRAINING_MARGIN)


@dataclass(frozen=True)
class Draws:
    """What is changed at random each time that a case is read in training.

    Attributes
    ----------
    dropout
        Chance that the whole channel is zero: the network must do without a prior.
    missing
        Chance of each box to be left out: what is new, or was not delineated before, must be found too.
    displaced
        Standard deviation of a box's shift, as a share of its size along each axis: registrations are not exact, and
        hands are not steady.
    empty
        Chance of a box, up to two a case, round a place where nothing is: the side-reversed place of a prior lesion, or
        any place in the body. Such places, and those of vanished lesions, are also drawn as the middle of patches.

    Raises
    ------
    BadInputError
        If a chance is not between 0 and 1, or the shift is negative.
    """

    dropout: float = 0.3
    missing: float = 0.1
    displaced: float = 0.12
    empty: float = 0.5

    def __post_init__(self) -> None:
        for name in ("dropout", "missing", "empty"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInputError(f"The chance '{name}' of a prior is {getattr(self, name)}, not between 0 and 1")
        if not self.displaced >= 0:
            raise BadInputError(f"Boxes cannot be displaced by {self.displaced} of their size")


@dataclass(frozen=True)
class PriorRecipe:
    """Second channel of a training: the gradient map of Ren et al. (arXiv 2410.12941).

    Attributes
    ----------
    name
        Also part of the data set's name.
    gradient
        The map. Where its margin is drawn it is so in training; at inference it is fixed.
    normalisation
        nnU-Net's, of the map: ``zscore`` as published, where each box's values depend on how many others there are, or
        ``noNorm``.
    draws
        What changes each time a case is read. None: nothing does; margins are drawn once a case when the data are
        converted, as in the published code, for held-out cases too.
    seed
        Of the margins that are drawn at conversion. What is drawn when a case is read follows the training's seed.
    """

    name: str
    gradient: GradientOptions = field(default_factory=lambda: GradientOptions(margin=_TRAINING_MARGIN))
    normalisation: Normalisation = "noNorm"
    draws: Draws | None = None
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @property
    def in_words(self) -> str:
        """For a model's card."""
        low, high = self.gradient.margin.drawn or (self.gradient.margin.voxels,) * 2
        said = [
            f"gradient map under the reading '{self.gradient.reading}' in boxes with margins of {low} to {high} voxels",
            f"normalised by {self.normalisation}",
        ]
        if self.draws is None:
            said.append(f"drawn once a case with seed {self.seed}; pre-RT visits with their own mask as prior")
        else:
            said.append(
                "drawn anew each time: no prior at all with a chance of "
                f"{self.draws.dropout:g}, a box left out {self.draws.missing:g}, boxes displaced by "
                f"{self.draws.displaced:.0%} of their size, boxes where nothing is {self.draws.empty:g}"
            )
        return ", ".join(said)


PUBLISHED = PriorRecipe("ren2024", normalisation="zscore")
"""As the published code has it."""

REFUSING = PriorRecipe("gradient", draws=Draws())
"""This project's: serves no prior, a registered prior and boxes drawn by hand with one network."""

RECIPES = {recipe.name: recipe for recipe in (REFUSING, PUBLISHED)}


def dataset_name(recipe: PriorRecipe) -> str:
    """nnU-Net's name of the data set with this channel."""
    return f"HNTargetSeg_{recipe.name}_{recipe.gradient.reading}"


def dataset_number(recipe: PriorRecipe) -> int:
    """nnU-Net's number of it; 524 is the data set of the T2 alone."""
    known = [f"HNTargetSeg_{name}_{reading}" for name in RECIPES for reading in get_args(Reading)]
    return 525 + known.index(dataset_name(recipe))


def recipe_from_dict(content: Mapping[str, Any]) -> PriorRecipe:
    """The recipe of its JSON form."""
    gradient, draws = dict(content["gradient"]), content["draws"]
    margin = dict(gradient.pop("margin"))
    drawn = margin.pop("drawn")
    margin["drawn"] = None if drawn is None else (int(drawn[0]), int(drawn[1]))
    options = GradientOptions(margin=Margin(**margin), **gradient)
    return PriorRecipe(
        content["name"], options, content["normalisation"], None if draws is None else Draws(**draws), content["seed"]
    )


def recipe_of(name: str) -> PriorRecipe:
    """Look a recipe up.

    Raises
    ------
    BadInputError
        If there is none of that name.
    """
    if name not in RECIPES:
        raise BadInputError(f"There is no prior '{name}'", remedy=f"Choose one of {', '.join(RECIPES)}")
    return RECIPES[name]


def with_reading(recipe: PriorRecipe, reading: Reading, cases: Iterable[TrainingCase]) -> PriorRecipe:
    """The recipe under a reading of the method; the paper's needs one scale, which is fitted on the cases.

    Errors are those of :func:`~HNTargetSegLib.prior.gradient_map.fitted_scale`.
    """
    if reading == recipe.gradient.reading:
        return recipe
    scale = None
    if reading == "paper":
        with_prior = ((read_volume(case.image), case.prior) for case in cases if case.prior is not None)
        scale = fitted_scale(((image, read_mask(prior, like=image)) for image, prior in with_prior), recipe.gradient)
    return replace(recipe, gradient=replace(recipe.gradient, reading=reading, scale=scale))
