"""The options of the predictor on the command line, shared by the commands that run a model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.options import Backend, Device, FoldMean, LabelRule, Mode, PredictOptions

if TYPE_CHECKING:
    from HNTargetSegLib.pipeline import LoadedModel


def add_predict_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --device, --mode and what else changes how the network runs."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", help="name in the model store (default: the store's default)")
    group.add_argument(
        "--device", choices=get_args(Device), default="auto", help="default: auto, the quickest that is here"
    )
    group.add_argument(
        "--mode",
        choices=get_args(Mode),
        default="exact",
        help="exact: float32, with --mirror the labels of nnUNetv2_predict, without it those of its --disable_tta "
        "(default); fast: reduced precision, see the model's card",
    )
    group.add_argument(
        "--backend",
        choices=get_args(Backend),
        default="auto",
        help="what computes on the CPU (default: OpenVINO where it is installed, else PyTorch)",
    )
    group.add_argument(
        "--step", type=float, default=0.5, help="distance of tiles as a share of the patch (default 0.5)"
    )
    group.add_argument(
        "--mirror",
        action="store_true",
        help="average over mirrored inputs: 2 to 8 times the work, a little more accurate",
    )
    group.add_argument("--folds", nargs="+", help="folds to average, such as 0 1 or 0,1 (default: all)")
    group.add_argument(
        "--rule",
        choices=get_args(LabelRule),
        default="argmax",
        help="argmax (default), or threshold: a target where it exceeds --threshold",
    )
    group.add_argument("--threshold", type=float, default=0.5, help="probability for --rule threshold (default 0.5)")
    group.add_argument(
        "--fold-mean",
        choices=get_args(FoldMean),
        default="logits",
        help="logits as nnU-Net does (default), or softmax as papers write",
    )


def predict_options(options: argparse.Namespace) -> PredictOptions:
    """The options as the predictor takes them, checked."""
    return PredictOptions(
        device=options.device,
        mode=options.mode,
        backend=options.backend,
        step=options.step,
        mirror=options.mirror,
        folds=folds_from(options.folds) if options.folds else None,
        rule=options.rule,
        threshold=options.threshold,
        fold_mean=options.fold_mean,
    )


def folds_from(texts: Sequence[str]) -> tuple[str, ...]:
    """Folds of arguments such as ``("0", "1")``, ``("0,1",)`` or ``("all",)``, each once.

    Raises
    ------
    BadInputError
        If one is neither a number nor ``all``.
    """
    from HNTargetSegLib.models.card import is_fold

    folds = tuple(dict.fromkeys(fold.strip() for text in texts for fold in text.split(",")))
    if not all(is_fold(fold) for fold in folds):
        raise BadInputError(f"'{' '.join(texts)}' are no folds", remedy="Write numbers with commas, or all")
    return folds


def load_chosen_model(options: argparse.Namespace) -> LoadedModel:
    """The chosen model, its files checked against their hashes, loaded."""
    # The options first: a slip in them is reported before a model is read.
    chosen = predict_options(options)
    from HNTargetSegLib.models.store import ModelStore
    from HNTargetSegLib.pipeline import LoadedModel

    store = ModelStore.default_store()
    name = options.model or store.default().card.name
    return LoadedModel.load(store.verify(name), chosen)
