"""A short run of the fuzzer; `make fuzz` is the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def fuzz(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / "Testing" / "fuzz" / "fuzz_readers.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


def test_damaged_files_are_read_or_refused_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    run = fuzz(repository, "--count", "300", "--seed", "11", "--output", str(tmp_path / "failures"))
    assert run.returncode == 0, run.stdout + run.stderr
    counted = dict(reversed(part.split()) for part in run.stdout.split(": ")[1].split(";")[0].split(", "))
    assert sum(map(int, counted.values())) == 300
    # Damage that is always refused would test one line only, damage that is never refused nothing.
    assert int(counted["read"]) > 30
    assert int(counted["refused"]) > 100
    assert not (tmp_path / "failures").exists()
