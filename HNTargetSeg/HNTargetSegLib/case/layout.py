"""Find patients in a folder: the layout of HNTS-MRG 2024, loose files named by visit, or DICOM folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from HNTargetSegLib.case.dicom_layout import discover_dicom
from HNTargetSegLib.case.patient import PatientFiles
from HNTargetSegLib.case.read import image_stem, image_suffix
from HNTargetSegLib.case.visit_words import MASK_WORDS, REGISTERED_WORDS, visits_named, words
from HNTargetSegLib.errors import BadInputError

_CHALLENGE_NAME = re.compile(r"(?P<id>.+)_(?P<visit>pre|mid)RT_(?P<kind>T2|mask)(?P<registered>_registered)?", re.I)
_ROLES = {
    ("pre", False, False): "pre",
    ("mid", False, False): "mid",
    ("pre", True, False): "pre_mask",
    ("mid", True, False): "mid_mask",
    ("pre", False, True): "registered_pre",
    ("pre", True, True): "registered_mask",
}
_MAX_DEPTH = 4


def discover(folder: str | os.PathLike[str]) -> list[PatientFiles]:
    """Find the patients in a folder.

    Looked for in this order; the first that is found counts:

    1. files named as in HNTS-MRG 2024 (``<ID>_preRT_T2.nii.gz``, ``<ID>_midRT_mask.nii.gz``,
       ``<ID>_preRT_mask_registered.nii.gz`` ...), in the folder or up to four folders below: the training set,
       one patient, or loose files;
    2. image files in one folder whose names say "pre" or "mid" (also ``preRT``, ``mid-RT``), and "mask" or
       "registered" where they are that; the same in each folder below;
    3. DICOM folders, two a patient, told apart by "pre" and "mid" in their names, otherwise by date.

    Returns
    -------
    list of PatientFiles
        In natural order of their names (8 before 77).

    Raises
    ------
    BadInputError
        If there is no patient, two files claim one role, or a file cannot be told; the message names the files.
    """
    base = Path(folder)
    if not base.is_dir():
        raise BadInputError("There is no such folder", path=base, remedy="Check the path")
    images = _image_files(base)
    found = _challenge_patients(images)
    if not found and images:
        found = [_loose_patient(parent, files) for parent, files in _by_folder(images).items()]
    if not found:
        found = discover_dicom(base)
    if not found:
        raise BadInputError(
            "The folder holds no patient",
            path=base,
            remedy="Name files <ID>_preRT_T2.nii.gz and <ID>_midRT_T2.nii.gz, or give DICOM folders named pre and mid",
        )
    return sorted(found, key=_natural)


def _image_files(base: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(base):
        depth = len(Path(parent).relative_to(base).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _MAX_DEPTH else []
        found += [Path(parent, name) for name in sorted(names) if image_suffix(name) and not name.startswith(".")]
    return found


def _challenge_patients(images: Iterable[Path]) -> list[PatientFiles]:
    patients: dict[str, dict[str, Path]] = {}
    for path in images:
        match = _CHALLENGE_NAME.fullmatch(image_stem(path))
        if match is None:
            continue
        kind = match["kind"].lower() == "mask"
        role = _ROLES.get((match["visit"].lower(), kind, match["registered"] is not None))
        if role is not None:
            _claim(patients.setdefault(match["id"], {}), role, path, match["id"])
    return [PatientFiles(name, **roles) for name, roles in patients.items()]


def _by_folder(images: Iterable[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = {}
    for path in images:
        folders.setdefault(path.parent, []).append(path)
    return folders


def _loose_patient(parent: Path, files: list[Path]) -> PatientFiles:
    roles: dict[str, Path] = {}
    for path in files:
        said = words(image_stem(path))
        visits = visits_named(image_stem(path))
        role = None
        if len(visits) == 1:
            role = _ROLES.get((visits.pop(), bool(said & MASK_WORDS), bool(said & REGISTERED_WORDS)))
        if role is None:
            listed = ", ".join(file.name for file in files[:8]) + (" ..." if len(files) > 8 else "")
            raise BadInputError(
                f"{path.name} does not say whether it is pre-RT or mid-RT (files in the folder: {listed})",
                path=parent,
                remedy="Put 'pre' or 'mid' into each file name, and 'mask' where it is a mask",
            )
        _claim(roles, role, path, parent.name)
    return PatientFiles(parent.resolve().name, **roles)


def _claim(roles: dict[str, Path], role: str, path: Path, patient: str) -> None:
    if role in roles:
        raise BadInputError(
            f"Two files claim to be the {role.replace('_', ' ')} of patient {patient}: {roles[role]} and {path}",
            remedy="Remove or rename one of them",
        )
    roles[role] = path


def _natural(patient: PatientFiles) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", patient.name) if part]
