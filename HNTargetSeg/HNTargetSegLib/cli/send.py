"""`hntargetseg send`: DICOM files to a node."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from HNTargetSegLib.cli.node_arguments import add_node_arguments, as_record, as_text, delivered, node_of
from HNTargetSegLib.errors import BadInputError, ErrorCode

_EXAMPLE = """examples:
  hntargetseg send out --node pacs:104:ARCHIVE
  hntargetseg send --node pacs:2762:ARCHIVE --tls --check

Folders are sent with all DICOM files in them and below. An object that the node refuses does not stop the rest; at the
end it is said what arrived and what did not, and the exit status is 2 unless all arrived."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "send",
        help="send DICOM files to a node (C-STORE)",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="DICOM files, or folders of them")
    parser.add_argument("--node", required=True, metavar="HOST:PORT:TITLE", help="where to, and how it is called")
    parser.add_argument("--check", action="store_true", help="ask first whether it answers (C-ECHO); alone: only ask")
    parser.add_argument("--json", action="store_true", help="print what became of each object as JSON")
    add_node_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check, send, and say what arrived."""
    from HNTargetSegLib.export.dicom_send import verify

    node = node_of(options.node, options)
    if options.check:
        verify(node)
        if not options.paths:
            print(json.dumps({"node": str(node), "answers": True}) if options.json else f"{node} answers")
            return ErrorCode.OK
    delivery = delivered(dicom_files(options.paths), node, hidden=options.json)
    if options.json:
        print(json.dumps(as_record(delivery)))
        return ErrorCode.OK if delivery.complete else ErrorCode.BAD_INPUT
    delivery.require_complete()
    print(as_text(delivery))
    return ErrorCode.OK


def dicom_files(paths: Sequence[Path]) -> list[Path]:
    """The files that were named, and the DICOM files in the folders that were, in the order of their names.

    Raises
    ------
    BadInputError
        If a folder holds none, or is not there.
    """
    from HNTargetSegLib.case.dicom_scan import is_dicom

    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != "DICOMDIR"]
        inside = [file for file in inside if is_dicom(file)]
        if not inside:
            raise BadInputError("The folder holds no DICOM file", path=path, remedy="Name one that does")
        found += inside
    return list(dict.fromkeys(found))
