"""`hntargetseg train`: from patients to a stored model through nnU-Net."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

_EXAMPLE = """example:
  hntargetseg phantom --cases 60 --seed 1 --output patients
  hntargetseg train --data patients --preset demo --device cpu --name my-model --workspace training"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    from HNTargetSegLib.training.presets import PRESETS

    presets = "; ".join(f"{name}: {preset.about}" for name, preset in PRESETS.items())
    parser = commands.add_parser(
        "train",
        help="train a model with nnU-Net and put it into the model store",
        description="Plans, preprocessing and training by nnU-Net itself; stopped, the same command goes on.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="patients in the HNTS-MRG layout")
    parser.add_argument("--workspace", type=Path, required=True, help="folder for nnU-Net's files and the log")
    parser.add_argument("--name", required=True, help="name of the model in the store")
    parser.add_argument("--preset", default="resenc-m", help=presets)
    parser.add_argument("--visit", choices=("pre", "mid", "both"), default="both", help="visits to train on")
    parser.add_argument("--device", default="cuda", help="cuda, mps or cpu")
    parser.add_argument("--output", type=Path, help="store the model in this folder instead of the user's store")
    parser.add_argument("--half", action="store_true", help="store the weights in half precision")
    parser.add_argument("--licence", default="unknown", help="licence of the model, for its card")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, then store."""
    from HNTargetSegLib.training.cases import find_cases
    from HNTargetSegLib.training.presets import preset
    from HNTargetSegLib.training.publish import publish
    from HNTargetSegLib.training.train import TrainingOptions, train
    from HNTargetSegLib.training.workspace import Workspace

    chosen = preset(options.preset)
    cases = find_cases(options.data, options.visit)
    training = TrainingOptions(chosen, Workspace(options.workspace.resolve()), options.device)
    train(cases, training, say=(lambda line: None) if options.json else print)
    model = publish(training, cases, options.name, options.output, half=options.half, licence=options.licence)
    result = {"model": model.card.name, "folder": str(model.folder)}
    print(json.dumps(result) if options.json else f"Stored the model {model.card.name} in {model.folder}")
    return 0
