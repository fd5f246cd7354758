"""The sample patient: generated on the spot into a folder that is kept, so that nothing is downloaded."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from HNTargetSegLib import __version__
from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.patient import PatientFiles
from HNTargetSegLib.files import replacing_folder, sha256, user_folder, write_text
from HNTargetSegLib.phantom.layout import write_patient
from HNTargetSegLib.phantom.patient import PhantomOptions, generate_patient

SAMPLE_SEED = 2028
"""A patient with a tumour of the larynx, three nodes on its side, and one on the other that is gone at mid-RT."""

SAMPLE_NAME = "sample (synthetic)"

RECORD_FILE = "sample.json"


def sample_patient(
    folder: Path | None = None, seed: int = SAMPLE_SEED, options: PhantomOptions | None = None
) -> PatientFiles:
    """The files of a synthetic patient; made when they are not there, which takes seconds.

    What is there is taken when every file is as this version wrote it, and made anew otherwise.

    Parameters
    ----------
    folder
        Folder of all sample patients; by default in the user's cache.
    seed, options
        Which patient.

    Raises
    ------
    OutputError
        If it cannot be written, or its place is taken by other files; nothing half-written is left.
    """
    wanted = PhantomOptions() if options is None else options
    home = (user_folder("cache") / "sample" if folder is None else Path(folder)) / f"seed-{seed}"
    recipe = {"version": __version__, "seed": seed, "options": json.loads(json.dumps(asdict(wanted)))}
    if not _is_complete(home, recipe):
        with replacing_folder(home, marker=RECORD_FILE) as new:
            write_patient(generate_patient(seed, 0, wanted), new)
            record = {**recipe, "files": _file_hashes(new)}
            write_text(new / RECORD_FILE, json.dumps(record, indent=1) + "\n")
    (files,) = discover(home)
    return replace(files, name=SAMPLE_NAME)


def _is_complete(home: Path, recipe: dict[str, object]) -> bool:
    try:
        record = json.loads((home / RECORD_FILE).read_text(encoding="utf-8"))
        return bool(record == {**recipe, "files": _file_hashes(home)})
    except (OSError, ValueError):
        return False


def _file_hashes(home: Path) -> dict[str, str]:
    files = sorted(path for path in home.rglob("*") if path.is_file() and path.name != RECORD_FILE)
    return {path.relative_to(home).as_posix(): sha256(path) for path in files}
