"""Fast mode, warm and cold, beside nnU-Net's cold command; and what it changes, for the card of the model."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from statistics import median

from Testing.benchmarks.agreement import Agreement, compare_modes, write_into_card
from Testing.benchmarks.machine import describe
from Testing.benchmarks.peer import NnunetCommand, our_command
from Testing.benchmarks.resident import Resident
from Testing.benchmarks.setting import Setting, plain_environment
from Testing.benchmarks.table import Row, at_least, at_most, below_peer


def run(setting: Setting) -> list[Row]:
    """Measure; ours and theirs take turns."""
    fast = Resident(setting.model, "fast")
    rows = _times(setting, fast)
    agreement = compare_modes(Resident(setting.model, "exact").model, fast.model, setting.patients)
    snippet = _snippet(rows, agreement)
    print(json.dumps({"evaluation": {"fast_mode": snippet}}, indent=2))
    if setting.write_card:
        write_into_card(setting.model, snippet)
        print(f"Written into the card of {setting.model.card.name}")
    return [*rows, *_agreement_rows(agreement)]


def _times(setting: Setting, fast: Resident) -> list[Row]:
    peer = NnunetCommand(setting)
    images, output = setting.images(1), setting.folder / "ours"
    (image,) = sorted(images.iterdir())
    fast.everything(image, output)
    theirs, warm, cold = [], [], []
    for number in range(max(setting.repeats, setting.peer_repeats)):
        if number < setting.peer_repeats:
            theirs.append(peer.run(images, setting.folder / "theirs").total)
        warm.append(fast.everything(image, output).total)
        cold.append(_cold(setting, image, output))
    first = _cold(setting, image, output, cache=setting.folder / "empty-cache")
    return [
        below_peer(f"fast mode, warm ({fast.model.predictor.engine_name})", median(warm), median(theirs), 7),
        below_peer("fast mode, cold: a fresh `hntargetseg segment`", median(cold), median(theirs), 4),
        below_peer("  the very first run, which converts the network", first, median(theirs)),
    ]


def _cold(setting: Setting, image: Path, output: Path, cache: Path | None = None) -> float:
    model, environment = setting.installed_model()
    if cache is not None:
        environment["HNTARGETSEG_CACHE"] = str(cache)
    arguments = ["segment", "--mid", str(image), "--output", str(output), "--mode", "fast", "--device", "cpu"]
    begin = time.perf_counter()
    subprocess.run(
        [*our_command(), *arguments, "--model", model.card.name],
        env=plain_environment(**environment),
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begin


def _snippet(rows: list[Row], agreement: Agreement) -> dict[str, object]:
    machine = describe()
    kept = ("processor", "bfloat16", "cores", "torch", "openvino", "nnunetv2")
    return {
        **agreement.to_dict(),
        "times_faster_than_nnUNetv2_predict": {
            name: round(row.ratio, 1)
            for name, row in zip(("warm", "cold", "first_run"), rows, strict=True)
            if row.ratio is not None
        },
        "machine": {name: machine[name] for name in kept},
        "command": "python -m Testing.benchmarks fast --write-card",
    }


def _agreement_rows(agreement: Agreement) -> list[Row]:
    rows = []
    for figures in agreement.labels:
        rows += [
            at_least(f"  DSC fast to exact, {figures.name}, mean", figures.to_exact_mean, 0.99, ""),
            at_least(f"  DSC fast to exact, {figures.name}, pooled", figures.to_exact_pooled, 0.99, ""),
            at_most(f"  change of DSC to the truth, {figures.name}, mean", figures.change_of_mean, 0.005, ""),
            at_most(f"  change of DSC to the truth, {figures.name}, pooled", figures.change_of_pooled, 0.005, ""),
        ]
    return rows
