"""`hntargetseg evaluate`: how well predicted masks agree with the reference."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.phantom import seed_number
from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.export.manifest import Manifest
    from HNTargetSegLib.metrics.case import Rules
    from HNTargetSegLib.metrics.case_files import Pairing
    from HNTargetSegLib.metrics.evaluation import Evaluation, Sampling

_EXAMPLE = """examples:
  hntargetseg evaluate --reference truth --prediction result --output evaluation
  hntargetseg evaluate --reference truth --prediction baseline=results/a --prediction dual=results/b --output comparison

A case is a file <ID>.nii.gz or <ID>_anything.nii.gz (or another image format), or a folder <ID>/segmentation.nii.gz.
Masks hold 0 background, 1 GTVp, 2 GTVn. Written are metrics.json, report.html, cases.csv, lesions.csv, cohort.csv,
cohort.tex and manifest.json. Several predictions are compared with each other, with paired tests."""

_PRINTED = ("dsc_agg", "dsc_mean", "surface_dice_2mm", "msd_mm", "hd95_mm")
_PRINTED_LESIONS = ("lesion_sensitivity", "lesion_precision", "lesion_f1_agg")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "evaluate",
        help="compare masks with the reference: figures, tables, report",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--reference", type=Path, required=True, metavar="DIR", help="folder of the true masks")
    parser.add_argument(
        "--prediction", action="append", required=True, metavar="[NAME=]DIR", help="folder of masks; may be repeated"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the result")
    parser.add_argument(
        "--definition",
        choices=("deepmind", "medpy"),
        default="deepmind",
        help="of surface distances (default deepmind)",
    )
    parser.add_argument("--resample", choices=("nearest",), help="bring predictions onto the reference's grid")
    parser.add_argument("--size-bins", type=_volumes, metavar="CC,CC", help="lesion sizes (default 0.5,2,6)")
    parser.add_argument("--minimum-voxels", type=int, default=1, help="overlap that counts as found (default 1)")
    parser.add_argument("--match-iou", type=float, default=0.3, help="IoU over which F1agg pairs (default 0.3)")
    parser.add_argument(
        "--counts",
        choices=("pooled", "patient"),
        default="pooled",
        help="lesions counted over the cohort (default), or as the mean of each patient's share",
    )
    parser.add_argument("--bootstrap", type=int, default=2000, metavar="N", help="draws of patients (default 2000)")
    parser.add_argument("--seed", type=seed_number, default=0, help="of the bootstrap (default 0)")
    _add_file_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the cohort's figures as JSON")
    parser.set_defaults(run=run)


def _add_file_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only-common", action="store_true", help="leave out cases that are not in all folders")
    parser.add_argument("--whole-names", action="store_true", help="a file's id is its whole name, underscores and all")
    parser.add_argument("--visit", choices=("pre", "mid"), help="also look into the folders <ID>/preRT or <ID>/midRT")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the images, drawn behind the masks")
    parser.add_argument("--show", metavar="ID", help="case to draw side by side (default: the one of median DSC)")
    parser.add_argument("--no-report", action="store_true", help="write no report.html")


def run(options: argparse.Namespace) -> int:
    """Evaluate, write and print."""
    from HNTargetSegLib.export.evaluation import make_report, write_evaluation
    from HNTargetSegLib.metrics.case_files import Naming, find_images, pair_cases
    from HNTargetSegLib.metrics.evaluation import evaluate_files

    started = datetime.datetime.now(datetime.timezone.utc)
    rules, sampling = _rules(options), _sampling(options)
    naming = Naming(options.whole_names, options.visit)
    predictions = named_folders(options.prediction)
    with output_folder(options.output) as output:
        pairing = pair_cases(options.reference, predictions, naming, only_common=options.only_common)
        images = find_images(options.images, naming) if options.images else {}
        _require_shown(options.show, pairing)
        with _progress_bar(hidden=options.json) as progress:
            evaluation = evaluate_files(
                pairing.cases, rules, sampling, resample=bool(options.resample), progress=progress
            )
        document = None
        if not options.no_report:
            notes = [f"Left out: {sentence}." for sentence in pairing.left_out]
            document = make_report(evaluation, images, notes, options.show, bool(options.resample))
        manifest = _manifest(options, evaluation, pairing, started)
        write_evaluation(evaluation, output, manifest, document)
    report(evaluation, pairing, output, as_json=options.json)
    return 0


def named_folders(given: Sequence[str]) -> dict[str, Path]:
    """Folders of predictions by the name of their model: ``NAME=DIR``, or ``DIR`` with the folder's own name.

    Raises
    ------
    BadInputError
        If two have one name, or a name is empty.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        # A folder may have the sign in its own name.
        path = Path(folder) if equals and not Path(text).is_dir() else Path(text)
        name = name if path == Path(folder) and equals else path.absolute().name
        if not name:
            raise BadInputError(f"--prediction {text} has no name", remedy="Give NAME=DIR")
        if name in found:
            raise BadInputError(f"Two predictions are called {name}", remedy="Give each a name of its own: NAME=DIR")
        found[name] = path
    return found


def report(evaluation: Evaluation, pairing: Pairing, output: Path, *, as_json: bool) -> None:
    """Print the cohort's figures, or JSON."""
    from HNTargetSegLib.export.evaluation_record import cohort_record

    if as_json:
        cohorts = {name: cohort_record(cohort) for name, cohort in evaluation.cohorts.items()}
        print(json.dumps({"folder": str(output), "cases": len(evaluation.files), "cohorts": cohorts}))
        return
    for sentence in (*pairing.left_out, *evaluation.resampled):
        print(f"Note: {sentence}")
    for line in _lines(evaluation):
        print(line)
    print(f"Files: {output}")


def _lines(evaluation: Evaluation) -> Iterator[str]:
    from HNTargetSegLib.export.evaluation_tables import HEADINGS, shown, with_interval

    count = f"{len(evaluation.files)} case{'s' if len(evaluation.files) > 1 else ''}"
    for name, cohort in evaluation.cohorts.items():
        yield f"\n{name}, {count}, mean DSCagg {with_interval(cohort.dsc_agg_mean, 'dsc_agg')}"
        for label, group in cohort.labels.items():
            for figures in (_PRINTED, _PRINTED_LESIONS):
                values = (f"{HEADINGS[figure]} {shown(group.figures[figure].value, figure)}" for figure in figures)
                yield f"  {label.structure_name}  {'  '.join(values)}"
    for test in evaluation.tests:
        if test.figure == "dsc" and test.p is not None:
            pair = f"{test.models[1]} less {test.models[0]}, {test.label.structure_name}"
            yield f"{pair}: median difference of DSC {test.median_difference:+.3f}, p {test.p:.3g}, q {test.q:.3g}"


def _rules(options: argparse.Namespace) -> Rules:
    from HNTargetSegLib.metrics.case import Rules
    from HNTargetSegLib.metrics.sizes import SizeBins
    from HNTargetSegLib.metrics.surface import Definition

    if options.minimum_voxels < 1:
        raise BadInputError(f"--minimum-voxels is {options.minimum_voxels}", remedy="Give 1 or more")
    if not 0 <= options.match_iou < 1:
        raise BadInputError(f"--match-iou is {options.match_iou}", remedy="Give 0 or more and less than 1")
    bins = SizeBins() if options.size_bins is None else SizeBins(options.size_bins)
    definition = Definition(options.definition)
    return Rules(definition, options.minimum_voxels, bins, options.match_iou, options.counts == "pooled")


def _sampling(options: argparse.Namespace) -> Sampling:
    from HNTargetSegLib.metrics.evaluation import Sampling

    if not 1 <= options.bootstrap <= 1_000_000:
        raise BadInputError(f"--bootstrap is {options.bootstrap}", remedy="Give 1 to 1000000 draws")
    return Sampling(options.bootstrap, options.seed)


def _require_shown(case: str | None, pairing: Pairing) -> None:
    if case is not None and case not in [files.case for files in pairing.cases]:
        raise BadInputError(f"There is no case {case} to show", remedy="Give --show the id of a case in all folders")


def _manifest(
    options: argparse.Namespace, evaluation: Evaluation, pairing: Pairing, started: datetime.datetime
) -> Manifest:
    from HNTargetSegLib.export.manifest import Manifest

    inputs: dict[str, Path] = {}
    for files in evaluation.files:
        inputs[f"{files.case} reference"] = files.reference
        inputs.update({f"{files.case} {name}": path for name, path in files.predictions.items()})
    names = (
        *("definition", "minimum_voxels", "match_iou", "counts", "bootstrap", "seed"),
        *("resample", "only_common", "whole_names", "visit"),
    )
    parameters: Mapping[str, object] = {name: getattr(options, name) for name in names}
    return Manifest.of_run(
        inputs=dict(inputs),
        model=None,
        parameters={**parameters, "size_bins_cc": evaluation.rules.bins.edges_cc},
        device="cpu",
        started=started,
        warnings=pairing.left_out,
        resampling=evaluation.resampled,
    )


def _volumes(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of volumes such as 0.5,2,6") from error


@contextmanager
def _progress_bar(*, hidden: bool) -> Iterator[Callable[[int, int], None]]:
    from tqdm import tqdm

    # disable=None hides the bar where standard error is no terminal.
    with tqdm(desc="cases", unit="case", disable=True if hidden else None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.refresh()

        yield show
