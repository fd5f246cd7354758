"""`hntargetseg reproduce`: a paper's comparison as one command."""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.train import add_weight_options, chosen_loss
from HNTargetSegLib.models.options import Device

if TYPE_CHECKING:
    from HNTargetSegLib.training.cases import TrainingCase
    from HNTargetSegLib.training.experiments.arms import Arm
    from HNTargetSegLib.training.experiments.map_outcome import MapOutcome
    from HNTargetSegLib.training.experiments.outcome import Outcome
    from HNTargetSegLib.training.experiments.study import Study
    from HNTargetSegLib.training.folds import Fold

    _Cases = tuple[tuple[TrainingCase, ...], tuple[TrainingCase, ...]]
    """Of the study, and of patients that no training sees."""

BEIRAMI, REN = "beirami2026", "ren2024"

_DESCRIPTION = """beirami2026: nnU-Net with the baseline's loss against the volume-aware Dice on both targets (dual) and
on lymph nodes alone (selective), on patients in the HNTS-MRG layout. Raw data, plans and preprocessing once; training;
segmentation of held-out patients; then the paper's table with its numbers beside ours, intervals over patients, and a
verdict for each claim. The losses are a reconstruction: the paper prints no formula. Written are report.md, table.csv,
claims.csv, cases.csv, figures.png and manifest.json.

ren2024: mid-RT segmentation with and without the gradient map of the pre-RT tumour regions, on patients with registered
pre-RT masks; pre-RT visits are trained on too. The paper's tables by fold beside ours, violins, DSC against the change
in volume; with --unseen the ensemble of all folds on further patients, and what became of their prior lesions: the
share of vanished ones that are left alone, and of persisting ones that are kept. Written are report.md, folds.csv,
cases.csv, refusal.csv, two figures and manifest.json.

Stopped or killed, the same command goes on; what is complete is not done again, and more arms and seeds may be
added."""

_EXAMPLE = """examples:
  hntargetseg reproduce beirami2026 --data HNTSMRG24_train --output experiment --dry-run
  hntargetseg reproduce beirami2026 --data HNTSMRG24_train --output experiment --folds 5
  hntargetseg reproduce beirami2026 --data patients --preset short --device cpu --threads 1 --folds 1 --held-out 20 \\
      --seeds 1,2,3 --output experiment
  hntargetseg reproduce ren2024 --data HNTSMRG24_train --output map --folds 5
  hntargetseg reproduce ren2024 --data patients --unseen others --priors ren2024,gradient --preset short --device cpu \\
      --folds 1 --held-out 20 --output map"""

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
    parser.add_argument("paper", choices=(BEIRAMI, REN), help="which")
    parser.add_argument("--data", type=Path, required=True, help="patients in the HNTS-MRG layout")
    parser.add_argument("--output", type=Path, required=True, help="folder for trainings and result")
    parser.add_argument("--preset", default="resenc-m", help="; ".join(f"{n}: {p.about}" for n, p in PRESETS.items()))
    parser.add_argument("--device", choices=get_args(Device), default="cuda", help="default: cuda")
    parser.add_argument("--threads", type=int, help="CPU threads of the network (default: one a core)")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation by patient; 1: a single split")
    parser.add_argument("--held-out", type=int, metavar="N", help="patients that --folds 1 holds out (default a third)")
    parser.add_argument("--splits", type=Path, metavar="JSON", help="fixed folds, as nnU-Net's splits_final.json")
    parser.add_argument("--seeds", default="0", help="trainings of each arm, such as 1,2,3 (default 0)")
    _add_paper_arguments(parser)
    add_weight_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="print stages, times and disk, and do nothing")
    parser.add_argument("--only-report", action="store_true", help="compare the trainings that are complete")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def _add_paper_arguments(parser: argparse.ArgumentParser) -> None:
    """What only one of the papers has; no defaults, so that the other one can refuse it."""
    from HNTargetSegLib.training.prior_recipe import RECIPES

    parser.add_argument(
        "--gamma", help="beirami2026: one or more, such as 0,.25,.5,1 (default 0.5); ren2024: of --loss"
    )
    own = parser.add_argument_group(BEIRAMI)
    own.add_argument("--visit", choices=("pre", "mid", "both"), help="not stated in the paper (default both)")
    own.add_argument("--configurations", help="losses, the baseline among them (default baseline,dual,selective)")
    other = parser.add_argument_group(REN)
    other.add_argument("--priors", help=f"channels to train, of {', '.join(RECIPES)} (default {REN}, as published)")
    other.add_argument("--reading", choices=("code", "paper"), help="of the gradient map (default code)")
    other.add_argument("--loss", help="of all arms (default: baseline, as published)")
    other.add_argument(
        "--unseen", type=Path, metavar="DIR", help="further patients, for the ensemble and prior lesions"
    )


def run(options: argparse.Namespace) -> int:
    """Forecast, or train, compare and write."""
    from HNTargetSegLib.training.experiments.carry_out import carry_out
    from HNTargetSegLib.training.experiments.outcome import outcome
    from HNTargetSegLib.training.experiments.unseen import find_unseen

    # A polite kill must reach the children too: nnU-Net's loaders outlive their parent otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = datetime.datetime.now(datetime.timezone.utc)
    study = chosen_study(options)
    cases = study.cases()
    folds = study.split.of(cases)
    unseen = find_unseen(options.unseen, cases) if options.unseen else ()
    say: Callable[[str], None] = (lambda line: None) if options.json else print
    _say_what_coincides(study, say)
    if options.dry_run:
        return _forecast(study, cases, len(unseen), as_json=options.json)
    with output_folder(options.output) as output:
        if not options.only_report:
            carry_out(study, cases, folds, say)
        found = outcome(study, cases, folds)
        written = _write_losses if options.paper == BEIRAMI else _write_map
        report = written(found, (cases, unseen), folds, started, output, say)
    report(options.json)
    return 0


def _say_what_coincides(study: Study, say: Callable[[str], None]) -> None:
    from HNTargetSegLib.training.experiments.arms import masks_coincide
    from HNTargetSegLib.training.experiments.tables import ONE_LESION

    if masks_coincide(study.arms):
        say(f"Note: {ONE_LESION.replace('*', '')}")


def _command() -> str:
    return f"hntargetseg {shlex.join(sys.argv[1:])}"


def _write_losses(
    found: Outcome,
    cases: _Cases,
    folds: Sequence[Fold],
    started: datetime.datetime,
    output: Path,
    say: Callable[[str], None],
) -> Callable[[bool], None]:
    """Write, and give what prints the result."""
    from HNTargetSegLib.training.experiments.written import write_outcome

    write_outcome(found, cases[0], _command(), started, output)
    return lambda as_json: _report(found, output, as_json=as_json)


def _write_map(
    found: Outcome,
    cases: _Cases,
    folds: Sequence[Fold],
    started: datetime.datetime,
    output: Path,
    say: Callable[[str], None],
) -> Callable[[bool], None]:
    """Segment the patients that no training saw, write, and give what prints the result."""
    from HNTargetSegLib.training.experiments.map_outcome import map_outcome
    from HNTargetSegLib.training.experiments.map_written import write_map_outcome
    from HNTargetSegLib.training.experiments.study import generated_patients
    from HNTargetSegLib.training.experiments.unseen import segment_unseen

    unseen = segment_unseen(found.study, found.arms, found.seeds, cases, folds, say) if cases[1] else {}
    mapped = map_outcome(found, cases[0], folds, unseen, generated_patients(cases[1]))
    write_map_outcome(mapped, cases[0], _command(), started, output)
    return lambda as_json: _report_map(mapped, output, as_json=as_json)


def chosen_study(options: argparse.Namespace) -> Study:
    """The study that the options describe.

    Raises
    ------
    BadInputError
        If an option cannot be used, or belongs to the other paper.
    """
    from HNTargetSegLib.models.engines import chosen_device
    from HNTargetSegLib.training.experiments.study import Split, Study
    from HNTargetSegLib.training.presets import preset

    _refuse_foreign(options)
    # A forecast or a report may be made on another machine than the trainings.
    trains = not (options.dry_run or options.only_report)
    device = chosen_device(options.device).type if trains else options.device
    return Study(
        data=options.data,
        output=options.output,
        preset=preset(options.preset).on_threads(options.threads),
        visit=options.visit or "both",
        device="cuda" if device == "auto" else device,
        split=Split(options.folds, options.held_out, options.splits),
        seeds=_listed(options.seeds, int, "--seeds"),
        arms=_loss_arms(options) if options.paper == BEIRAMI else _prior_arms(options),
        with_priors=options.paper == REN,
    )


def _loss_arms(options: argparse.Namespace) -> tuple[Arm, ...]:
    from HNTargetSegLib.training.experiments.arms import loss_arms

    return loss_arms(
        _listed(options.configurations or "baseline,dual,selective", str, "--configurations"),
        _listed(options.gamma or "0.5", float, "--gamma"),
        chosen_loss("dual", None, options),
    )


def _prior_arms(options: argparse.Namespace) -> tuple[Arm, ...]:
    from HNTargetSegLib.training.cases import find_prior_cases
    from HNTargetSegLib.training.experiments.arms import prior_arms
    from HNTargetSegLib.training.prior_recipe import recipe_of, with_reading

    gammas = _listed(options.gamma, float, "--gamma") if options.gamma else (None,)
    loss = chosen_loss(options.loss or "baseline", gammas[0], options)
    recipes = [recipe_of(name) for name in _listed(options.priors or REN, str, "--priors")]
    if options.reading == "paper":
        cases = find_prior_cases(options.data)
        recipes = [with_reading(recipe, options.reading, cases) for recipe in recipes]
    return prior_arms(recipes, loss)


def _refuse_foreign(options: argparse.Namespace) -> None:
    from HNTargetSegLib.errors import BadInputError

    own = {BEIRAMI: ("visit", "configurations"), REN: ("priors", "reading", "loss", "unseen")}
    other = REN if options.paper == BEIRAMI else BEIRAMI
    foreign = [f"--{name}" for name in own[other] if getattr(options, name) is not None]
    if foreign:
        raise BadInputError(f"{options.paper} has no {', '.join(foreign)}", remedy=f"They belong to {other}")
    if options.paper == REN and options.gamma and "," in options.gamma:
        raise BadInputError(f"ren2024 has one loss, not several gammas ({options.gamma})", remedy="Give one --gamma")


def _listed(text: str, kind: Callable[[str], _Value], name: str) -> tuple[_Value, ...]:
    from HNTargetSegLib.errors import BadInputError

    try:
        return tuple(kind(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise BadInputError(f"{name} {text} is no list of numbers", remedy=f"Write {name} 1,2,3") from error


def _forecast(study: Study, cases: tuple[TrainingCase, ...], unseen: int, *, as_json: bool) -> int:
    from HNTargetSegLib.training.experiments.forecast import forecast
    from HNTargetSegLib.training.experiments.study import generated_patients

    folds = study.split.of(cases)
    found = forecast(study, cases, folds, unseen)
    if as_json:
        stages = [{"name": s.name, "state": s.state, "hours": s.hours, "bytes": s.disk} for s in found.stages]
        print(json.dumps({"stages": stages, "hours": found.hours, "bytes": found.disk, "free_bytes": found.free}))
        return 0
    patients = len({case.patient for case in cases})
    print(f"{patients} patients, {len(cases)} images, {generated_patients(cases)} of the patients generated")
    if unseen:
        print(f"{unseen} further patients, which no training sees")
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


def _report_map(found: MapOutcome, output: Path, *, as_json: bool) -> None:
    refusals = {
        arm: {
            "vanished": own.refusal.vanished,
            "refused": own.refusal.refused.value,
            "persisting": own.refusal.persisting,
            "kept": own.refusal.kept.value,
        }
        for arm, own in found.unseen.items()
    }
    generated = found.base.generated
    if as_json:
        print(json.dumps({"folder": str(output), "generated_patients": generated, "prior_lesions": refusals}))
        return
    if generated:
        print(f"{generated} of the patients are generated: this says nothing about people.")
    for (arm, label), own in found.all_folds.items():
        if own.without is not None and own.with_map is not None:
            print(f"{label.structure_name} mean DSC, {arm}: {own.without:.3f} to {own.with_map:.3f} (n={own.cases})")
    for arm, counts in refusals.items():
        print(f"{arm}: " + ", ".join(f"{name} {_rounded(value)}" for name, value in counts.items()))
    print(f"Files: {output}")


def _rounded(value: float | None) -> str:
    return "undefined" if value is None else f"{value:g}" if value == int(value) else f"{value:.3f}"
