"""`hntargetseg register`: the pre-RT visit onto the mid-RT visit."""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.cli.output import output_folder

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.export.manifest import Manifest
    from HNTargetSegLib.prior.registration import Registration

POOR = "poor"
"""Folder in the output for the figures and the picture of a registration that is not used."""

_ENGINES = ("descriptor", "convexadam", "elastix", "hntsmrg", "rigid")
_EXAMPLE = """examples:
  hntargetseg register --fixed midRT_T2.nii.gz --moving preRT_T2.nii.gz --moving-mask preRT_mask.nii.gz --output result
  hntargetseg register --fixed dicom/midRT --moving dicom/preRT --transform slicer.h5 --output result

DIR gets T2_registered.nii.gz and mask_registered.nii.gz on the grid of the fixed image, transform.h5 (for Slicer and
SimpleITK), registration.json (figures and the flag good or poor) and checkerboard.png.
A poor registration ends with status 2; its figures and picture are in DIR/poor, and it is used only when you say
--accept-poor. Images are NIfTI, NRRD, MHA or a DICOM folder."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "register",
        help="bring the pre-RT visit onto the mid-RT visit",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--fixed", type=Path, required=True, metavar="T2", help="mid-RT T2-weighted MR")
    parser.add_argument("--moving", type=Path, required=True, metavar="T2", help="pre-RT T2-weighted MR")
    parser.add_argument("--moving-mask", type=Path, metavar="MASK", help="pre-RT delineation, carried along")
    parser.add_argument("--fixed-mask", type=Path, metavar="MASK", help="mid-RT delineation, only to measure overlap")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the result")
    parser.add_argument("--engine", choices=_ENGINES, default="descriptor", help="who registers (default: descriptor)")
    parser.add_argument("--transform", type=Path, metavar="FILE", help="take this .h5 or .tfm instead of registering")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where descriptor computes")
    parser.add_argument("--nearest", action="store_true", help="carry the mask by nearest neighbour, as HNTS-MRG did")
    parser.add_argument("--no-inverse", action="store_true", help="leave out the check by registering back (faster)")
    parser.add_argument("--accept-poor", action="store_true", help="use a registration that is flagged as poor")
    parser.add_argument("--json", action="store_true", help="print registration.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Register, judge and write."""
    from HNTargetSegLib.case.read import read_mask, read_volume
    from HNTargetSegLib.export.manifest import input_record
    from HNTargetSegLib.export.registration import registration_record, write_findings, write_registration

    started = datetime.datetime.now(datetime.timezone.utc)
    paths = {
        "fixed_T2": options.fixed,
        "moving_T2": options.moving,
        "moving_mask": options.moving_mask,
        "fixed_mask": options.fixed_mask,
        "transform": options.transform,
    }
    with output_folder(options.output) as output:
        fixed, moving = (read_volume(path) for path in (options.fixed, options.moving))
        masks = [
            None if path is None else read_mask(path, like=like)
            for path, like in ((options.fixed_mask, fixed), (options.moving_mask, moving))
        ]
        inputs = {role: input_record(role, path) for role, path in paths.items() if path is not None}
        registration = _registered(options, fixed, moving, masks)
        carried = None if masks[1] is None else registration.labels(masks[1], nearest=options.nearest)
        manifest = _manifest(options, registration, inputs, started)
        if not registration.quality.good and not options.accept_poor:
            write_findings(output / POOR, registration, fixed, moving, manifest, mask=carried)
            _refuse(registration, output / POOR)
        write_registration(output, registration, fixed, moving, manifest, mask=carried)
    record = registration_record(registration, manifest)
    print(json.dumps({"folder": str(output), **record}) if options.json else _as_text(record, output))
    return 0


def _registered(options: argparse.Namespace, fixed: Volume, moving: Volume, masks: list[Volume | None]) -> Registration:
    from HNTargetSegLib.prior.deform import DeformOptions
    from HNTargetSegLib.prior.engines import Engine
    from HNTargetSegLib.prior.given import read_transform
    from HNTargetSegLib.prior.registration import RegisterOptions, register, take_transform

    wanted = RegisterOptions(
        engine=Engine(options.engine),
        deform=replace(DeformOptions(), device=_device(options.device)),
        inverse=not options.no_inverse,
    )
    first, second = masks
    both = None if first is None or second is None else (first, second)
    with _progress_bar(hidden=options.json) as progress:
        if options.transform is not None:
            given = read_transform(options.transform)
            return take_transform(fixed, moving, given, wanted, masks=both, progress=progress)
        return register(fixed, moving, wanted, masks=both, progress=progress)


def _device(wanted: str) -> str:
    """A device of PyTorch; other kinds than these two lack an operation that the engine needs."""
    if wanted == "cpu" or importlib.util.find_spec("torch") is None:
        return "cpu"
    from HNTargetSegLib.models.engines import chosen_device

    found = chosen_device("cuda" if wanted == "cuda" else "auto").type
    return found if found == "cuda" else "cpu"


def _refuse(registration: Registration, findings: Path) -> None:
    from HNTargetSegLib.errors import BadInputError

    try:
        registration.require_good()
    except BadInputError as error:
        remedy = f"{error.remedy} with --accept-poor; figures and picture are in {findings}"
        raise BadInputError(error.what, remedy=remedy) from error


def _manifest(
    options: argparse.Namespace, registration: Registration, inputs: dict[str, Any], started: datetime.datetime
) -> Manifest:
    from importlib import metadata

    from HNTargetSegLib.export.manifest import Manifest, package_versions

    versions = package_versions()
    for name in ("convexAdam", "itk-elastix"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    names = ("engine", "device", "nearest", "no_inverse", "accept_poor")
    interpolation = "nearest neighbour" if options.nearest else "linear, at least half of a voxel"
    return Manifest.of_run(
        inputs=inputs,
        model=None,
        parameters={name: getattr(options, name) for name in names},
        device=_device(options.device),
        started=started,
        seconds=registration.seconds,
        warnings=registration.quality.problems,
        versions=versions,
        resampling=("The moving image was brought onto the fixed grid (linear)",)
        + ((f"The moving mask was brought onto the fixed grid ({interpolation})",) if options.moving_mask else ()),
    )


def _as_text(record: dict[str, Any], output: Path) -> str:
    def shown(name: str, unit: str = "") -> str:
        return "unknown" if record[name] is None else f"{record[name]:.3g}{unit}"

    lines = [
        f"Registration: {record['quality']} ({record['engine']}, {sum(record['seconds'].values()):.1f} s)",
        *(f"  Note: {problem}" for problem in record["problems"]),
        f"  Overlap of the bodies (DSC): {shown('body_dsc_before')} before, {shown('body_dsc_after')} after",
        f"  Difference of the images:    {shown('difference_before')} before, {shown('difference_after')} after",
        f"  Folded share of the body:    {shown('folded')}",
        f"  There and back again:        {shown('inverse_mm', ' mm')} mean, {shown('inverse_p95_mm', ' mm')} at 95 %",
    ]
    if record["masks_after"]:
        lines += [
            f"  DSC of {label}: {_number(record['masks_before'][label])} before, {_number(after)} after"
            for label, after in record["masks_after"].items()
        ]
    return "\n".join([*lines, f"Files: {output}"])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


@contextmanager
def _progress_bar(*, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    from tqdm import tqdm

    with tqdm(desc="registration", unit="step", disable=True if hidden else None, leave=False) as bar:

        def show(stage: str, done: int, total: int) -> None:
            bar.set_postfix_str(stage, refresh=False)
            bar.total, bar.n = total, done
            bar.refresh()

        yield show
