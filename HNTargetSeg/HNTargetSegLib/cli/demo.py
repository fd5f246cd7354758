"""`hntargetseg demo`: the whole job on a generated patient, then its review."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.phantom import seed_number
from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, load_chosen_model
from HNTargetSegLib.cli.review import say_where
from HNTargetSegLib.cli.segment import input_records, read_images, report, segment_images, write_results
from HNTargetSegLib.errors import MissingDependencyError
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.pipeline import SegmentOptions
from HNTargetSegLib.web.access_options import access_options, add_access_arguments

if TYPE_CHECKING:
    from HNTargetSegLib.cli.segment import SegmentedVisit
    from HNTargetSegLib.phantom import PhantomPatient
    from HNTargetSegLib.pipeline import LoadedModel
    from HNTargetSegLib.review.session import ReviewSession
    from HNTargetSegLib.review.visit import RunRecord
    from HNTargetSegLib.web.serve import ServeOptions

# The first from 2024 on whose patient has a primary tumour and two nodes at both visits.
_SEED = 2028


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "demo",
        help="generate a patient, segment both visits, show the lesions",
        description="Generates a synthetic patient, segments both visits with the shipped model, prints the lesion "
        "table, writes a picture, and serves the review page with the result. What a model trained on generated "
        "patients finds has no clinical meaning.",
        epilog="example:\n  hntargetseg demo --no-serve",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder (default: demo-output)")
    parser.add_argument("--seed", type=seed_number, default=_SEED, help=f"which patient (default {_SEED})")
    parser.add_argument(
        "--style", choices=("a", "b"), default="a", help="style of the patient: a, or b, which the model never saw"
    )
    parser.add_argument(
        "--no-serve",
        action="store_true",
        help="stop after the result is written, without the review page",
    )
    parser.add_argument("--no-browser", action="store_true", help="open no browser for the review page")
    parser.add_argument("--json", action="store_true", help="print the lesions as JSON, and stop like --no-serve")
    add_predict_arguments(parser)
    add_access_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Generate, segment, show."""
    from HNTargetSegLib.export.picture import write_pair
    from HNTargetSegLib.phantom import PhantomOptions, generate_patient

    say = (lambda *_: None) if options.json else print
    access = access_options(options)
    wanted, phantom = SegmentOptions(), PhantomOptions(style=options.style)
    with output_folder(options.output) as output:
        model = load_chosen_model(options)
        say(f"Generating a synthetic patient (style {options.style}, seed {options.seed}) ...")
        patient = generate_patient(options.seed, 0, phantom)
        visits = _write_visits(patient, output / "patient")
        say(f"Segmenting both visits with the model {model.stored.card.name} ({model.predictor.engine_name}) ...")
        images, inputs = read_images(visits), input_records(visits)
        results = segment_images(images, model, wanted, quiet=options.json)
        folders = write_results(results, inputs, output, model, wanted)
        picture = output / "overlay.png"
        shown = [(visit.result.image, visit.result.lesions) for visit in results.values()]
        write_pair(shown[0], shown[1], picture, title=f"Synthetic patient {patient.name}")
    report(results, folders, as_json=options.json)
    say(f"Picture: {picture}")
    say("The patient is generated and the model knows generated patients only: these figures mean nothing clinically.")
    if not (options.no_serve or options.json):
        from HNTargetSegLib.web.serve import ServeOptions

        runs = {name: _run_record(visit, model, wanted) for name, visit in results.items()}
        begin = partial(_begin_review, visits=visits, results=results, runs=runs, name=f"Synthetic {options.seed}")
        _serve(
            ServeOptions(begin=begin, roots=(options.output.absolute(),), access=access, browser=not options.no_browser)
        )
    return 0


def _serve(options: ServeOptions) -> None:
    """The review page; the demo has done its job where the page cannot be had."""
    for warning in options.access.warnings():
        print(f"Warning: {warning}", file=sys.stderr)
    from HNTargetSegLib.web.serve import serve

    try:
        serve(options, say_where)
    except MissingDependencyError as error:
        print(f"No review page: {error}")


def _begin_review(
    session: ReviewSession,
    *,
    visits: Mapping[str, Path],
    results: Mapping[str, SegmentedVisit],
    runs: Mapping[str, RunRecord],
    name: str,
) -> None:
    """Open the images without the truth that lies beside them, with what the model found."""
    from HNTargetSegLib.case.patient import Visit
    from HNTargetSegLib.review.case import case_of_images

    session.open(case_of_images(visits.get("pre"), visits.get("mid"), name))
    for key, visit in results.items():
        session.take_proposal(Visit(key), visit.result.lesions, runs[key], visit.result.candidates)


def _run_record(visit: SegmentedVisit, model: LoadedModel, wanted: SegmentOptions) -> RunRecord:
    from HNTargetSegLib.export.manifest import ModelRecord
    from HNTargetSegLib.review.visit import RunRecord

    return RunRecord.ending_now(
        model=ModelRecord.of(model.stored),
        device=str(model.predictor.engine_name),
        predict=model.predictor.options,
        options=wanted,
        started=visit.started,
        seconds=visit.result.seconds,
        warnings=visit.result.warnings,
    )


def _write_visits(patient: PhantomPatient, folder: Path) -> dict[str, Path]:
    """Write the patient, all files or none; the images by visit, pre-RT first."""
    from HNTargetSegLib.case.layout import discover
    from HNTargetSegLib.phantom import write_patient

    with replacing_files(folder) as new:
        write_patient(patient, new)
    (files,) = discover(folder / patient.name)
    return {name: path for name, path in (("pre", files.pre), ("mid", files.mid)) if path is not None}
