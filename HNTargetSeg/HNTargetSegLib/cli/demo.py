"""`hntargetseg demo`: the whole job on a generated patient."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.phantom import seed_number
from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, load_chosen_model
from HNTargetSegLib.cli.segment import read_images, report, segment_images, write_results
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.pipeline import SegmentOptions

if TYPE_CHECKING:
    from HNTargetSegLib.phantom import PhantomPatient

# The first from 2024 on whose patient has a primary tumour and two nodes at both visits.
_SEED = 2028


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "demo",
        help="generate a patient, segment both visits, show the lesions",
        description="Generates a synthetic patient, segments both visits with the shipped model, prints the lesion "
        "table and writes a picture. What a model trained on generated patients finds has no clinical meaning.",
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
        help="stop after the result is written (this version has no review page yet and always does)",
    )
    parser.add_argument("--json", action="store_true", help="print the lesions as JSON")
    add_predict_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Generate, segment, show."""
    from HNTargetSegLib.export.picture import write_pair
    from HNTargetSegLib.phantom import PhantomOptions, generate_patient

    say = (lambda *_: None) if options.json else print
    wanted, phantom = SegmentOptions(), PhantomOptions(style=options.style)
    with output_folder(options.output) as output:
        model = load_chosen_model(options)
        say(f"Generating a synthetic patient (style {options.style}, seed {options.seed}) ...")
        patient = generate_patient(options.seed, 0, phantom)
        visits = _write_visits(patient, output / "patient")
        say(f"Segmenting both visits with the model {model.stored.card.name} ({model.predictor.engine_name}) ...")
        results = segment_images(read_images(visits), model, wanted, quiet=options.json)
        folders = write_results(results, visits, output, model, wanted)
        picture = output / "overlay.png"
        shown = [(visit.result.image, visit.result.lesions) for visit in results.values()]
        write_pair(shown[0], shown[1], picture, title=f"Synthetic patient {patient.name}")
    report(results, folders, as_json=options.json)
    say(f"Picture: {picture}")
    say("The patient is generated and the model knows generated patients only: these figures mean nothing clinically.")
    return 0


def _write_visits(patient: PhantomPatient, folder: Path) -> dict[str, Path]:
    """Write the patient, all files or none; the images by visit, pre-RT first."""
    from HNTargetSegLib.case.layout import discover
    from HNTargetSegLib.phantom import write_patient

    with replacing_files(folder) as new:
        write_patient(patient, new)
    (files,) = discover(folder / patient.name)
    return {name: path for name, path in (("pre", files.pre), ("mid", files.mid)) if path is not None}
