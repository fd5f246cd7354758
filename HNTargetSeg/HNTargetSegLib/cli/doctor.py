"""`hntargetseg doctor`: what this machine has and what is missing."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from HNTargetSegLib.errors import ErrorCode

if TYPE_CHECKING:
    from HNTargetSegLib.environment import Environment


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "doctor",
        help="show versions, devices, models, free memory and disk, and what is missing",
        epilog="example:\n  hntargetseg doctor --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the report; the exit status says whether segmentation can run."""
    from HNTargetSegLib.environment import examine

    report = examine()
    if options.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        _print(report)
    return ErrorCode.MISSING_DEPENDENCY if report.problems else ErrorCode.OK


def _print(report: Environment) -> None:
    print(f"HNTargetSeg {report.version} on Python {report.python}, {report.system}")
    print("\nPackages")
    for package in report.packages:
        print(f"  {package.name:<12} {package.version or 'missing':<12} {package.purpose}")
    print("\nDevices")
    for device in report.devices:
        memory = f", {device.memory_gb:.0f} GB" if device.memory_gb else ""
        print(f"  {device.kind:<5} {device.name}{memory}")
    print("\nModels: " + (", ".join(report.models) or "none"))
    memory = "unknown" if report.free_memory_gb is None else f"{report.free_memory_gb:.1f} GB"
    print(f"Free memory: {memory}; free disk: {report.free_disk_gb:.1f} GB")
    for note in report.notes:
        print(f"Note: {note}")
    print("\n" + ("\n".join(f"Problem: {problem}" for problem in report.problems) or "Nothing is missing."))
