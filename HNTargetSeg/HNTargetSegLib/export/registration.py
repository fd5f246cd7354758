"""The folder that a registration is written into."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.export.manifest import Manifest
from HNTargetSegLib.export.registration_picture import write_checkerboard
from HNTargetSegLib.files import replacing_files, write_text
from HNTargetSegLib.prior.carrying import carry_image
from HNTargetSegLib.prior.given import write_transform
from HNTargetSegLib.prior.registration import Registration

IMAGE = "T2_registered.nii.gz"
MASK = "mask_registered.nii.gz"
TRANSFORM = "transform.h5"
RECORD = "registration.json"
PICTURE = "checkerboard.png"


def write_registration(
    folder: str | PathLike[str],
    registration: Registration,
    fixed: Volume,
    moving: Volume,
    manifest: Manifest,
    *,
    mask: Volume | None = None,
) -> None:
    """Write a registration that may be used, all of its files or none.

    ``T2_registered.nii.gz`` and ``mask_registered.nii.gz`` on the fixed grid, ``transform.h5`` (from points of the
    fixed image to the moving one, for Slicer and SimpleITK), ``registration.json`` and ``checkerboard.png``.

    Parameters
    ----------
    mask
        Registered delineation.

    Raises
    ------
    OutputError
        If anything cannot be written; an earlier result then stands as it was.
    """
    image = registration.image(moving)
    with replacing_files(folder) as new:
        write_volume(image, new / IMAGE)
        if mask is not None:
            write_volume(mask, new / MASK)
        write_transform(registration.transform, new / TRANSFORM)
        _write_findings(new, registration, fixed, moving, manifest, mask)


def write_findings(
    folder: str | PathLike[str],
    registration: Registration,
    fixed: Volume,
    moving: Volume,
    manifest: Manifest,
    *,
    mask: Volume | None = None,
) -> None:
    """Write only what tells why a registration is poor: ``registration.json`` and ``checkerboard.png``.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    with replacing_files(folder) as new:
        _write_findings(new, registration, fixed, moving, manifest, mask)


def registration_record(registration: Registration, manifest: Manifest) -> dict[str, Any]:
    """JSON form: flag and figures, engine, seconds, manifest."""
    return {
        **registration.quality.to_dict(),
        "engine": registration.engine,
        "seconds": {stage: round(value, 3) for stage, value in registration.seconds.items()},
        "manifest": manifest.to_dict(),
    }


def _write_findings(
    new: Path, registration: Registration, fixed: Volume, moving: Volume, manifest: Manifest, mask: Volume | None
) -> None:
    record = registration_record(registration, manifest)
    write_text(new / RECORD, json.dumps(record, indent=2, allow_nan=False) + "\n")
    before = carry_image(moving, fixed.geometry, sitk.Transform(3, sitk.sitkIdentity))
    title = f"{record['quality']} registration, {registration.engine}"
    write_checkerboard(fixed, before, registration.image(moving), new / PICTURE, title, mask)
