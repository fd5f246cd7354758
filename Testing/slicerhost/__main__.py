"""Run the host's tests, one process a test file: ``python -m Testing.slicerhost [FILE...] [pytest options]``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
NO_TESTS = 5


def test_files(wanted: Sequence[str]) -> list[Path]:
    """The test files named in ``wanted`` (a name or a path), or all that lie here."""
    if not wanted:
        return sorted(HERE.glob("test_*.py"))
    return [path if (path := Path(name)).is_file() else HERE / name for name in wanted]


def main(arguments: Sequence[str]) -> int:
    """Run them; 0 when all passed."""
    wanted = [argument for argument in arguments if argument.endswith(".py")]
    options = [argument for argument in arguments if not argument.endswith(".py")]
    failed = []
    for file in test_files(wanted):
        print(f"== {file.name}", flush=True)
        command = [sys.executable, "-m", "pytest", str(file), "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(command, cwd=REPOSITORY, check=False)
        if done.returncode not in (0, NO_TESTS):
            failed.append(f"{file.name} (status {done.returncode})")
    print("All host tests passed." if not failed else f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
