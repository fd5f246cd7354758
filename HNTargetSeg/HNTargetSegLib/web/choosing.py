"""The images of a folder whose names and dates do not tell the visits, for a person to say which is which."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from HNTargetSegLib.case.dicom_scan import first_image
from HNTargetSegLib.case.identity import identity_of
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.read import image_stem, image_suffix
from HNTargetSegLib.case.visit_words import visits_named

MOST = 40
"""More images than this are no patient's."""

_DEPTH = 4


@dataclass(frozen=True)
class FoundImage:
    """An image file or DICOM folder.

    Attributes
    ----------
    path
        Where it is.
    name
        Below the folder that was looked into.
    details
        What a DICOM header says of it: description, date, patient; empty for a file.
    visit
        What its name says, or None.
    """

    path: Path
    name: str
    details: str = ""
    visit: Visit | None = None


def images_in(folder: Path) -> list[FoundImage]:
    """Images in a folder and up to four folders below it, by name; empty where there are none or far too many.

    Raises
    ------
    BadInputError
        If a DICOM file is damaged.
    """
    found: list[FoundImage] = []
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        deep = len(here.relative_to(folder).parts) >= _DEPTH
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))
        files = [here / name for name in sorted(names) if image_suffix(name) and not name.startswith(".")]
        found += [FoundImage(path, str(path.relative_to(folder)), visit=_visit(image_stem(path))) for path in files]
        header = None if files else first_image(here)
        if header is not None:
            who = identity_of(header.data)
            told = (who.series_description, who.study_date, who.patient_id)
            name = str(here.relative_to(folder)) if here != folder else here.name
            found.append(FoundImage(here, name, ", ".join(filter(None, told)), _visit(name)))
        if len(found) > MOST:
            return []
    return found


def _visit(name: str) -> Visit | None:
    said = visits_named(name)
    return Visit(said.pop()) if len(said) == 1 else None
