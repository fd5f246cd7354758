"""`hntargetseg`: the commands, and how an error becomes a line and an exit status."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence

from HNTargetSegLib import __version__
from HNTargetSegLib.cli.interrupt import interruptible
from HNTargetSegLib.cli.segment_boxes import joined_boxes
from HNTargetSegLib.errors import CancelledError, ErrorCode, TargetSegError

_GROUPS = (
    "demo",
    "review",
    "segment",
    "challenge",
    "register",
    "export",
    "import_",
    "send",
    "evaluate",
    "phantom",
    "models",
    "train",
    "reproduce",
    "doctor",
)


def build_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = argparse.ArgumentParser(
        prog="hntargetseg",
        description="Primary tumour and lymph-node targets on head-and-neck MR. Research use only.",
    )
    parser.add_argument("--version", action="version", version=f"hntargetseg {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in _GROUPS:
        importlib.import_module(f"HNTargetSegLib.cli.{group}").add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (errors.ErrorCode)."""
    with interruptible():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    options = argparse.Namespace()
    try:
        _print_any_character()
        options = build_parser().parse_args(joined_boxes(sys.argv[1:] if arguments is None else arguments))
        status = int(options.run(options))
        # Whatever is wrong with the reader of the output shows here, not after the end.
        sys.stdout.flush()
        return status
    except TargetSegError as error:
        return _report(options, error)
    except KeyboardInterrupt:
        return _report(options, CancelledError())
    except BrokenPipeError:
        # The reader of our output left (`| head`); nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ErrorCode.OK
    except MemoryError:
        return _report(options, _out_of_memory())
    except Exception as error:
        return _report(options, _unexpected(error))


def _print_any_character() -> None:
    # A file name that the terminal cannot show must not end a run.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _report(options: argparse.Namespace, error: TargetSegError) -> int:
    if getattr(options, "json", False):
        fields = {"code": error.code.name, "message": error.what, "path": error.path, "remedy": error.remedy}
        print(json.dumps({"error": fields}))
    else:
        print(f"hntargetseg: {error}", file=sys.stderr)
    return error.code


def _out_of_memory() -> TargetSegError:
    from HNTargetSegLib.errors import OutOfMemoryError

    return OutOfMemoryError(
        "The memory of this machine does not suffice", remedy="Close other programs or crop the image"
    )


def _unexpected(error: Exception) -> TargetSegError:
    if os.environ.get("HNTARGETSEG_DEBUG"):
        traceback.print_exc()
    return TargetSegError(
        f"An unexpected error of kind {type(error).__name__}: {error}",
        remedy="Set HNTARGETSEG_DEBUG=1 to see where, and report it",
    )


if __name__ == "__main__":
    sys.exit(main())
