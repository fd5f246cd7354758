"""`hntargetseg segment`: MR in, segments and lesions out."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, load_chosen_model, predict_options
from HNTargetSegLib.cli.segment_boxes import add_box_arguments, box_lines, boxes_of
from HNTargetSegLib.cli.segment_prior import CarriedPrior, add_prior_arguments, carried_prior, wants_prior
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.pipeline import SegmentOptions
from HNTargetSegLib.prompts.segmented import segment_with_prompts

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.export.manifest import InputRecord
    from HNTargetSegLib.pipeline import LoadedModel, VisitResult
    from HNTargetSegLib.prompts.prompt import Prompt

_EXAMPLE = """examples:
  hntargetseg segment --mid midRT_T2.nii.gz --output result
  hntargetseg segment --mid dicom/midRT --pre dicom/preRT --output result
  hntargetseg segment --mid midRT_T2.nii.gz --box 20,-35,10,42,-15,34:LN --output result
  hntargetseg segment --mid midRT_T2.nii.gz --pre preRT_T2.nii.gz --pre-mask preRT_mask.nii.gz --output result

One visit is written into DIR itself, two into DIR/preRT and DIR/midRT: segmentation.nii.gz (0 background, 1 GTVp,
2 GTVn), lesions.nii.gz (lesion ids), lesions.csv, manifest.json and overlay.png.
With a pre-RT delineation only mid-RT is segmented unless --visit says otherwise; the visits are registered, each
lesion is named and judged by what it was (kept, shrunk, grown, vanished, new, unsure), and prior.nii.gz and
transform.h5 come along. A poor registration ends with status 2 unless --accept-registration is given.
Images are NIfTI, NRRD, MHA or a DICOM folder."""


@dataclass(frozen=True, eq=False)
class SegmentedVisit:
    """The result of one visit, when its segmentation began, and what came of boxes."""

    result: VisitResult
    started: datetime.datetime
    prompts: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Boxes:
    """Boxes to look into on one visit.

    Attributes
    ----------
    prompts
        In their order.
    only
        Whether they are all that is segmented.
    """

    prompts: tuple[Prompt, ...] = ()
    only: bool = False


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
    add_prior_arguments(parser)
    add_box_arguments(parser)
    add_predict_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Segment the visits and write each one's folder."""
    # In order of cost: a slip in the options, an unusable folder or image is said before a network is loaded.
    wants_prior(options)
    visit = options.visit or ("mid" if options.pre_mask is not None else None)
    visits = chosen_visits(visit, {"pre": options.pre, "mid": options.mid})
    predict_options(options)
    wanted = SegmentOptions(minimum_cc=options.minimum_cc, candidates=options.candidates)
    boxes = Boxes(boxes_of(options), options.only_boxes)
    with output_folder(options.output) as output:
        images = read_images(visits)
        require_inside(images, boxes)
        inputs = input_records(visits)
        prior = None
        if "mid" in images:
            prior = carried_prior(options, images["mid"], partial(_progress_bar, hidden=options.json))
        model = load_chosen_model(options)
        results = segment_images(images, model, wanted, quiet=options.json, prior=prior, boxes=boxes)
        folders = write_results(results, inputs, output, model, wanted, prior)
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


def require_inside(images: Mapping[str, Volume], boxes: Boxes) -> None:
    """Raise BadInputError, before a network is loaded, if a box lies outside the image that it is for."""
    from HNTargetSegLib.prompts.extent import extent_of

    for prompt in boxes.prompts:
        extent_of(prompt, list(images.values())[-1].geometry)


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
    images: Mapping[str, Volume],
    model: LoadedModel,
    wanted: SegmentOptions,
    *,
    quiet: bool,
    prior: CarriedPrior | None = None,
    boxes: Boxes | None = None,
) -> dict[str, SegmentedVisit]:
    """Segment each visit, with a progress bar on a terminal unless ``quiet``.

    Mid-RT is matched to ``prior``. ``boxes`` are looked into on the last visit: mid-RT where both are segmented.
    """
    last = list(images)[-1]
    results = {}
    for name, image in images.items():
        started = datetime.datetime.now(datetime.timezone.utc)
        before = prior if name == "mid" else None
        told = None if before is None else before.for_network
        drawn = boxes if boxes is not None and name == last else Boxes()
        with _progress_bar(f"{name}-RT", hidden=quiet) as progress:
            prompted = segment_with_prompts(
                image, model, drawn.prompts, wanted, only_prompts=drawn.only, prior=told, progress=progress
            )
        found = prompted.result
        if before is not None:
            warnings = (*found.warnings, *before.warnings())
            found = replace(found, lesions=before.matched(found.lesions), warnings=warnings)
        results[name] = SegmentedVisit(found, started, prompted.prompts)
    return results


def write_results(
    results: Mapping[str, SegmentedVisit],
    inputs: Mapping[str, InputRecord],
    output: Path,
    model: LoadedModel,
    wanted: SegmentOptions,
    prior: CarriedPrior | None = None,
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
            before = prior if name == "mid" else None
            manifest = Manifest.of_run(
                inputs={f"{name}RT_T2": inputs[name], **({} if before is None else before.inputs)},
                registration=None if before is None else before.record(),
                prompts=visit.prompts,
                model=model.stored,
                parameters={**asdict(model.predictor.options), **asdict(wanted)},
                device=model.predictor.engine_name,
                started=visit.started,
                seconds=visit.result.seconds,
                warnings=visit.result.warnings,
            )
            title = f"{name}-RT, {Path(visit.result.image.name).name}"
            write_result(new / places[name], visit.result.image, visit.result.lesions, manifest, title=title)
            if before is not None:
                before.write(new / places[name])
    return {name: output / place for name, place in places.items()}


def report(results: Mapping[str, SegmentedVisit], folders: Mapping[str, Path], *, as_json: bool) -> None:
    """Print tables and places, or JSON."""
    if as_json:
        print(json.dumps({name: _as_record(visit, folders[name]) for name, visit in results.items()}))
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
        names = {lesion.id: lesion.name for lesion in result.lesions}
        for line in box_lines(visit.prompts, names):
            print(line)
        print(f"Files: {folders[name]}")


def _as_record(visit: SegmentedVisit, folder: Path) -> dict[str, Any]:
    from HNTargetSegLib.lesions.table import as_row

    result = visit.result
    return {
        "folder": str(folder),
        "lesions": [as_row(lesion) for lesion in result.lesions],
        "candidates": [as_row(lesion) for lesion in result.candidates],
        "prompts": list(visit.prompts),
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
