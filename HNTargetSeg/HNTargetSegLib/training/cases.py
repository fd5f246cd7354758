"""Training cases: one visit of one patient with its mask and what was known before, and the patient-level split."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.checks import check_image
from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.orientation import axial_turn
from HNTargetSegLib.case.patient import PatientFiles
from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import sha256


@dataclass(frozen=True)
class TrainingCase:
    """One image with its label map.

    Attributes
    ----------
    identifier
        ``<patient>_pre`` or ``<patient>_mid``.
    patient
        Patient identifier; all cases of a patient stay on one side of a split.
    image, mask
        Files of the T2 and of its 0/1/2 map.
    prior
        What is known beforehand, on the grid of the image: the pre-RT delineation registered to the mid-RT image, or a
        pre-RT image's own mask. None where no network reads it.
    training_only
        Whether the case is never held out: its prior is the very mask that is to be found.
    """

    identifier: str
    patient: str
    image: Path
    mask: Path
    prior: Path | None = None
    training_only: bool = False


def find_cases(data: Path, visit: str = "both") -> tuple[TrainingCase, ...]:
    """Training cases of a folder in the HNTS-MRG layout.

    Parameters
    ----------
    data
        Folder with one folder a patient.
    visit
        ``pre``, ``mid`` or ``both``. What Beirami et al. trained on is not stated; both is this project's default.

    Raises
    ------
    BadInputError
        If an asked-for visit lacks its image or mask, or fewer than two patients are there.
    """
    cases: list[TrainingCase] = []
    for patient in discover(data):
        if visit in ("pre", "both"):
            cases.append(_case(data, patient.name, "pre", patient.pre, patient.pre_mask))
        if visit in ("mid", "both"):
            cases.append(_case(data, patient.name, "mid", patient.mid, patient.mid_mask))
    if len({case.patient for case in cases}) < 2:
        raise BadInputError(
            "Fewer than two patients with images and masks were found",
            path=data,
            remedy="Give a folder in the HNTS-MRG layout, one folder a patient",
        )
    return tuple(cases)


def find_prior_cases(data: Path) -> tuple[TrainingCase, ...]:
    """Cases with what was known before, of a folder in the HNTS-MRG layout, as Ren et al. (arXiv 2410.12941) have them.

    The mid-RT visit of each patient, ``<ID>mid``, with the registered pre-RT mask as its prior, and the pre-RT visit,
    ``<ID>pre``, with its own mask as its prior, for training only.

    Raises
    ------
    BadInputError
        If a visit lacks its image or mask, a patient has no registered mask, or fewer than two patients are there.
    """
    by_patient = {patient.name: patient for patient in discover(data)}
    cases = []
    for case in find_cases(data):
        if case.identifier == f"{case.patient}_pre":
            changes: dict[str, Any] = {"prior": case.mask, "training_only": True}
        else:
            changes = {"prior": _registered_mask(by_patient[case.patient], data)}
        visit = case.identifier.rpartition("_")[2]
        cases.append(replace(case, identifier=f"{case.patient}{visit}", **changes))
    return tuple(cases)


def check_case(case: TrainingCase) -> None:
    """Read a case as the training will: a slip costs a sentence now and hours later.

    Raises
    ------
    BadInputError
        If the image or the mask cannot be used, the image is not axial, or the mask holds other values than 0, 1 and 2.
    GeometryError
        If the mask lies on another grid than the image.
    """
    image = read_volume(case.image)
    check_image(image)
    if not axial_turn(image.geometry).changes_nothing:
        raise BadInputError(
            "The image's axes do not run left, posterior, superior, as those of an axial series",
            path=case.image,
            remedy="Turn image and mask (SimpleITK: DICOMOrient(image, 'LPS')): nnU-Net trains on the array as it is "
            "stored, and at prediction every image is turned to these axes",
        )
    read_mask(case.mask, like=image)
    if case.prior is not None:
        read_mask(case.prior, like=image)


def require_distinct_patients(cases: Sequence[TrainingCase]) -> None:
    """Refuse a patient that is there under two names: one copy would be tested on what the other was trained on.

    Raises
    ------
    BadInputError
        If the images of two patients are the same file, byte for byte.
    """
    by_size: dict[int, list[TrainingCase]] = {}
    for case in cases:
        by_size.setdefault(case.image.stat().st_size, []).append(case)
    for alike in by_size.values():
        seen: dict[str, TrainingCase] = {}
        for case in alike if len(alike) > 1 else ():
            other = seen.setdefault(sha256(case.image), case)
            if other.patient != case.patient:
                raise BadInputError(
                    f"Patients {other.patient} and {case.patient} have the same image",
                    path=case.image,
                    remedy="Remove one of them: a patient must not be there twice",
                )


def split_by_patient(cases: Sequence[TrainingCase], validation_share: float = 0.1) -> dict[str, list[str]]:
    """One training/validation split in nnU-Net's form, by patient, the same for the same patients.

    At least one patient is on each side.
    """
    patients = sorted({case.patient for case in cases}, key=lambda name: (zlib.crc32(name.encode()), name))
    held_out = set(patients[: max(1, round(validation_share * len(patients)))])
    return {
        "train": [case.identifier for case in cases if case.patient not in held_out],
        "val": [case.identifier for case in cases if case.patient in held_out and not case.training_only],
    }


def _registered_mask(patient: PatientFiles, data: Path) -> Path:
    if patient.registered_mask is None:
        raise BadInputError(
            f"Patient {patient.name} has no registered pre-RT mask",
            path=data / patient.name,
            remedy=f"Make {patient.name}_preRT_mask_registered.nii.gz (hntargetseg register), or take the patient out",
        )
    return patient.registered_mask


def _case(data: Path, patient: str, visit: str, image: Path | None, mask: Path | None) -> TrainingCase:
    if image is None or mask is None:
        missing = "T2 image" if image is None else "mask"
        other = "mid" if visit == "pre" else "pre"
        raise BadInputError(
            f"Patient {patient} has no {visit}-RT {missing}",
            path=data / patient,
            remedy=f"Add it, take the patient out, or train on the other visit (--visit {other})",
        )
    return TrainingCase(f"{patient}_{visit}", patient, image, mask)
