"""`hntargetseg import`: an RTSTRUCT or SEG as a mask on the grid of its series."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.case.dicom_structure import Structure
    from HNTargetSegLib.case.labels import Target

_EXAMPLE = """examples:
  hntargetseg import rtstruct.dcm --series dicom/preRT --output prior.nii.gz
  hntargetseg import RS.dcm --series dicom --structure 'GTV_Mass=PT' --output mask.nii.gz

The mask holds 0 background, 1 GTVp, 2 GTVn. Without --structure all structures are taken whose name (GTVp, GTVn,
numbered) or code says what they are; a voxel of both kinds becomes GTVp."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "import",
        help="read an RTSTRUCT or SEG as a mask on its series",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="RTSTRUCT or SEG")
    parser.add_argument("--series", type=Path, required=True, metavar="DIR", help="DICOM folder of the image")
    parser.add_argument("--output", type=Path, required=True, metavar="MASK", help="NIfTI, NRRD or MHA file to write")
    parser.add_argument(
        "--structure", action="append", default=[], metavar="NAME[=PT|LN]", help="structure to take; may be repeated"
    )
    parser.add_argument("--lesions-map", type=Path, metavar="IDS", help="also write a map with an id a structure")
    parser.add_argument(
        "--lesions", type=Path, metavar="CSV", help="also write a lesion table: names, states; fits the map of ids"
    )
    parser.add_argument("--other-patient", action="store_true", help="confirm that the patient ids may differ")
    parser.add_argument("--other-frame", action="store_true", help="confirm that the frames of reference may differ")
    parser.add_argument("--json", action="store_true", help="print what was read as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, write and say what was read."""
    from HNTargetSegLib.case.dicom_import import Allowed, read_structures
    from HNTargetSegLib.case.dicom_series import read_series
    from HNTargetSegLib.case.dicom_structure import chosen_structures, id_map, label_map
    from HNTargetSegLib.case.write import write_volume
    from HNTargetSegLib.lesions.from_structures import lesions_of_structures
    from HNTargetSegLib.lesions.table import write_table

    wanted = wanted_structures(options.structure)
    _require_image_names(options.output, options.lesions_map)
    if not options.series.is_dir():
        raise BadInputError("There is no such folder", path=options.series, remedy="Give the DICOM folder of the image")
    series = read_series(options.series)
    read = read_structures(options.file, series, Allowed(options.other_patient, options.other_frame))
    taken = chosen_structures(read, wanted, str(options.file))
    mask, doubled = label_map(taken, series.geometry, str(options.file))
    write_volume(mask, options.output)
    if options.lesions_map is not None:
        write_volume(id_map(taken, series.geometry, str(options.file)), options.lesions_map)
    if options.lesions is not None:
        write_table(lesions_of_structures(taken, series.geometry, str(options.file)).lesions, options.lesions)
    notes = [note for structure in taken for note in structure.notes]
    if doubled:
        notes.append(f"{doubled} voxels lie in structures of both kinds and became GTVp.")
    left = [s.name for s in read if all(s.number != other.number for other in taken)]
    _report(taken, left, notes, series.geometry.voxel_cc, options)
    return 0


def wanted_structures(given: Sequence[str]) -> dict[str, Target | None]:
    """Target by structure name, of ``NAME`` or ``NAME=PT``.

    Raises
    ------
    BadInputError
        If what stands behind ``=`` is neither PT nor LN, or a name is empty.
    """
    from HNTargetSegLib.case.labels import Target

    wanted: dict[str, Target | None] = {}
    for text in given:
        name, equals, kind = text.rpartition("=") if "=" in text else (text, "", "")
        if equals and kind.upper() not in Target.__members__:
            raise BadInputError(f"--structure {text} ends in neither PT nor LN", remedy="Give NAME=PT or NAME=LN")
        if not name.strip():
            raise BadInputError(f"--structure {text} has no name", remedy="Give NAME=PT or NAME=LN")
        wanted[name.strip()] = Target[kind.upper()] if equals else None
    return wanted


def _require_image_names(*paths: Path | None) -> None:
    from HNTargetSegLib.case.read import image_suffix
    from HNTargetSegLib.errors import OutputError

    for path in paths:
        if path is not None and image_suffix(path) is None:
            raise OutputError(
                "The format is not one that is written here", path=path, remedy="End the name in .nii.gz, .nrrd or .mha"
            )


def _report(
    taken: Sequence[Structure], left: Sequence[str], notes: Sequence[str], voxel_cc: float, options: argparse.Namespace
) -> None:
    records: list[dict[str, Any]] = [
        {
            "id": number,
            "name": structure.name,
            "label": None if structure.target is None else structure.target.structure_name,
            "voxels": structure.voxels,
            "volume_cc": round(structure.voxels * voxel_cc, 4),
        }
        for number, structure in enumerate(taken, 1)
    ]
    if options.json:
        found = {"mask": str(options.output), "structures": records, "left_out": list(left), "notes": list(notes)}
        print(json.dumps(found))
        return
    for note in notes:
        print(f"Note: {note}")
    for record in records:
        print(f"{record['name']} as {record['label']}: {record['volume_cc']:.2f} cc")
    if left:
        print(f"Left out: {', '.join(left)}")
    print(options.output)
