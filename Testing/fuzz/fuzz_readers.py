"""Damaged files through the readers: no traceback but our errors, no crash, no hang, nothing half-written.

python Testing/fuzz/fuzz_readers.py --count 10000 --seed 0

Every mutation is a function of seed and index. Failures are saved with their files; exit status 1 if there is any.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parents[1] / "HNTargetSeg")]

from mutations import mutate  # noqa: E402
from samples import Sample, samples  # noqa: E402

HANG_S = 10.0
START_S = 60.0
MEMORY_BYTES = 6 << 30
STATUSES = ("read", "refused", "traceback", "litter", "crash", "hang")
GOOD = ("read", "refused")


def chosen(folder: Path, only: str) -> list[Sample]:
    """Samples whose names begin with ``only``."""
    return [sample for sample in samples(folder) if sample.name.startswith(only)]


def damaged(kinds: list[Sample], seed: int, index: int) -> Sample:
    """Sample number ``index`` of a run, damaged."""
    rng = random.Random(f"{seed}-{index}")
    sample, donor = rng.choice(kinds), rng.choice(kinds)
    victim = rng.choice(sorted(sample.files))
    content = mutate(sample.files[victim], rng.choice(sorted(donor.files.values())), rng)
    return sample._replace(files={**sample.files, victim: content})


def lay_out(sample: Sample, folder: Path) -> Path:
    """Write a sample's files; returns the path for the reader."""
    folder.mkdir(parents=True)
    for name, content in sample.files.items():
        (folder / name).write_bytes(content)
    return folder / sample.path


def try_one(sample: Sample, folder: Path) -> tuple[str, str]:
    """Read a sample and write what was read; status and its detail."""
    from HNTargetSegLib.case.read import read_mask, read_volume
    from HNTargetSegLib.case.write import write_volume
    from HNTargetSegLib.errors import OutOfMemoryError, TargetSegError

    source, output = lay_out(sample, folder / "in"), folder / "out"
    output.mkdir()
    try:
        volume = read_mask(source) if sample.is_mask else read_volume(source)
        write_volume(volume, output / "a.nrrd")
        status, detail = "read", ""
    except OutOfMemoryError:
        status, detail = "traceback", traceback.format_exc()
    except TargetSegError as error:
        status, detail = "refused", str(error)
    except Exception:
        status, detail = "traceback", traceback.format_exc()
    left = sorted(path.name for path in output.iterdir()) + sorted(path.name for path in (folder / "in").iterdir())
    expected = (["a.nrrd"] if status == "read" else []) + sorted(sample.files)
    if status in GOOD and left != expected:
        status, detail = "litter", f"found {left}, expected {expected}"
    return status, detail


def work(seed: int, only: str, indices: range, folder: Path) -> None:
    """Run in a worker: one JSON line on the original standard output for each index."""
    report = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    kinds = chosen(folder / "samples", only)
    print(json.dumps({"ready": True}), file=report)
    for index in indices:
        status, detail = try_one(damaged(kinds, seed, index), folder / "one")
        shutil.rmtree(folder / "one")
        print(json.dumps({"index": index, "status": status, "detail": detail}), file=report)


class Lane:
    """One chain of worker processes that goes through its indices, whatever happens to them."""

    def __init__(self, seed: int, only: str, indices: range, folder: Path) -> None:
        self.seed, self.only, self.indices, self.folder = seed, only, indices, folder
        self.results: list[tuple[int, str, str]] = []

    def run(self) -> None:
        """Go through all indices; a worker that dies or hangs is replaced and the index counted."""
        at = 0
        while at < len(self.indices):
            at += self._one_worker(self.indices[at:], self.folder / f"from-{at}")

    def _one_worker(self, indices: range, folder: Path) -> int:
        span = f"{indices.start}:{indices.stop}:{indices.step}"
        command = [sys.executable, "-W", "error", __file__, "--seed", str(self.seed), "--only", self.only]
        command += ["--worker", span, str(folder)]
        folder.mkdir(parents=True)
        with (folder / "stderr.txt").open("wb") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._pump, args=(process, lines), daemon=True).start()
        done, limit = 0, START_S
        try:
            while done < len(indices):
                line = lines.get(timeout=limit)
                limit = HANG_S
                if not line:
                    if not self.results and not done and process.wait() and limit == START_S:
                        raise RuntimeError((folder / "stderr.txt").read_text(errors="replace"))
                    raise EOFError
                message = json.loads(line)
                if "index" in message:
                    self.results.append((message["index"], message["status"], message["detail"]))
                    done += 1
        except (queue.Empty, EOFError) as end:
            status = "hang" if isinstance(end, queue.Empty) else "crash"
            process.kill()
            detail = f"exit status {process.wait()}\n" + (folder / "stderr.txt").read_text(errors="replace")[-3000:]
            self.results.append((indices[done], status, detail))
            done += 1
        process.wait()
        return done

    @staticmethod
    def _pump(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")


def save_failures(results: list[tuple[int, str, str]], seed: int, kinds: list[Sample], output: Path) -> None:
    """Keep the files of each failure and what happened."""
    for index, status, detail in results:
        folder = output / f"{seed}-{index}-{status}"
        shutil.rmtree(folder, ignore_errors=True)
        sample = damaged(kinds, seed, index)
        lay_out(sample, folder)
        (folder / "failure.txt").write_text(
            f"{sample.name}, seed {seed}, index {index}: {status}\n\n{detail}\n", encoding="utf-8"
        )


def main() -> int:
    """Fuzz and print one line of counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="number of damaged files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="first index, to run one again")
    parser.add_argument("--only", default="", help="kinds of input whose names begin so, such as nrrd or dicom-jpeg")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("fuzz-failures"), help="folder for the files that failed")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        span, folder = arguments.worker
        work(arguments.seed, arguments.only, range(*map(int, span.split(":"))), Path(folder))
        return 0
    began = time.monotonic()
    indices = range(arguments.first, arguments.first + arguments.count)
    with tempfile.TemporaryDirectory() as name:
        lanes = [
            Lane(arguments.seed, arguments.only, indices[n :: arguments.workers], Path(name, f"lane-{n}"))
            for n in range(arguments.workers)
        ]
        threads = [threading.Thread(target=lane.run) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        results = [result for lane in lanes for result in lane.results]
        failures = [result for result in results if result[1] not in GOOD]
        save_failures(failures, arguments.seed, chosen(Path(name, "again"), arguments.only), arguments.output)
    counts = Counter(status for _, status, _ in results)
    listed = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
    print(f"{len(results)} of {arguments.count} damaged files: {listed}; {time.monotonic() - began:.0f} s")
    if failures:
        print(f"The files of the failures are in {arguments.output.resolve()}")
    return 1 if failures or len(results) != arguments.count else 0


if __name__ == "__main__":
    sys.exit(main())
