"""`hntargetseg train`: from patients to a stored model through nnU-Net."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from HNTargetSegLib.cli.phantom import seed_number
from HNTargetSegLib.models.options import Device

if TYPE_CHECKING:
    from HNTargetSegLib.training.cases import TrainingCase
    from HNTargetSegLib.training.loss_choice import LossChoice
    from HNTargetSegLib.training.prior_recipe import PriorRecipe
    from HNTargetSegLib.training.publish import Publication
    from HNTargetSegLib.training.train import TrainingOptions

_EXAMPLE = """example:
  hntargetseg phantom --cases 60 --seed 1 --output patients
  hntargetseg phantom --cases 10 --seed 900 --output unseen
  hntargetseg train --data patients --preset demo --device cpu --name my-model --workspace training \\
      --assess "phantoms of style a=unseen"
  hntargetseg train --data patients --preset demo --device cpu --name dual --workspace training --loss dual --gamma 0.5
  hntargetseg train --data patients --preset demo --device cpu --name two-channel --workspace training \\
      --prior gradient --loss dual --assess "phantoms of style a=unseen"
"""


_DESCRIPTION = """Plans, preprocessing and training by nnU-Net itself. Stopped or killed, the same command goes on from
the last checkpoint.

With --seed a repetition in a fresh workspace gives the same weights on the same processor, software and number of
threads, as long as one process loads the batches (so with --device cpu; elsewhere set nnUNet_n_proc_DA=1) and nothing
interrupts it. No seed fixes the order in which several processes hand over batches, nor the rounding of GPU kernels.

The losses dual and selective are a reconstruction of the volume-aware Dice of arXiv 2604.10130, which prints no
formula. Trainings with different losses may share a workspace: the data are preprocessed once.

With --prior the network has a second channel, the gradient map of arXiv 2410.12941 in boxes round the pre-RT lesions.
Needed are registered pre-RT masks in the layout; mid-RT visits are trained on with them, and pre-RT visits, which are
never held out, with their own masks. ren2024 is the published recipe. gradient draws the prior anew each time that a
case is read (none at all, boxes left out, displaced, and round places where nothing is), so that one network serves no
prior, a registered prior and boxes drawn by hand. What is drawn follows --seed."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    from HNTargetSegLib.training.loss_choice import TRAINER_OF_LOSS
    from HNTargetSegLib.training.presets import PRESETS

    presets = "; ".join(f"{name}: {preset.about}" for name, preset in PRESETS.items())
    parser = commands.add_parser(
        "train",
        help="train a model with nnU-Net and put it into the model store",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="patients in the HNTS-MRG layout")
    parser.add_argument("--workspace", type=Path, required=True, help="folder for nnU-Net's files and the log")
    parser.add_argument("--name", required=True, help="name of the model in the store")
    parser.add_argument("--preset", default="resenc-m", help=presets)
    parser.add_argument("--visit", choices=("pre", "mid", "both"), help="visits to train on (default both)")
    parser.add_argument(
        "--device", choices=get_args(Device), default="cuda", help="default: cuda; auto takes the quickest that is here"
    )
    parser.add_argument(
        "--seed", type=seed_number, help="of initial weights, patches and augmentation (default: another each time)"
    )
    parser.add_argument("--threads", type=int, help="CPU threads of the network (default: one a core)")
    parser.add_argument(
        "--gpus", type=int, default=1, help="train on that many GPUs at once (nnU-Net's DDP; not tried by the authors)"
    )
    parser.add_argument("--loss", default="baseline", help=f"one of {', '.join(TRAINER_OF_LOSS)} (default: baseline)")
    parser.add_argument("--gamma", type=float, help="of dual and selective: 0 is ordinary Dice, 1 each lesion alike")
    add_weight_options(parser)
    _add_prior_arguments(parser)
    parser.add_argument(
        "--assess",
        action="append",
        default=[],
        metavar="COHORT=DIR",
        help="afterwards segment these patients too and write the figures into the card; may be given several times",
    )
    _add_card_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def _add_prior_arguments(parser: argparse.ArgumentParser) -> None:
    from HNTargetSegLib.training.prior_recipe import RECIPES

    parser.add_argument("--prior", choices=tuple(RECIPES), help="train with the gradient map as a second channel")
    parser.add_argument("--prior-dropout", type=float, help="of --prior gradient: chance of no prior (default 0.3)")
    parser.add_argument("--reading", choices=("code", "paper"), default="code", help="of the gradient map")


def _add_card_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, help="store the model in this folder instead of the user's store")
    parser.add_argument("--replace", action="store_true", help="replace a model of that name")
    parser.add_argument("--half", action="store_true", help="store the weights in half precision")
    parser.add_argument("--default", action="store_true", help="mark it as the model that is used when none is named")
    parser.add_argument("--about-data", default="unknown", help="what the patients are, for the model card")
    parser.add_argument("--about-assessed", default="unknown", help="what the assessed patients are, for the card")
    parser.add_argument("--limit", action="append", default=[], help="a known limit, for the card; several allowed")
    parser.add_argument("--licence", default="unknown", help="licence of the weights, for the card")


def add_weight_options(parser: argparse.ArgumentParser) -> None:
    """How lesion sizes become weights, beside gamma."""
    parser.add_argument(
        "--normalisation",
        choices=("mass", "reference"),
        help="mass (default): a label keeps its total weight; reference: lesions under --reference-cc are raised",
    )
    parser.add_argument("--reference-cc", type=float, metavar="CC", help="volume that keeps its weight")
    parser.add_argument("--maximum", type=float, help="largest weight of a lesion (default 10; 0: no limit)")
    parser.add_argument(
        "--whole-lesions", action="store_true", help="sizes of whole lesions, not of their parts in a patch"
    )


def chosen_loss(name: str, gamma: float | None, options: argparse.Namespace) -> LossChoice:
    """The loss of the options of :func:`add_weight_options`.

    Raises
    ------
    BadInputError
        If an option does not belong to the loss, or a value is out of its range.
    """
    from HNTargetSegLib.errors import BadInputError
    from HNTargetSegLib.training.loss_choice import VOLUME_AWARE, LossChoice

    maximum = None if options.maximum == 0 else options.maximum
    given = {"gamma": gamma, "normalisation": options.normalisation, "reference_cc": options.reference_cc}
    given = {key: value for key, value in given.items() if value is not None}
    if options.maximum is not None:
        given["maximum"] = maximum
    if given and name not in VOLUME_AWARE:
        listed = ", ".join(f"--{key.replace('_', '-')}" for key in given)
        raise BadInputError(f"The loss '{name}' has no {listed}", remedy=f"They belong to {' and '.join(VOLUME_AWARE)}")
    return LossChoice(name, **given, whole_lesions=options.whole_lesions)


def run(options: argparse.Namespace) -> int:
    """Train, assess, store."""
    from HNTargetSegLib.training.cases import check_case
    from HNTargetSegLib.training.publish import model_folder, publish
    from HNTargetSegLib.training.train import train

    # A polite kill must reach the children too: nnU-Net's loaders outlive their parent otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say: Callable[[str], None] = (lambda line: None) if options.json else print
    # Whatever the end of the training needs is asked for before its beginning.
    _require_free(model_folder(options.name, options.output), may_replace=options.replace)
    training = _training_options(options)
    cases = _cases(options.data, options)
    training = replace(training, prior=_with_reading(training.prior, options, cases))
    cohorts = {name: _assessed(folder, options) for name, folder in _cohorts(options.assess).items()}
    for case in (case for members in cohorts.values() for case in members):
        check_case(case)
    say(f"Live log: tensorboard --logdir {shlex.quote(str(training.results))}")
    train(cases, training, say)
    figures = _assess(training, cases, options, cohorts, say)
    model = publish(training, cases, _publication(options, figures), options.output, half=options.half)
    result = {"model": model.card.name, "folder": str(model.folder)}
    print(json.dumps(result) if options.json else f"Stored the model {model.card.name} in {model.folder}")
    return 0


def _require_free(folder: Path, *, may_replace: bool) -> None:
    from HNTargetSegLib.errors import BadInputError
    from HNTargetSegLib.files import require_replaceable
    from HNTargetSegLib.models.card import CARD_FILE

    if folder.exists() and not may_replace:
        raise BadInputError(
            "There is something at the place of the model",
            path=folder,
            remedy="Choose another --name, or add --replace",
        )
    require_replaceable(folder, CARD_FILE)


def _cases(folder: Path, options: argparse.Namespace) -> tuple[TrainingCase, ...]:
    from HNTargetSegLib.training.cases import find_cases, find_prior_cases

    return find_cases(folder, options.visit or "both") if options.prior is None else find_prior_cases(folder)


def _assessed(folder: Path, options: argparse.Namespace) -> tuple[TrainingCase, ...]:
    """Cases of patients never trained on; not those whose prior is the mask itself."""
    return tuple(case for case in _cases(folder, options) if not case.training_only)


def _chosen_prior(options: argparse.Namespace) -> PriorRecipe | None:
    from HNTargetSegLib.errors import BadInputError
    from HNTargetSegLib.training.prior_recipe import recipe_of

    drops = options.prior_dropout is not None
    if options.prior is None:
        if drops or options.reading != "code":
            raise BadInputError("--prior-dropout and --reading belong to --prior", remedy="Add --prior gradient")
        return None
    if options.visit not in (None, "both"):
        raise BadInputError("A training with a prior takes both visits", remedy="Leave --visit out")
    recipe = recipe_of(options.prior)
    if drops and recipe.draws is None:
        raise BadInputError(f"The prior {options.prior} is never dropped", remedy="Choose --prior gradient")
    if drops and recipe.draws is not None:
        recipe = replace(recipe, draws=replace(recipe.draws, dropout=options.prior_dropout))
    return recipe


def _with_reading(
    recipe: PriorRecipe | None, options: argparse.Namespace, cases: tuple[TrainingCase, ...]
) -> PriorRecipe | None:
    from HNTargetSegLib.training.prior_recipe import with_reading

    return None if recipe is None else with_reading(recipe, options.reading, cases)


def _training_options(options: argparse.Namespace) -> TrainingOptions:
    from HNTargetSegLib.models.engines import chosen_device
    from HNTargetSegLib.training.presets import preset
    from HNTargetSegLib.training.train import TrainingOptions
    from HNTargetSegLib.training.workspace import Workspace

    chosen = preset(options.preset).on_threads(options.threads).seeded(options.seed)
    # nnU-Net knows no "auto".
    device = chosen_device(options.device).type
    loss = chosen_loss(options.loss, options.gamma, options)
    prior = _chosen_prior(options)
    return TrainingOptions(chosen, Workspace(options.workspace.resolve()), device, loss, gpus=options.gpus, prior=prior)


def _publication(options: argparse.Namespace, figures: dict[str, Any]) -> Publication:
    from HNTargetSegLib.training.publish import Publication

    return Publication(
        name=options.name,
        data=options.about_data,
        licence=options.licence,
        limits=options.limit or Publication.limits,
        evaluation_data=options.about_assessed,
        default=options.default,
        command=f"hntargetseg {shlex.join(sys.argv[1:])}",
        metrics=figures,
    )


def _cohorts(pairs: list[str]) -> dict[str, Path]:
    from HNTargetSegLib.errors import BadInputError

    cohorts = {}
    for pair in pairs:
        name, separator, folder = pair.partition("=")
        if not (name and separator and folder):
            raise BadInputError(
                f"--assess '{pair}' is not COHORT=DIR", remedy='Write for example --assess "unseen=DIR"'
            )
        cohorts[name] = Path(folder)
    return cohorts


def _assess(
    training: TrainingOptions,
    cases: tuple[TrainingCase, ...],
    options: argparse.Namespace,
    cohorts: dict[str, tuple[TrainingCase, ...]],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Figures of the model as it will be stored, half precision included."""
    from HNTargetSegLib.models.options import PredictOptions
    from HNTargetSegLib.pipeline import LoadedModel
    from HNTargetSegLib.training.assess import assess, summarise
    from HNTargetSegLib.training.publish import Publication, publish

    if not cohorts:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        draft: Publication = Publication(name=options.name)
        model = publish(training, cases, draft, Path(folder) / options.name, half=options.half)
        loaded = LoadedModel.load(model, PredictOptions(device=options.device))
        figures = {name: summarise(assess(loaded, members, say)) for name, members in cohorts.items()}
        if training.prior is not None:
            for name, members in cohorts.items():
                say(f"{name}, without a prior")
                alone = [replace(case, prior=None) for case in members]
                figures[f"{name}, without a prior"] = summarise(assess(loaded, alone, say))
        return figures
