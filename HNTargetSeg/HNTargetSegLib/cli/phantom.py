"""`hntargetseg phantom`: synthetic patients with known truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import replacing_files, require_replaceable

_EXAMPLE = """example:
  hntargetseg phantom --cases 4 --seed 7 --output patients"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "phantom",
        help="generate synthetic patients in the HNTS-MRG layout",
        description="Synthetic head-and-neck patients, pre-RT and mid-RT, with masks, lesion ids and landmarks.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cases", type=int, default=1, help="number of patients")
    parser.add_argument("--seed", type=seed_number, default=0, help="same seed, same patients")
    parser.add_argument(
        "--style", choices=("a", "b"), default="a", help="a, or b: another contrast and anatomy, never trained on"
    )
    parser.add_argument("--size", type=int, nargs=3, default=(128, 160, 56), metavar=("I", "J", "K"), help="voxels")
    parser.add_argument(
        "--spacing", type=float, nargs=3, default=(1.6, 1.6, 3.0), metavar=("I", "J", "K"), help="voxel size in mm"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for one folder a patient")
    parser.add_argument("--json", action="store_true", help="print the folders as JSON")
    parser.set_defaults(run=run)


def seed_number(text: str) -> int:
    """A seed on the command line: a whole number that is not negative."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 up")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Generate and write the patients, each with all of its files or none."""
    from tqdm import tqdm

    from HNTargetSegLib.phantom import PhantomOptions, generate_patient, write_patient

    if options.cases < 1:
        raise BadInputError(f"--cases is {options.cases}", remedy="Give 1 or more")
    wanted = PhantomOptions(style=options.style, size=tuple(options.size), spacing=tuple(options.spacing))
    folders = []
    with output_folder(options.output) as output:
        for index in tqdm(range(options.cases), desc="patients", disable=True if options.json else None):
            require_replaceable(output / str(index + 1))
            patient = generate_patient(options.seed, index, wanted)
            with replacing_files(output) as new:
                write_patient(patient, new)
            folders.append(str(output / patient.name))
    print(json.dumps({"patients": folders}) if options.json else "\n".join(folders))
    return 0
