"""The formats that lesions leave in, by name; light, as screens list them before anything is written."""

from __future__ import annotations

from enum import Enum

from HNTargetSegLib.errors import BadInputError

SEGMENTATION, LESION_IDS, TABLE = "segmentation.nii.gz", "lesions.nii.gz", "lesions.csv"
SEG_NRRD, STL_FOLDER = "lesions.seg.nrrd", "stl"
REPORT_HTML, REPORT_PDF = "report.html", "report.pdf"


class Format(str, Enum):
    """What lesions are written as.

    * ``nifti``: map of labels, map of lesion ids, and a picture where the image is known.
    * ``nrrd``: Slicer's segmentation file, with names, colours and terminology.
    * ``seg``, ``rtstruct``: DICOM, on the series of the image.
    * ``stl``: a closed surface a lesion, LPS mm.
    * ``csv``: the lesion table.
    * ``report``: a page as HTML and as PDF.
    """

    NIFTI = "nifti"
    NRRD = "nrrd"
    SEG = "seg"
    RTSTRUCT = "rtstruct"
    STL = "stl"
    CSV = "csv"
    REPORT = "report"

    @property
    def title(self) -> str:  # type: ignore[override]
        """Name that a reader sees."""
        return _TITLES[self]

    @property
    def main_file(self) -> str:
        """The file that a reader opens first, or the folder of many."""
        return _MAIN_FILES[self]

    @property
    def is_dicom(self) -> bool:
        """Whether it is a DICOM object, which needs the series of the image."""
        return self in (Format.SEG, Format.RTSTRUCT)


_TITLES = {
    Format.NIFTI: "NIfTI",
    Format.NRRD: "NRRD (Slicer)",
    Format.SEG: "DICOM SEG",
    Format.RTSTRUCT: "DICOM RTSTRUCT",
    Format.STL: "STL",
    Format.CSV: "Table (CSV)",
    Format.REPORT: "Report (HTML, PDF)",
}

_MAIN_FILES = {
    Format.NIFTI: SEGMENTATION,
    Format.NRRD: SEG_NRRD,
    Format.SEG: "seg.dcm",
    Format.RTSTRUCT: "rtstruct.dcm",
    Format.STL: STL_FOLDER,
    Format.CSV: TABLE,
    Format.REPORT: REPORT_HTML,
}

DEFAULT_FORMATS = (Format.NIFTI, Format.CSV)


def parse_formats(text: str) -> tuple[Format, ...]:
    """Formats of a list such as ``nifti,seg``, each once.

    Raises
    ------
    BadInputError
        If one is not known, or there is none.
    """
    known = [kind.value for kind in Format]
    wanted = [part.strip().lower() for part in text.split(",") if part.strip()]
    if strange := [part for part in wanted if part not in known]:
        raise BadInputError(f"--format {', '.join(strange)} is not known", remedy=f"Choose from {', '.join(known)}")
    if not wanted:
        raise BadInputError("No format was given", remedy=f"Choose from {', '.join(known)}")
    return tuple(Format(part) for part in dict.fromkeys(wanted))
