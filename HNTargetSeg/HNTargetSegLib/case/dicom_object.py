"""One DICOM file that is not an image slice: whatever is wrong with it becomes an error that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.dicom_scan import reading
from HNTargetSegLib.errors import BadInputError


@contextmanager
def reading_object(path: Path) -> Iterator[Any]:
    """Yield pydicom, as :func:`~HNTargetSegLib.case.dicom_scan.reading` does.

    pydicom raises OSError also where a sequence is cut short, when it is first looked at; that is a damaged file too.

    Raises
    ------
    BadInputError
        If the file cannot be read or is damaged.
    """
    try:
        with reading(path) as pydicom:
            yield pydicom
    except OSError as error:
        raise BadInputError(
            f"The DICOM file cannot be read ({error.strerror or error})", path=path, remedy="Export it again"
        ) from error
