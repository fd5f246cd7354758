"""Splits of patients into training and held-out cases: made, read, and checked for patients on both sides."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.cases import TrainingCase

Fold = dict[str, list[str]]
"""Identifiers of cases under ``train`` and ``val``, as nnU-Net has them."""


def cross_validation(cases: Sequence[TrainingCase], folds: int) -> tuple[Fold, ...]:
    """Hold each patient out once; the same for the same patients.

    Raises
    ------
    BadInputError
        If there are fewer than two folds, or fewer patients than folds.
    """
    patients = _shuffled(cases)
    if not 2 <= folds <= len(patients):
        raise BadInputError(
            f"{len(patients)} patients cannot be divided into {folds} folds",
            remedy="Give 2 folds or more and at least one patient for each, or 1 for a single split",
        )
    return tuple(_holding_out(cases, patients[number::folds]) for number in range(folds))


def one_split(cases: Sequence[TrainingCase], held_out: int | None = None) -> tuple[Fold, ...]:
    """Hold some patients out of all trainings; the same for the same patients.

    Parameters
    ----------
    held_out
        How many; a third of them by default.

    Raises
    ------
    BadInputError
        If no patient would be left on one side.
    """
    patients = _shuffled(cases)
    number = max(1, len(patients) // 3) if held_out is None else held_out
    if not 1 <= number < len(patients):
        raise BadInputError(
            f"{number} of {len(patients)} patients cannot be held out", remedy="Leave some for training"
        )
    return (_holding_out(cases, patients[:number]),)


def read_folds(path: Path, cases: Sequence[TrainingCase]) -> tuple[Fold, ...]:
    """Folds of a file in nnU-Net's form (``splits_final.json``).

    Raises
    ------
    BadInputError
        If it is no such file, or as :func:`check_folds`.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        folds = tuple({side: [str(name) for name in fold[side]] for side in ("train", "val")} for fold in content)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInputError(
            f"The folds cannot be read ({type(error).__name__}: {error})",
            path=path,
            remedy='Write a list of {"train": [cases], "val": [cases]}, as nnU-Net\'s splits_final.json',
        ) from error
    check_folds(folds, cases, path)
    return folds


def check_folds(folds: Sequence[Mapping[str, Sequence[str]]], cases: Sequence[TrainingCase], path: Any = None) -> None:
    """Refuse folds from which nothing can be concluded about patients that were never seen.

    Raises
    ------
    BadInputError
        If a fold has no case on one side, names one that is not there, has a patient on both sides, or a patient is
        held out in two folds, or a case that is for training only is held out.
    """
    patient_of = {case.identifier: case.patient for case in cases}
    held_out: dict[str, int] = {}
    if not folds:
        raise BadInputError("There is no fold", path=path)
    for number, fold in enumerate(folds):
        unknown = [name for side in ("train", "val") for name in fold[side] if name not in patient_of]
        if unknown:
            raise BadInputError(f"Fold {number} names cases that are not there: {', '.join(unknown[:8])}", path=path)
        train, val = ({patient_of[name] for name in fold[side]} for side in ("train", "val"))
        if not train or not val:
            raise BadInputError(f"Fold {number} has no case on one side", path=path)
        _refuse_training_only(cases, fold, path)
        if train & val:
            raise BadInputError(
                f"Fold {number} has patient {min(train & val)} on both sides",
                path=path,
                remedy="Keep all visits of a patient on one side: figures of seen patients say nothing about others",
            )
        again = [patient for patient in sorted(val) if patient in held_out]
        if again:
            raise BadInputError(
                f"Folds {held_out[again[0]]} and {number} both hold patient {again[0]} out",
                path=path,
                remedy="Hold each patient out once, so that none counts twice",
            )
        held_out.update(dict.fromkeys(val, number))


def _refuse_training_only(cases: Sequence[TrainingCase], fold: Mapping[str, Sequence[str]], path: Any) -> None:
    seen = {case.identifier for case in cases if case.training_only} & set(fold["val"])
    if seen:
        raise BadInputError(
            f"A fold holds out {min(seen)}, whose prior is the very mask that is to be found",
            path=path,
            remedy="Hold out mid-RT cases only",
        )


def _shuffled(cases: Sequence[TrainingCase]) -> list[str]:
    # By a hash of the name: neither the order of the folder nor a new patient moves the others' places.
    return sorted({case.patient for case in cases}, key=lambda name: (zlib.crc32(name.encode()), name))


def _holding_out(cases: Sequence[TrainingCase], patients: Sequence[str]) -> Fold:
    held_out = set(patients)
    return {
        "train": [case.identifier for case in cases if case.patient not in held_out],
        "val": [case.identifier for case in cases if case.patient in held_out and not case.training_only],
    }
