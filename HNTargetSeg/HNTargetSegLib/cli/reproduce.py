"""`hntargetseg reproduce`: a paper's comparison as one command."""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.train import add_weight_options, chosen_loss
from HNTargetSegLib.models.options import Device

if TYPE_CHECKING:
    from HNTargetSegLib.training.experiments.outcome import Outcome
    from HNTargetSegLib.training.experiments.study import Study

_PAPERS = ("beirami2026",)

_DESCRIPTION = """beirami2026: nnU-Net with the baseline's loss against the volume-aware Dice on both targets (dual) and
on lymph nodes alone (selective), on patients in the HNTS-MRG layout. Raw data, plans and preprocessing once; training;
segmentation of held-out patients; then the paper's table with its numbers beside ours, intervals over patients, and a
verdict for each claim. The losses are a reconstruction: the paper prints no formula.

Stopped or killed, the same command goes on; what is complete is not done again, and more configurations, gammas and
seeds may be added. Written are report.md, table.csv, claims.csv, cases.csv, figures.png and manifest.json."""

_EXAMPLE = """examples:
  hntargetseg reproduce beirami2026 --data HNTSMRG24_train --output experiment --dry-run
  hntargetseg reproduce beirami2026 --data HNTSMRG24_train --output experiment --folds 5
  hntargetseg reproduce beirami2026 --data patients --preset short --device cpu --threads 1 --folds 1 --held-out 20 \\
      --seeds 1,2,3 --output experiment"""

_Value = TypeVar("_Value", int, float, str)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    from HNTargetSegLib.training.presets import PRESETS

    parser = commands.add_parser(
        "reproduce",
        help="repeat a paper's experiment and print its table beside ours",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paper", choices=_PAPERS, help="which")
    parser.add_argument("--data", type=Path, required=True, help="patients in the HNTS-MRG layout")
    parser.add_argument("--output", type=Path, required=True, help="folder for trainings and result")
    parser.add_argument("--visit", choices=("pre", "mid", "both"), default="both", help="not stated in the paper")
    parser.add_argument("--preset", default="resenc-m", help="; ".join(f"{n}: {p.about}" for n, p in PRESETS.items()))
    parser.add_argument("--device", choices=get_args(Device), default="cuda", help="default: cuda")
    parser.add_argument("--threads", type=int, help="CPU threads of the network (default: one a core)")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation by patient; 1: a single split")
    parser.add_argument("--held-out", type=int, metavar="N", help="patients that --folds 1 holds out (default a third)")
    parser.add_argument("--splits", type=Path, metavar="JSON", help="fixed folds, as nnU-Net's splits_final.json")
    parser.add_argument("--seeds", default="0", help="trainings of each arm, such as 1,2,3 (default 0)")
    parser.add_argument("--configurations", default="baseline,dual,selective", help="losses, the baseline among them")
    parser.add_argument("--gamma", default="0.5", help="one or more, such as 0,.25,.5,1 (default 0.5)")
    add_weight_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="print stages, times and disk, and do nothing")
    parser.add_argument("--only-report", action="store_true", help="compare the trainings that are complete")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Forecast, or train, compare and write."""
    from HNTargetSegLib.training.experiments.carry_out import carry_out
    from HNTargetSegLib.training.experiments.outcome import outcome
    from HNTargetSegLib.training.experiments.tables import ONE_LESION
    from HNTargetSegLib.training.experiments.written import write_outcome

    # A polite kill must reach the children too: nnU-Net's loaders outlive their parent otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = datetime.datetime.now(datetime.timezone.utc)
    study = chosen_study(options)
    cases = study.cases()
    folds = study.split.of(cases)
    say: Callable[[str], None] = (lambda line: None) if options.json else print
    if study.masks_coincide:
        say(f"Note: {ONE_LESION.replace('*', '')}")
    if options.dry_run:
        return _forecast(study, options)
    with output_folder(options.output) as output:
        if not options.only_report:
            carry_out(study, cases, folds, say)
        found = outcome(study, cases, folds)
        write_outcome(found, cases, f"hntargetseg {shlex.join(sys.argv[1:])}", started, output)
    _report(found, output, as_json=options.json)
    return 0


def chosen_study(options: argparse.Namespace) -> Study:
    """The study that the options describe.

    Raises
    ------
    BadInputError
        If an option cannot be used.
    """
    from HNTargetSegLib.models.engines import chosen_device
    from HNTargetSegLib.training.experiments.study import Split, Study
    from HNTargetSegLib.training.presets import preset

    # A forecast or a report may be made on another machine than the trainings.
    trains = not (options.dry_run or options.only_report)
    device = chosen_device(options.device).type if trains else options.device
    return Study(
        data=options.data,
        output=options.output,
        preset=preset(options.preset).on_threads(options.threads),
        visit=options.visit,
        device="cuda" if device == "auto" else device,
        split=Split(options.folds, options.held_out, options.splits),
        seeds=_listed(options.seeds, int, "--seeds"),
        configurations=_listed(options.configurations, str, "--configurations"),
        gammas=_listed(options.gamma, float, "--gamma"),
        weights=chosen_loss("dual", None, options),
    )


def _listed(text: str, kind: Callable[[str], _Value], name: str) -> tuple[_Value, ...]:
    from HNTargetSegLib.errors import BadInputError

    try:
        return tuple(kind(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise BadInputError(f"{name} {text} is no list of numbers", remedy=f"Write {name} 1,2,3") from error


def _forecast(study: Study, options: argparse.Namespace) -> int:
    from HNTargetSegLib.training.experiments.forecast import forecast
    from HNTargetSegLib.training.experiments.study import generated_patients

    cases = study.cases()
    folds = study.split.of(cases)
    found = forecast(study, cases, folds)
    if options.json:
        stages = [{"name": s.name, "state": s.state, "hours": s.hours, "bytes": s.disk} for s in found.stages]
        print(json.dumps({"stages": stages, "hours": found.hours, "bytes": found.disk, "free_bytes": found.free}))
        return 0
    patients = len({case.patient for case in cases})
    print(f"{patients} patients, {len(cases)} images, {generated_patients(cases)} of the patients generated")
    print(f"Arms: {', '.join(arm.name for arm in study.arms)}; seeds {', '.join(map(str, study.seeds))}")
    held_out = ", ".join(str(len({c.patient for c in cases if c.identifier in set(f["val"])})) for f in folds)
    print(f"Held-out patients by fold: {held_out}")
    print("\n".join(found.lines()))
    return 0


def _report(found: Outcome, output: Path, *, as_json: bool) -> None:
    if as_json:
        claims = [{"claim": t.claim.text, "arm": t.arm, "verdict": t.verdict.value} for t in found.claims]
        print(json.dumps({"folder": str(output), "generated_patients": found.generated, "claims": claims}))
        return
    if found.generated:
        print(f"{found.generated} of the patients are generated: this says nothing about people.")
    for tested in found.claims:
        print(f"{tested.claim.text} ({tested.arm}): {tested.verdict.value}")
    print(f"Files: {output}")
