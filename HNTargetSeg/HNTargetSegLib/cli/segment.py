"""`hntargetseg segment`: MR in, segments and lesions out."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, load_chosen_model
from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.pipeline import LoadedModel, VisitResult

_EXAMPLE = """examples:
  hntargetseg segment --mid midRT_T2.nii.gz --output result
  hntargetseg segment --mid dicom/midRT --pre dicom/preRT --output result

One visit is written into DIR itself, two into DIR/preRT and DIR/midRT: segmentation.nii.gz (0 background, 1 GTVp,
2 GTVn), lesions.nii.gz (lesion ids), lesions.csv, manifest.json and overlay.png.
Images are NIfTI, NRRD, MHA or a DICOM folder."""


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
    from HNTargetSegLib.case.write import ensure_writable_folder

    visits = chosen_visits(options.visit, {"pre": options.pre, "mid": options.mid})
    ensure_writable_folder(options.output)
    model = load_chosen_model(options)
    results = segment_files(visits, options.output, model, options)
    report(results, as_json=options.json)
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


def segment_files(
    visits: dict[str, Path], output: Path, model: LoadedModel, options: argparse.Namespace
) -> dict[str, tuple[VisitResult, Path]]:
    """Segment each image and write its folder; results with their folders by visit."""
    from HNTargetSegLib.case.read import read_volume
    from HNTargetSegLib.pipeline import SegmentOptions, segment_visit

    wanted = SegmentOptions(minimum_cc=options.minimum_cc, candidates=options.candidates)
    # All images are read before the first is segmented: a broken second one is reported at once.
    images = {name: read_volume(path) for name, path in visits.items()}
    results = {}
    for name, image in images.items():
        started = datetime.datetime.now(datetime.timezone.utc)
        with _progress_bar(f"{name}-RT", hidden=options.json) as progress:
            result = segment_visit(image, model, wanted, progress=progress)
        folder = output / f"{name}RT" if len(images) > 1 else output
        _write(result, folder, visits[name], name, model, options, started)
        results[name] = (result, folder)
    return results


def report(results: dict[str, tuple[VisitResult, Path]], *, as_json: bool) -> None:
    """Print tables and places, or JSON."""
    from HNTargetSegLib.lesions.table import as_row, as_text

    if as_json:
        print(
            json.dumps(
                {
                    name: {
                        "folder": str(folder),
                        "lesions": [as_row(lesion) for lesion in result.lesions],
                        "candidates": [as_row(lesion) for lesion in result.candidates],
                        "warnings": list(result.warnings),
                        "seconds": result.seconds,
                    }
                    for name, (result, folder) in results.items()
                }
            )
        )
        return
    for name, (result, folder) in results.items():
        print(f"\n{name}-RT visit, {result.image.name}")
        for warning in result.warnings:
            print(f"  Note: {warning}")
        print(as_text(result.lesions))
        if result.candidates:
            print("Candidates, not part of the segmentation:")
            print(as_text(result.candidates))
        print(f"Files: {folder}")


def _write(
    result: VisitResult,
    folder: Path,
    source: Path,
    visit: str,
    model: LoadedModel,
    options: argparse.Namespace,
    started: datetime.datetime,
) -> None:
    from HNTargetSegLib.export.manifest import Manifest
    from HNTargetSegLib.export.segmentation import write_result

    manifest = Manifest.of_run(
        inputs={f"{visit}RT_T2": source},
        model=model.stored,
        parameters=_parameters(model, options),
        device=model.predictor.engine_name,
        started=started,
        seconds=result.seconds,
        warnings=result.warnings,
    )
    write_result(folder, result.image, result.lesions, manifest, title=f"{visit}-RT, {source.name}")


def _parameters(model: LoadedModel, options: argparse.Namespace) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(model.predictor.options), "minimum_cc": options.minimum_cc, "candidates": options.candidates}


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
