"""The configurations that a study trains: a loss with its options, or channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.loss_choice import BASELINE, VOLUME_AWARE, LossChoice
from HNTargetSegLib.training.prior_recipe import PUBLISHED, PriorRecipe

WITHOUT_MAP, WITH_MAP = "without-map", "with-map"


@dataclass(frozen=True)
class Arm:
    """One configuration that is trained.

    Attributes
    ----------
    name
        ``baseline``, or such as ``dual-gamma0.5``: also the name of folders.
    loss
        With all its options.
    prior
        Of the second channel; None is the T2 alone.
    """

    name: str
    loss: LossChoice
    prior: PriorRecipe | None = None


def loss_arms(
    configurations: Sequence[str] = (BASELINE, *VOLUME_AWARE),
    gammas: Sequence[float] = (0.5,),
    weights: LossChoice | None = None,
) -> tuple[Arm, ...]:
    """Losses on the T2 alone, the baseline first; each gamma of a volume-aware loss is one arm.

    Parameters
    ----------
    configurations
        Losses, the baseline among them.
    gammas
        Of the volume-aware losses; 0 is the baseline and is not trained again.
    weights
        Their other options.

    Raises
    ------
    BadInputError
        If the baseline is missing, a name or value is unknown, or something is there twice.
    """
    if BASELINE not in configurations:
        raise BadInputError(
            "The configurations lack the baseline, with which all others are compared",
            remedy=f"Add {BASELINE} to --configurations",
        )
    require_each_once(configuration=configurations, gamma=gammas)
    arms = [Arm(BASELINE, LossChoice())]
    for name in configurations:
        if name in VOLUME_AWARE:
            losses = [replace(weights or LossChoice("dual"), name=name, gamma=gamma) for gamma in gammas]
            arms += [Arm(_loss_name(loss), loss) for loss in losses if loss.gamma > 0]
        elif name != BASELINE:
            arms.append(Arm(name, LossChoice(name)))
    return tuple(arms)


def prior_arms(recipes: Sequence[PriorRecipe] = (PUBLISHED,), loss: LossChoice | None = None) -> tuple[Arm, ...]:
    """The T2 alone, then the T2 with the channel of each recipe, all with one loss.

    Raises
    ------
    BadInputError
        If a recipe is there twice.
    """
    chosen = loss or LossChoice()
    names = [WITH_MAP if recipe.name == PUBLISHED.name else recipe.name for recipe in recipes]
    require_each_once(arm=names)
    arms = (Arm(name, chosen, recipe) for name, recipe in zip(names, recipes, strict=True))
    return (Arm(WITHOUT_MAP, chosen), *arms)


def masks_coincide(arms: Sequence[Arm]) -> bool:
    """Whether dual and selective are one training wherever a patch holds at most one primary tumour."""
    weighted = [arm.loss for arm in arms if arm.loss.name in VOLUME_AWARE]
    return {loss.name for loss in weighted} == set(VOLUME_AWARE) and weighted[0].normalisation == "mass"


def require_each_once(**values: Sequence[object]) -> None:
    """Refuse an empty choice, or one with something twice; raises BadInputError that names it."""
    for what, chosen in values.items():
        if not chosen or len(set(chosen)) < len(chosen):
            raise BadInputError(f"There is no {what}, or one is given twice: {tuple(chosen)}")


def _loss_name(loss: LossChoice) -> str:
    """The loss and whatever differs from the defaults: arms of one folder never share a training by mistake."""
    parts = [f"{loss.name}-gamma{loss.gamma:g}"]
    if loss.reference_cc is not None:
        parts.append(f"reference{loss.reference_cc:g}cc")
    if loss.maximum != LossChoice.maximum:
        parts.append("unlimited" if loss.maximum is None else f"maximum{loss.maximum:g}")
    if loss.whole_lesions:
        parts.append("whole")
    return "-".join(parts)
