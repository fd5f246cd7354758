"""`hntargetseg review`: the review in a browser."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from HNTargetSegLib.errors import BadInputError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    from HNTargetSegLib.web.access_options import add_access_arguments

    parser = commands.add_parser(
        "review",
        help="review lesions in a browser",
        description="Serves the review page on this machine and prints its link, which holds a token: whoever has the "
        "link can use the page. It ends with Ctrl-C, or when nobody has used it for a while.",
        epilog="example:\n  hntargetseg review patients/77",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "patient", type=Path, nargs="?", metavar="PATIENT_DIR", help="folder of a patient, or of several to choose from"
    )
    parser.add_argument(
        "--root",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder that the page may look into (default: your home)",
    )
    parser.add_argument("--no-browser", action="store_true", help="open no browser, only print the link")
    parser.add_argument("--json", action="store_true", help="print the link as JSON")
    add_access_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until the end."""
    from HNTargetSegLib.web.access_options import access_options
    from HNTargetSegLib.web.serve import ServeOptions, serve

    if options.patient is not None and not options.patient.is_dir():
        raise BadInputError("There is no such folder", path=options.patient, remedy="Check the path")
    access = access_options(options)
    for warning in access.warnings():
        print(f"Warning: {warning}", file=sys.stderr)
    roots = [*options.root, *([] if options.root else [Path.home()])]
    patient = None
    if options.patient is not None:
        patient = options.patient.absolute()
        roots.append(patient)
    wanted = ServeOptions(folder=patient, roots=tuple(roots), access=access, browser=not options.no_browser)
    serve(wanted, partial(say_where, as_json=options.json))
    return 0


def say_where(link: str, port: int, *, as_json: bool = False) -> None:
    """Print where the page is."""
    if as_json:
        print(json.dumps({"url": link, "port": port}), flush=True)
    else:
        print(f"Review: {link}\nPress Ctrl-C to end it.", flush=True)
