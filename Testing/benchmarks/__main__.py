"""``python -m Testing.benchmarks [NAME ...] [--json FILE]``: speed and memory, ours beside theirs."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from Testing.benchmarks import machine, table

from HNTargetSegLib.errors import TargetSegError

_BENCHMARKS = (
    "import_time",
    "overhead",
    "exact",
    "fast",
    "memory",
    "export",
    "loss",
    "metrics",
    "module",
    "prompt",
    "register",
    "flag",
    "review",
    "scene",
)
_MODULES = {
    "export": "export_speed",
    "flag": "registration_flag",
    "loss": "loss_cost",
    "metrics": "metrics_speed",
    "module": "module_speed",
    "prompt": "prompt_speed",
    "register": "registration",
    "review": "review_speed",
    "scene": "scene_speed",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; 0 unless one broke, whatever the figures are."""
    options = _parser().parse_args(arguments)
    described = machine.describe()
    print(f"Machine: {machine.as_text(described)}", flush=True)
    results: dict[str, list[table.Row]] = {}
    broken = []
    with tempfile.TemporaryDirectory(prefix="hntargetseg-bench-") as folder:
        for name in options.names or _BENCHMARKS:
            rows = _run(name, Path(folder), options)
            if rows is None:
                broken.append(name)
            else:
                results[name] = rows
    print(f"\n{table.as_text(row for rows in results.values() for row in rows)}")
    if broken:
        print(f"\nBroken: {', '.join(broken)}")
    if options.json:
        record = {name: [row.to_dict() for row in rows] for name, rows in results.items()}
        options.json.write_text(json.dumps({"machine": described, "results": record, "broken": broken}, indent=2))
    return 1 if broken else 0


def _run(name: str, folder: Path, options: argparse.Namespace) -> list[table.Row] | None:
    begin = time.perf_counter()
    os.environ["HNTARGETSEG_CACHE"] = str(folder / "cache")
    try:
        rows: list[table.Row] = importlib.import_module(f"Testing.benchmarks.{_MODULES.get(name, name)}").run(
            _setting(folder, options)
        )
    except TargetSegError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return None
    except Exception:
        traceback.print_exc()
        return None
    print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
    return rows


def _setting(folder: Path, options: argparse.Namespace) -> object:
    from Testing.benchmarks.setting import Setting

    from HNTargetSegLib.models.store import ModelStore
    from HNTargetSegLib.models.stored import load_model

    chosen = options.model_folder
    return Setting(
        model=ModelStore.default_store().default() if chosen is None else load_model(chosen),
        folder=folder,
        size=tuple(options.size),
        repeats=options.repeats,
        peer_repeats=options.peer_repeats,
        patients=options.patients,
        write_card=options.write_card,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m Testing.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", type=_benchmark, metavar="NAME", help=", ".join(_BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument("--model-folder", type=Path, help="a stored model (default: the store's default)")
    parser.add_argument("--size", type=int, nargs=3, default=(256, 256, 64), help="voxels of a timed image (i, j, k)")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of ours (default 3)")
    parser.add_argument("--peer-repeats", type=int, default=2, help="timed runs of the peer (default 2)")
    parser.add_argument("--patients", type=int, default=10, help="patients for fast beside exact mode (default 10)")
    parser.add_argument("--write-card", action="store_true", help="write the comparison of fast mode into the card")
    return parser


def _benchmark(name: str) -> str:
    if name not in _BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no '{name}'; choose from {', '.join(_BENCHMARKS)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
