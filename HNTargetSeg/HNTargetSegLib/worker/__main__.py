"""Start the worker: ``python -m HNTargetSegLib.worker FOLDER``, which is what the client does."""

from __future__ import annotations

import sys
from pathlib import Path

from HNTargetSegLib.worker.server import serve


def main(arguments: list[str]) -> int:
    """Serve until standard input ends; returns the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("The worker takes one argument: an existing folder for the images that it works on.", file=sys.stderr)
        return 2
    serve(Path(arguments[0]).absolute())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
