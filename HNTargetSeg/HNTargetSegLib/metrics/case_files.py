"""Which file is which case: reference and predicted masks in folders, paired by their ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from HNTargetSegLib.case.read import image_stem, image_suffix
from HNTargetSegLib.errors import BadInputError

SEGMENTATION = "segmentation.nii.gz"
"""The mask in a case's own folder, as ``segment`` writes it."""

_MASKS = (SEGMENTATION, f"{{visit}}RT/{SEGMENTATION}", "{visit}RT/{case}_{visit}RT_mask.nii.gz")
_IMAGES = ("{visit}RT/{case}_{visit}RT_T2.nii.gz",)
_RULE = f"Name files <ID>.nii.gz or <ID>_anything.nii.gz, or put each into a folder: <ID>/{SEGMENTATION}"
_SHOWN = 10


@dataclass(frozen=True)
class Naming:
    """How the files of a case are told.

    Attributes
    ----------
    whole_names
        The id of a file is its whole name without the ending, and not what stands before its first underscore.
    visit
        Also look for this visit (``pre`` or ``mid``) in the folders of cases, where ``segment`` puts the results of
        two visits and HNTS-MRG 2024 its masks.
    """

    whole_names: bool = False
    visit: str | None = None


@dataclass(frozen=True)
class CaseFiles:
    """One case: its reference and each model's prediction."""

    case: str
    reference: Path
    predictions: Mapping[str, Path]


@dataclass(frozen=True)
class Pairing:
    """Cases that have all their files, and a sentence for each group of cases that was left out."""

    cases: tuple[CaseFiles, ...]
    left_out: tuple[str, ...] = ()


def find_masks(folder: Path, naming: Naming | None = None) -> dict[str, Path]:
    """Masks of a folder by case id, in the order of the ids (numbers by value).

    ``8.nii.gz``, ``8_midRT.nii.gz`` and ``8/segmentation.nii.gz`` are case 8; any image format that is read will do.
    Other files and folders are passed over.

    Raises
    ------
    BadInputError
        If there is no such folder, it holds no mask, or two files are one case.
    """
    return _find(folder, naming or Naming(), _MASKS)


def find_images(folder: Path, naming: Naming | None = None) -> dict[str, Path]:
    """As :func:`find_masks`, for the images of the cases."""
    return _find(folder, naming or Naming(), _IMAGES)


def pair_cases(
    reference: Path, predictions: Mapping[str, Path], naming: Naming | None = None, *, only_common: bool = False
) -> Pairing:
    """Pair the masks of a reference folder with those of each model's folder.

    Parameters
    ----------
    only_common
        Leave out cases that are not in all folders, and say which, instead of refusing them.

    Raises
    ------
    BadInputError
        As :func:`find_masks`; if a case is not in all folders, naming it; if no case is in all.
    """
    references = find_masks(reference, naming)
    masks = {name: find_masks(folder, naming) for name, folder in predictions.items()}
    left_out = []
    for name, own in masks.items():
        lacking = [case for case in references if case not in own]
        surplus = [case for case in own if case not in references]
        if lacking:
            left_out.append(f"{_cases(lacking)} without a prediction in {predictions[name]}")
        if surplus:
            left_out.append(f"{_cases(surplus)} of {predictions[name]} without a reference")
    common = [case for case in references if all(case in own for own in masks.values())]
    if left_out and (not only_common or not common):
        remedy = "Add what is missing, or leave these cases out with --only-common" if common else _RULE
        raise BadInputError("; ".join(left_out), path=reference, remedy=remedy)
    cases = (CaseFiles(case, references[case], {name: own[case] for name, own in masks.items()}) for case in common)
    return Pairing(tuple(cases), tuple(left_out))


def _find(folder: Path, naming: Naming, inside: Collection[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in _entries(folder):
        case, file = _case_of(path, naming, inside)
        if not case:
            continue
        if case in found:
            raise BadInputError(
                f"Two files are case {case}: {found[case].relative_to(folder)} and {file.relative_to(folder)}",
                path=folder,
                remedy="Keep one of them; where ids hold an underscore, --whole-names takes whole names as ids",
            )
        found[case] = file
    if not found:
        raise BadInputError("The folder holds no case", path=folder, remedy=_RULE)
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BadInputError("There is no such folder", path=folder, remedy="Check the path")
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise BadInputError(
            f"The folder cannot be read ({error.strerror or error})", path=folder, remedy="Check its rights"
        ) from error


def _case_of(path: Path, naming: Naming, inside: Collection[str]) -> tuple[str | None, Path]:
    """Case id of an entry of a folder, None where it is none, and its file."""
    if path.is_dir():
        names = (name for name in inside if naming.visit or "{visit}" not in name)
        files = (path / name.format(case=path.name, visit=naming.visit) for name in names)
        return next(((path.name, file) for file in files if file.is_file()), (None, path))
    if image_suffix(path) is None:
        return None, path
    stem = image_stem(path)
    return (stem if naming.whole_names else stem.split("_")[0]), path


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _cases(cases: Collection[str]) -> str:
    shown = ", ".join(list(cases)[:_SHOWN]) + (" ..." if len(cases) > _SHOWN else "")
    return f"{len(cases)} case{'s' if len(cases) > 1 else ''} ({shown})"
