"""`hntargetseg demo`: the whole job on a generated patient."""

from __future__ import annotations

import argparse
from pathlib import Path

from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, load_chosen_model
from HNTargetSegLib.cli.segment import report, segment_files

_SEED = 2024


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
    parser.add_argument("--seed", type=int, default=_SEED, help=f"which patient (default {_SEED})")
    parser.add_argument("--style", default="a", help="style of the patient: a, or b, which the model never saw")
    parser.add_argument(
        "--no-serve",
        action="store_true",
        help="stop after the result is written (this version has no review page yet and always does)",
    )
    parser.add_argument("--json", action="store_true", help="print the lesions as JSON")
    add_predict_arguments(parser)
    parser.set_defaults(run=run, minimum_cc=0.0, candidates=False)


def run(options: argparse.Namespace) -> int:
    """Generate, segment, show."""
    from HNTargetSegLib.case.layout import discover
    from HNTargetSegLib.case.write import ensure_writable_folder
    from HNTargetSegLib.export.picture import write_pair
    from HNTargetSegLib.phantom import PhantomOptions, generate_patient, write_patient

    say = (lambda *_: None) if options.json else print
    output = ensure_writable_folder(options.output)
    say(f"Generating a synthetic patient (style {options.style}, seed {options.seed}) ...")
    patient = generate_patient(options.seed, 0, PhantomOptions(style=options.style))
    (files,) = discover(write_patient(patient, output / "patient"))
    model = load_chosen_model(options)
    say(f"Segmenting both visits with the model {model.stored.card.name} ({model.predictor.engine_name}) ...")
    assert files.pre is not None
    assert files.mid is not None
    results = segment_files({"pre": files.pre, "mid": files.mid}, output, model, options)
    picture = output / "overlay.png"
    (pre, _), (mid, _) = results["pre"], results["mid"]
    write_pair((pre.image, pre.lesions), (mid.image, mid.lesions), picture, title=f"Synthetic patient {patient.name}")
    report(results, as_json=options.json)
    say(f"Picture: {picture}")
    say("The patient is generated and the model knows generated patients only: these figures mean nothing clinically.")
    return 0
