"""Find patients in folders of DICOM series: pre-RT and mid-RT by name, otherwise by date."""

from __future__ import annotations

import os
from pathlib import Path

from HNTargetSegLib.case.dicom_scan import MAX_FILES, first_image
from HNTargetSegLib.case.identity import SeriesIdentity, identity_of
from HNTargetSegLib.case.patient import PatientFiles
from HNTargetSegLib.case.visit_words import visits_named
from HNTargetSegLib.errors import BadInputError

_Series = dict[Path, SeriesIdentity]


def discover_dicom(base: Path) -> list[PatientFiles]:
    """Patients in ``base``: it holds two series folders (one patient), or a folder of two series for each patient.

    Only the first image of each folder is looked at; :func:`read_series` checks the rest when the series is read.

    Raises
    ------
    BadInputError
        If a visit can be told neither by name nor by the date of its study, or two series of one patient bear different
        patient ids.
    """
    series = _series_folders(base)
    if len(series) <= 2:
        return [_patient(base, series)] if series else []
    patients: dict[Path, _Series] = {}
    for folder, identity in series.items():
        patients.setdefault(base / folder.relative_to(base).parts[0] if folder != base else base, {})[folder] = identity
    return [_patient(folder, members) for folder, members in patients.items()]


def _series_folders(base: Path) -> _Series:
    found: _Series = {}
    seen = 0
    for parent, folders, names in os.walk(base):
        folders.sort()
        seen += len(names)
        if seen > MAX_FILES:
            raise BadInputError(
                f"The folder holds more than {MAX_FILES} files", path=base, remedy="Give the folder of one patient"
            )
        header = first_image(Path(parent))
        if header is not None:
            found[Path(parent)] = identity_of(header.data)
    return found


def _patient(base: Path, series: _Series) -> PatientFiles:
    ids = sorted({identity.patient_id for identity in series.values()})
    if len(ids) > 1:
        raise BadInputError(
            f"The series belong to different patients: {_listed(base, series)}",
            path=base,
            remedy="Put the two visits of one patient into one folder",
        )
    named = {folder: visits_named(str(folder.relative_to(base))) for folder in series}
    told = {min(visits): folder for folder, visits in named.items() if len(visits) == 1}
    name = ids[0] or base.resolve().name
    if len(told) == len(series):
        return PatientFiles(name, pre=told.get("pre"), mid=told.get("mid"))
    dated = sorted(series, key=lambda folder: series[folder].study_date)
    dates = {series[folder].study_date for folder in dated}
    # Two series of one day are two of one visit, and the date of a derived series is that of its making.
    if len(series) != 2 or len(dates) != 2 or "" in dates:
        raise BadInputError(
            f"Neither names nor dates tell one pre-RT and one mid-RT series: {_listed(base, series)}",
            path=base,
            remedy="Keep one series a visit and put 'pre' and 'mid' into the names of their folders",
        )
    return PatientFiles(name, pre=dated[0], mid=dated[1])


def _listed(base: Path, series: _Series) -> str:
    return "; ".join(
        f"{folder.relative_to(base)} (patient {facts.patient_id or '?'}, {facts.study_date or 'no study date'}, "
        f"'{facts.series_description}')"
        for folder, facts in series.items()
    )
