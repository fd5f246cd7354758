"""`hntargetseg export`: lesions as DICOM SEG and RTSTRUCT on the series that they were drawn on."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.export.dicom_files import DicomFormat, DicomOptions
    from HNTargetSegLib.export.manifest import Manifest
    from HNTargetSegLib.lesions.lesion import LesionSet

_EXAMPLE = """examples:
  hntargetseg export --segmentation result/segmentation.nii.gz --series dicom/midRT --output out
  hntargetseg export --lesions-map result/lesions.nii.gz --lesions result/lesions.csv --series dicom/midRT --output out

Written are seg.dcm, rtstruct.dcm and manifest.json. With the lesion table names and states are those of the review, and
rejected lesions stay out; with the map of ids touching lesions stay apart. Holes are written as keyholes."""

_SAME_PLACE_MM = 0.02


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "export",
        help="write lesions as DICOM SEG and RTSTRUCT on their series",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    masks = parser.add_mutually_exclusive_group(required=True)
    masks.add_argument("--segmentation", type=Path, metavar="MASK", help="0 background, 1 GTVp, 2 GTVn")
    masks.add_argument("--lesions-map", type=Path, metavar="IDS", help="lesion ids; needs --lesions")
    parser.add_argument("--lesions", type=Path, metavar="CSV", help="lesion table: names, states, origins")
    parser.add_argument("--series", type=Path, required=True, metavar="DIR", help="DICOM folder of the image")
    parser.add_argument("--format", default="seg,rtstruct", help="seg, rtstruct or both (default seg,rtstruct)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument(
        "--predecessor", type=Path, metavar="RTSTRUCT", help="of the visit before; its lesions keep ids"
    )
    parser.add_argument(
        "--any-name", action="store_true", help="allow names that are not TG-263's, up to 64 characters"
    )
    parser.add_argument(
        "--algorithm", nargs=2, metavar=("NAME", "VERSION"), help="what proposed the lesions (default HNTargetSeg)"
    )
    parser.add_argument("--json", action="store_true", help="print the files as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, write and say where."""
    from HNTargetSegLib.case.dicom_series import read_series
    from HNTargetSegLib.export.dicom_files import write_dicom

    wanted = _dicom_options(options)
    with output_folder(options.output) as output:
        series = read_series(_folder(options.series))
        lesions = read_lesion_set(options.segmentation, options.lesions_map, options.lesions)
        given = {
            "segmentation": options.segmentation,
            "lesion_ids": options.lesions_map,
            "lesion_table": options.lesions,
            "series": options.series,
            "predecessor": options.predecessor,
        }
        inputs = {role: path for role, path in given.items() if path is not None}
        manifest = write_dicom(output, lesions, series, inputs, wanted)
    _report(lesions, manifest, output, wanted, as_json=options.json)
    return 0


def read_lesion_set(segmentation: Path | None, lesion_ids: Path | None, table: Path | None) -> LesionSet:
    """Lesions of a mask of labels, or of a map of ids with its table.

    With a mask and a table, the mask's components take name, state and origin of the rows that stand for them.

    Raises
    ------
    BadInputError
        If a file cannot be read, the table lacks, or does not fit the mask.
    """
    from HNTargetSegLib.case.read import read_mask, read_volume
    from HNTargetSegLib.lesions.find import find_lesions
    from HNTargetSegLib.lesions.table import read_lesions

    if lesion_ids is not None:
        if table is None:
            raise BadInputError("A map of lesion ids says no labels", path=lesion_ids, remedy="Give --lesions CSV too")
        return read_lesions(table, read_volume(lesion_ids))
    if segmentation is None:
        raise BadInputError("No mask was given", remedy="Give --segmentation or --lesions-map")
    found = find_lesions(read_mask(segmentation))
    return found if table is None else _with_words_of(found, table)


def _with_words_of(found: LesionSet, table: Path) -> LesionSet:
    from HNTargetSegLib.lesions.lesion import LesionSet, Origin, State
    from HNTargetSegLib.lesions.table import read_table

    # Vanished lesions have no voxel, and rejected ones were left out of the mask.
    rows = [row for row in read_table(table) if row["volume_cc"] > 0 and row["state"] != State.REJECTED]
    named = []
    for lesion in found:
        fitting = [row for row in rows if _same_place(lesion, row)]
        if len(fitting) != 1:
            raise BadInputError(
                f"The table has {len(fitting)} rows for the {lesion.label.structure_name} of {lesion.volume_cc:.2f} cc "
                "of the mask",
                path=table,
                remedy="Give the map of lesion ids with --lesions-map in place of the mask",
            )
        (row,) = fitting
        named.append(replace(lesion, name=row["name"], state=State(row["state"]), origin=Origin(row["origin"])))
    if len(named) < len(rows):
        raise BadInputError(
            f"The table has {len(rows)} lesions, the mask {len(named)}",
            path=table,
            remedy="Give the map of lesion ids with --lesions-map in place of the mask",
        )
    return LesionSet(found.ids, tuple(named))


def _same_place(lesion: Any, row: dict[str, Any]) -> bool:
    place = (row["cx"], row["cy"], row["cz"])
    apart = max(abs(here - there) for here, there in zip(lesion.centroid, place, strict=True))
    return int(lesion.label) == row["label"] and apart <= _SAME_PLACE_MM


def _dicom_options(options: argparse.Namespace) -> DicomOptions:
    from HNTargetSegLib.case.dicom_rtstruct import read_rtstruct
    from HNTargetSegLib.export.dicom_files import DicomOptions
    from HNTargetSegLib.export.dicom_lesion import Algorithm

    return DicomOptions(
        formats=_formats(options.format),
        algorithm=Algorithm(*options.algorithm) if options.algorithm else Algorithm(),
        any_name=options.any_name,
        predecessor=None if options.predecessor is None else read_rtstruct(options.predecessor),
    )


def _formats(text: str) -> tuple[DicomFormat, ...]:
    from HNTargetSegLib.export.dicom_files import DicomFormat

    known = [kind.value for kind in DicomFormat]
    wanted = [part.strip().lower() for part in text.split(",") if part.strip()]
    if strange := [part for part in wanted if part not in known]:
        raise BadInputError(f"--format {', '.join(strange)} is not known", remedy=f"Choose from {', '.join(known)}")
    return tuple(DicomFormat(part) for part in dict.fromkeys(wanted))


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise BadInputError("There is no such folder", path=path, remedy="Give the DICOM folder of the image")
    return path


def _report(lesions: LesionSet, manifest: Manifest, output: Path, options: DicomOptions, *, as_json: bool) -> None:
    files = {kind.value: str(output / kind.file_name) for kind in options.formats}
    names = [lesion.name for lesion in lesions.present]
    if as_json:
        record = {"folder": str(output), "files": files, "lesions": names, "warnings": list(manifest.warnings)}
        print(json.dumps(record))
        return
    for warning in manifest.warnings:
        print(f"Note: {warning}")
    print(f"Lesions: {', '.join(names)}")
    for path in files.values():
        print(path)
