"""`hntargetseg segment`: MR in, segments and lesions out."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, load_chosen_model, predict_options
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.pipeline import SegmentOptions, segment_visit

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.export.manifest import InputRecord
    from HNTargetSegLib.pipeline import LoadedModel, VisitResult

_EXAMPLE = """examples:
  hntargetseg segment --mid midRT_T2.nii.gz --output result
  hntargetseg segment --mid dicom/midRT --pre dicom/preRT --output result

One visit is written into DIR itself, two into DIR/preRT and DIR/midRT: segmentation.nii.gz (0 background, 1 GTVp,
2 GTVn), lesions.nii.gz (lesion ids), lesions.csv, manifest.json and overlay.png.
Images are NIfTI, NRRD, MHA or a DICOM folder."""


@dataclass(frozen=True, eq=False)
class SegmentedVisit:
    """The result of one visit and when its segmentation began."""

    result: VisitResult
    started: datetime.datetime


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "segment",
        help="segment a patient's T2-weighted MR and list the lesions",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--mid", type=Path, metavar="T2", help="mid-RT T2-weighted MR")
    parser.add_argument("--pre", type=Path, metavar="T2", help="pre-RT T2-weighted MR")
    parser.add_argument("--visit", choices=("pre", "mid", "both"), help="visits to segment (default: those given)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the result")
    parser.add_argument("--minimum-cc", type=float, default=0.0, help="leave out smaller lesions (default 0: keep all)")
    parser.add_argument("--candidates", action="store_true", help="also list what the model was in doubt about")
    parser.add_argument("--json", action="store_true", help="print the lesions as JSON")
    add_predict_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Segment the visits and write each one's folder."""
    # In order of cost: a slip in the options, an unusable folder or image is said before a network is loaded.
    visits = chosen_visits(options.visit, {"pre": options.pre, "mid": options.mid})
    predict_options(options)
    wanted = SegmentOptions(minimum_cc=options.minimum_cc, candidates=options.candidates)
    with output_folder(options.output) as output:
        images = read_images(visits)
        inputs = input_records(visits)
        model = load_chosen_model(options)
        results = segment_images(images, model, wanted, quiet=options.json)
        folders = write_results(results, inputs, output, model, wanted)
    report(results, folders, as_json=options.json)
    return 0


def chosen_visits(visit: str | None, given: dict[str, Path | None]) -> dict[str, Path]:
    """The visits to segment with their images, pre-RT first.

    Raises
    ------
    BadInputError
        If a visit is asked for whose image was not given, or none was given.
    """
    wanted = {"pre": ("pre",), "mid": ("mid",), "both": ("pre", "mid")}.get(visit or "")
    if wanted is None:
        wanted = tuple(name for name in ("pre", "mid") if given[name] is not None)
    if not wanted:
        raise BadInputError("No image was given", remedy="Give --mid T2, --pre T2 or both")
    chosen = {}
    for name in wanted:
        path = given[name]
        if path is None:
            raise BadInputError(f"--visit {visit} needs the {name}-RT image", remedy=f"Give it with --{name}")
        chosen[name] = path
    return chosen


def read_images(visits: Mapping[str, Path]) -> dict[str, Volume]:
    """Read and check the image of each visit.

    Raises
    ------
    BadInputError
        If one cannot be segmented.
    """
    from HNTargetSegLib.case.checks import check_image
    from HNTargetSegLib.case.read import read_volume

    images = {name: read_volume(path) for name, path in visits.items()}
    for image in images.values():
        check_image(image)
    return images


def input_records(visits: Mapping[str, Path]) -> dict[str, InputRecord]:
    """Hash the image of each visit, to be called when it is read: it may have changed when the result is written.

    Raises
    ------
    BadInputError
        If one cannot be read.
    """
    from HNTargetSegLib.export.manifest import input_record

    return {name: input_record(f"{name}RT_T2", path) for name, path in visits.items()}


def segment_images(
    images: Mapping[str, Volume], model: LoadedModel, wanted: SegmentOptions, *, quiet: bool
) -> dict[str, SegmentedVisit]:
    """Segment each visit, with a progress bar on a terminal unless ``quiet``."""
    results = {}
    for name, image in images.items():
        started = datetime.datetime.now(datetime.timezone.utc)
        with _progress_bar(f"{name}-RT", hidden=quiet) as progress:
            results[name] = SegmentedVisit(segment_visit(image, model, wanted, progress=progress), started)
    return results


def write_results(
    results: Mapping[str, SegmentedVisit],
    inputs: Mapping[str, InputRecord],
    output: Path,
    model: LoadedModel,
    wanted: SegmentOptions,
) -> dict[str, Path]:
    """Write all visits or none: one into ``output``, several into a folder each; returns the folders by visit.

    ``inputs`` are the images by visit, hashed when they were read.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    from HNTargetSegLib.export.manifest import Manifest
    from HNTargetSegLib.export.segmentation import write_result

    places = {name: Path(f"{name}RT" if len(results) > 1 else "") for name in results}
    with replacing_files(output) as new:
        for name, visit in results.items():
            manifest = Manifest.of_run(
                inputs={f"{name}RT_T2": inputs[name]},
                model=model.stored,
                parameters={**asdict(model.predictor.options), **asdict(wanted)},
                device=model.predictor.engine_name,
                started=visit.started,
                seconds=visit.result.seconds,
                warnings=visit.result.warnings,
            )
            title = f"{name}-RT, {Path(visit.result.image.name).name}"
            write_result(new / places[name], visit.result.image, visit.result.lesions, manifest, title=title)
    return {name: output / place for name, place in places.items()}


def report(results: Mapping[str, SegmentedVisit], folders: Mapping[str, Path], *, as_json: bool) -> None:
    """Print tables and places, or JSON."""
    if as_json:
        print(json.dumps({name: _as_record(visit.result, folders[name]) for name, visit in results.items()}))
        return
    from HNTargetSegLib.lesions.table import as_text

    for name, visit in results.items():
        result = visit.result
        print(f"\n{name}-RT visit, {result.image.name}")
        for warning in result.warnings:
            print(f"  Note: {warning}")
        print(as_text(result.lesions))
        if result.candidates:
            print("Candidates, not part of the segmentation:")
            print(as_text(result.candidates))
        print(f"Files: {folders[name]}")


def _as_record(result: VisitResult, folder: Path) -> dict[str, Any]:
    from HNTargetSegLib.lesions.table import as_row

    return {
        "folder": str(folder),
        "lesions": [as_row(lesion) for lesion in result.lesions],
        "candidates": [as_row(lesion) for lesion in result.candidates],
        "warnings": list(result.warnings),
        "seconds": result.seconds,
    }


@contextmanager
def _progress_bar(title: str, *, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal, nothing elsewhere; yields the pipeline's progress callback."""
    from tqdm import tqdm

    # disable=None hides the bar where standard error is no terminal.
    with tqdm(desc=title, unit="tile", disable=True if hidden else None, leave=False) as bar:

        def show(stage: str, done: int, total: int) -> None:
            bar.set_postfix_str(stage, refresh=False)
            bar.total, bar.n = total, done
            bar.refresh()

        yield show
