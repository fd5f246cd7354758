"""`hntargetseg export`: lesions as DICOM SEG and RTSTRUCT on their series, and in formats that need none."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.cli.deidentify_arguments import add_deidentify_arguments, deidentification_of
from HNTargetSegLib.cli.node_arguments import add_node_arguments, as_record, as_text, delivered, node_of
from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.errors import BadInputError, ErrorCode

if TYPE_CHECKING:
    from HNTargetSegLib.case.labels import Target
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.export.dicom_files import DicomOptions
    from HNTargetSegLib.export.dicom_send import Delivery
    from HNTargetSegLib.export.format import Format
    from HNTargetSegLib.export.formats import Leaving
    from HNTargetSegLib.export.manifest import Manifest
    from HNTargetSegLib.lesions.lesion import LesionSet

_EXAMPLE = """examples:
  hntargetseg export --segmentation result/segmentation.nii.gz --series dicom/midRT --output out
  hntargetseg export --lesions-map result/lesions.nii.gz --lesions result/lesions.csv --series dicom/midRT --output out
  hntargetseg export --segmentation mask.nii.gz --series dicom --output out --send pacs:104:ARCHIVE
  hntargetseg export --segmentation mask.nii.gz --series dicom --output out --deidentify basic,dates --with-images
  hntargetseg export --segmentation result/segmentation.nii.gz --image T2.nii.gz --format nrrd,stl,report --output out

Formats: nifti, nrrd (Slicer's segmentation), seg and rtstruct (DICOM, need --series), stl (a closed surface a lesion,
LPS mm), csv, report (HTML and PDF, needs --series or --image); manifest.json comes with each. With the lesion table
names and states are those of the review, and rejected lesions stay out; with the map of ids touching lesions stay
apart. Holes are written as keyholes."""

_SAME_PLACE_MM = 0.02


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "export",
        help="write lesions as DICOM SEG, RTSTRUCT, NIfTI, NRRD, STL, table or report",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    masks = parser.add_mutually_exclusive_group(required=True)
    masks.add_argument("--segmentation", type=Path, metavar="MASK", help="0 background, 1 GTVp, 2 GTVn")
    masks.add_argument("--lesions-map", type=Path, metavar="IDS", help="lesion ids; needs --lesions")
    parser.add_argument("--lesions", type=Path, metavar="CSV", help="lesion table: names, states, origins")
    parser.add_argument("--series", type=Path, metavar="DIR", help="DICOM folder of the image")
    parser.add_argument("--image", type=Path, metavar="T2", help="the image, where it is not DICOM")
    parser.add_argument("--format", default="seg,rtstruct", help="any of the formats below (default seg,rtstruct)")
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
    parser.add_argument(
        "--probability",
        action="append",
        default=[],
        metavar="PT|LN=MAP",
        help="also as fractional SEG (repeatable)",
    )
    parser.add_argument("--reviewer", metavar="NAME", help="who decided about the lesions, for manifest and report")
    parser.add_argument("--json", action="store_true", help="print the files as JSON")
    add_deidentify_arguments(parser)
    parser.add_argument("--send", metavar="HOST:PORT:TITLE", help="send what was written to this DICOM node")
    add_node_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, write and say where."""
    from HNTargetSegLib.export.format import parse_formats

    formats = parse_formats(options.format)
    dicom = _dicom_options(options, formats)
    node = None if options.send is None else node_of(options.send, options)
    with output_folder(options.output) as output:
        leaving = _leaving(options, formats)
        manifest = write_export(output, leaving, formats, dicom, _inputs(options), options.reviewer, quiet=options.json)
    objects = [output / name for name in manifest.files if name.endswith(".dcm")]
    delivery = None if node is None else delivered(objects, node, hidden=options.json)
    _report(leaving.lesions, manifest, output, formats, delivery, as_json=options.json)
    if delivery is not None and not options.json:
        delivery.require_complete()
        print(as_text(delivery))
    return ErrorCode.OK if delivery is None or delivery.complete else ErrorCode.BAD_INPUT


def write_export(
    output: Path,
    leaving: Leaving,
    formats: Sequence[Format],
    dicom: DicomOptions,
    inputs: Mapping[str, Path],
    reviewer: str | None = None,
    *,
    quiet: bool = False,
) -> Manifest:
    """Write all formats with a manifest, all files or none; with a bar on a terminal unless ``quiet``.

    Raises
    ------
    BadInputError, GeometryError, MissingDependencyError, OutputError
        As :func:`~HNTargetSegLib.export.formats.write_formats`; an earlier export then stands as it was.
    """
    from HNTargetSegLib.export.dicom_deidentify import deidentified_manifest
    from HNTargetSegLib.export.dicom_files import MANIFEST, dicom_parameters, unreviewed_note
    from HNTargetSegLib.export.folder import hashed_files, replacing_export
    from HNTargetSegLib.export.format import Format
    from HNTargetSegLib.export.formats import write_formats
    from HNTargetSegLib.export.manifest import Manifest, write_manifest

    started = datetime.datetime.now(datetime.timezone.utc)
    with replacing_export(output) as new, _progress_bar(len(formats), hidden=quiet) as progress:
        said = write_formats(new, leaving, formats, dicom, progress)
        notes = [*unreviewed_note(leaving.lesions), *said]
        if Format.REPORT in formats:
            progress(Format.REPORT.title)
            _write_report(new, leaving, inputs, reviewer, notes)
        manifest = Manifest.of_run(
            inputs=inputs,
            model=None,
            parameters={**dicom_parameters(dicom), "formats": [kind.value for kind in formats]},
            device="cpu",
            started=started,
            reviewer=reviewer,
            files=hashed_files(new),
            warnings=notes,
        )
        hidden = dicom.deidentification
        kept = manifest if hidden is None else deidentified_manifest(manifest, hidden, said)
        write_manifest(kept, new / MANIFEST)
    return manifest


def _leaving(options: argparse.Namespace, formats: Sequence[Format]) -> Leaving:
    """What was given, read as far as the formats need it."""
    from HNTargetSegLib.case.dicom_series import read_series, series_volume
    from HNTargetSegLib.case.read import read_volume
    from HNTargetSegLib.export.format import Format
    from HNTargetSegLib.export.formats import Leaving

    series = None if options.series is None else read_series(_folder(options.series))
    lesions = read_lesion_set(options.segmentation, options.lesions_map, options.lesions)
    image = None if options.image is None else read_volume(options.image)
    if image is None and series is not None and {Format.NIFTI, Format.REPORT} & set(formats):
        image = series_volume(series)
    if image is None and Format.REPORT in formats:
        raise BadInputError("A report shows the lesions on their image", remedy="Give --image T2 or --series DIR")
    title = Path(image.name).name if image is not None else ""
    return Leaving(lesions, image, series, title, _probabilities(options.probability))


def _probabilities(given: Sequence[str]) -> dict[Target, Volume]:
    from HNTargetSegLib.case.labels import Target
    from HNTargetSegLib.case.read import read_volume

    found = {}
    for text in given:
        kind, equals, path = text.partition("=")
        if not equals or kind.upper() not in Target.__members__:
            raise BadInputError(f"--probability {text} begins with neither PT= nor LN=", remedy="Give PT=MAP or LN=MAP")
        found[Target[kind.upper()]] = read_volume(path)
    return found


def _inputs(options: argparse.Namespace) -> dict[str, Path]:
    given = {
        "segmentation": options.segmentation,
        "lesion_ids": options.lesions_map,
        "lesion_table": options.lesions,
        "series": options.series,
        "image": options.image,
        "predecessor": options.predecessor,
    }
    return {role: path for role, path in given.items() if path is not None}


def _write_report(
    folder: Path, leaving: Leaving, inputs: Mapping[str, Path], reviewer: str | None, notes: Sequence[str]
) -> None:
    from HNTargetSegLib.export.report_content import ReviewReport
    from HNTargetSegLib.export.review_report import common_facts, visit_section, write_report

    assert leaving.image is not None
    now = datetime.datetime.now(datetime.timezone.utc)
    facts = [(role.replace("_", " ").capitalize(), str(path)) for role, path in inputs.items()]
    section = visit_section(leaving.title, leaving.image, leaving.lesions, facts)
    report = ReviewReport(f"Lesions on {leaving.title}", common_facts(reviewer, now), (section,), tuple(notes))
    write_report(report, folder)


@contextmanager
def _progress_bar(steps: int, *, hidden: bool) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, nothing elsewhere; yields what is told of each step."""
    from tqdm import tqdm

    # disable=None hides the bar where standard error is no terminal.
    with tqdm(desc="export", total=steps, disable=True if hidden else None, leave=False) as bar:

        def show(what: str) -> None:
            bar.set_postfix_str(what, refresh=False)
            bar.update(1)

        yield show


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


def _dicom_options(options: argparse.Namespace, formats: Sequence[Format]) -> DicomOptions:
    from HNTargetSegLib.case.dicom_rtstruct import read_rtstruct
    from HNTargetSegLib.export.dicom_files import DicomFormat, DicomOptions
    from HNTargetSegLib.export.dicom_lesion import Algorithm

    other = [kind.value for kind in formats if not kind.is_dicom]
    for option, given in (("--deidentify", options.deidentify), ("--send", options.send)):
        if given is not None and other:
            raise BadInputError(
                f"{option} works with DICOM objects, not with {', '.join(other)}",
                remedy="Give --format seg, rtstruct or both, and write other formats by themselves",
            )
    return DicomOptions(
        formats=tuple(DicomFormat(kind.value) for kind in formats if kind.is_dicom) or tuple(DicomFormat),
        algorithm=Algorithm(*options.algorithm) if options.algorithm else Algorithm(),
        any_name=options.any_name,
        predecessor=None if options.predecessor is None else read_rtstruct(options.predecessor),
        deidentification=deidentification_of(options),
    )


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise BadInputError("There is no such folder", path=path, remedy="Give the DICOM folder of the image")
    return path


def _report(
    lesions: LesionSet,
    manifest: Manifest,
    output: Path,
    formats: Sequence[Format],
    delivery: Delivery | None,
    *,
    as_json: bool,
) -> None:
    files = {kind.value: str(output / kind.main_file) for kind in formats}
    names = [lesion.name for lesion in lesions.present]
    if as_json:
        record = {"folder": str(output), "files": files, "lesions": names, "warnings": list(manifest.warnings)}
        print(json.dumps(record if delivery is None else {**record, "sent": as_record(delivery)}))
        return
    for warning in manifest.warnings:
        print(f"Note: {warning}")
    print(f"Lesions: {', '.join(names) or 'none'}")
    for path in files.values():
        print(path)
