"""Write what a study of the gradient map found: report, tables and figures, all of them or none."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from HNTargetSegLib.export.manifest import write_manifest
from HNTargetSegLib.files import replacing_files, write_text
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.experiments.map_charts import effect_violins, volume_scatter
from HNTargetSegLib.training.experiments.map_outcome import MapOutcome
from HNTargetSegLib.training.experiments.map_tables import folds_csv, map_cases_csv, map_markdown, refusal_csv
from HNTargetSegLib.training.experiments.written import REPORT, study_manifest

VIOLINS, SCATTER = "dsc.png", "volume-change.png"


def write_map_outcome(
    found: MapOutcome, cases: Sequence[TrainingCase], command: str, started: datetime.datetime, folder: Path
) -> None:
    """Write ``report.md``, ``folds.csv``, ``cases.csv``, ``refusal.csv``, two figures and ``manifest.json``.

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
        REPORT: map_markdown(found, command, (VIOLINS, SCATTER)),
        "folds.csv": folds_csv(found),
        "cases.csv": map_cases_csv(found),
    }
    if found.unseen:
        texts["refusal.csv"] = refusal_csv(found)
    pictures = {VIOLINS: effect_violins(found)}
    if len(found.base.arms) > 1:
        pictures[SCATTER] = volume_scatter(found, found.base.arms[1].name)
    manifest = study_manifest(found.base, tuple(cases), command, started)
    with replacing_files(folder) as new:
        for name, text in texts.items():
            write_text(new / name, text)
        for name, picture in pictures.items():
            (new / name).write_bytes(picture)
        write_manifest(manifest, new / "manifest.json")
