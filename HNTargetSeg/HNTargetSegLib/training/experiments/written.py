"""Write what a study found: report, tables and figure, all of them or none."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from HNTargetSegLib.export.manifest import Manifest, write_manifest
from HNTargetSegLib.files import replacing_files, write_text
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.experiments.arms import Arm
from HNTargetSegLib.training.experiments.chart import chart
from HNTargetSegLib.training.experiments.outcome import Outcome
from HNTargetSegLib.training.experiments.tables import cases_csv, claims_csv, markdown, table_csv

REPORT = "report.md"
FIGURE = "figures.png"


def write_outcome(
    outcome: Outcome, cases: tuple[TrainingCase, ...], command: str, started: datetime.datetime, folder: Path
) -> None:
    """Write ``report.md``, ``table.csv``, ``claims.csv``, ``cases.csv``, ``figures.png`` and ``manifest.json``.

    Parameters
    ----------
    cases
        Of the study; their masks are named in the manifest with hashes.
    command
        That made it.

    Raises
    ------
    OutputError
        If a file cannot be written; nothing is changed then.
    """
    texts = {
        REPORT: markdown(outcome, command, FIGURE),
        "table.csv": table_csv(outcome),
        "claims.csv": claims_csv(outcome),
        "cases.csv": cases_csv(outcome),
    }
    manifest = study_manifest(outcome, cases, command, started)
    picture = chart(outcome)
    with replacing_files(folder) as new:
        for name, text in texts.items():
            write_text(new / name, text)
        (new / FIGURE).write_bytes(picture)
        write_manifest(manifest, new / "manifest.json")


def study_manifest(
    outcome: Outcome, cases: tuple[TrainingCase, ...], command: str, started: datetime.datetime
) -> Manifest:
    """What was compared, from which masks and by which command."""
    study = outcome.study
    return Manifest.of_run(
        inputs={f"{case.identifier} mask": case.mask for case in cases},
        model=None,
        parameters={
            "preset": study.preset.name,
            "visit": study.visit,
            "arms": {arm.name: _choices(arm) for arm in outcome.arms},
            "seeds": list(outcome.seeds),
            "generated_patients": outcome.generated,
            "command": command,
        },
        device=study.device,
        started=started,
        warnings=[f"{outcome.generated} of the patients are generated"] if outcome.generated else [],
    )


def _choices(arm: Arm) -> dict[str, Any]:
    loss = arm.loss.to_dict()
    return loss if arm.prior is None else {**loss, "prior": arm.prior.to_dict()}
