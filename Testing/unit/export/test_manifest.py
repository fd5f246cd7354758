"""The manifest says what went in and what was done."""

from __future__ import annotations

import datetime
import enum
import hashlib
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.export.manifest import Manifest, input_record, package_versions, write_manifest

UTC = datetime.timezone.utc


class Mode(enum.Enum):
    EXACT = "exact"


@dataclass
class Box:
    corner: tuple[float, float, float]
    label: Mode


def test_a_file_is_hashed_as_sha256sum_does(tmp_path):
    (tmp_path / "T2 für 1.nii.gz").write_bytes(b"voxels" * 1000)
    record = input_record("midRT_T2", tmp_path / "T2 für 1.nii.gz")
    printed = subprocess.run(["sha256sum", record.path], capture_output=True, text=True, check=True).stdout
    assert printed.split()[0] == record.sha256
    assert record.files == {}


def test_every_file_of_a_dicom_folder_is_hashed_in_the_order_of_names(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/2.dcm", "10.dcm", "a.dcm"):
        (tmp_path / name).write_text(name)
    record = input_record("midRT_T2", tmp_path)
    assert list(record.files) == ["10.dcm", "a.dcm", "b/2.dcm"]
    assert record.files["a.dcm"] == hashlib.sha256(b"a.dcm").hexdigest()
    listing = "".join(f"{record.files[name]}  {name}\n" for name in record.files)
    assert record.sha256 == hashlib.sha256(listing.encode()).hexdigest()


def test_one_changed_file_changes_the_hash_of_its_folder(tmp_path):
    (tmp_path / "1.dcm").write_text("a")
    before = input_record("T2", tmp_path).sha256
    (tmp_path / "1.dcm").write_text("b")
    assert input_record("T2", tmp_path).sha256 != before


def test_an_input_that_is_gone_is_an_error_that_names_it(tmp_path):
    with pytest.raises(BadInputError, match=r"gone\.nii\.gz"):
        input_record("T2", tmp_path / "gone.nii.gz")


def test_a_run_is_written_down_with_everything_it_needs(tmp_path):
    (tmp_path / "t2.mha").write_bytes(b"1")
    manifest = Manifest.of_run(
        inputs={"midRT_T2": tmp_path / "t2.mha"},
        model=None,
        parameters={
            "mode": Mode.EXACT,
            "folder": Path("a") / "b",
            "step": np.float32(0.5),
            "box": Box((1, 2, math.inf), Mode.EXACT),
            "folds": (0, 1),
            1: None,
        },
        device="cpu",
        started=datetime.datetime(2026, 3, 1, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        seconds={"network": 1.23456, "lesions": np.float64(0.5)},
        warnings=["The voxels are large."],
        reviewer="Dr. Ö",
        prompts=({"box": [1, 2, 3, 4, 5, 6], "label": "LN"},),
        edits=({"lesion": 1, "what": "brush"},),
        resampling=("The mask was brought onto the grid of the image.",),
    )
    write_manifest(manifest, tmp_path / "manifest.json")
    written = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert "esearch use only" in written["statement"]
    assert written["inputs"] == [
        {
            "role": "midRT_T2",
            "path": str(tmp_path / "t2.mha"),
            "sha256": hashlib.sha256(b"1").hexdigest(),
            "files": {},
        }
    ]
    assert written["parameters"] == {
        "mode": "exact",
        "folder": str(Path("a") / "b"),
        "step": 0.5,
        "box": {"corner": [1, 2, None], "label": "exact"},
        "folds": [0, 1],
        "1": None,
    }
    assert written["started"] == "2026-03-01T12:00:00+00:00"
    assert datetime.datetime.fromisoformat(written["finished"]) <= datetime.datetime.now(UTC)
    assert written["seconds"] == {"network": 1.235, "lesions": 0.5}
    assert written["reviewer"] == "Dr. Ö"
    assert written["prompts"] == [{"box": [1, 2, 3, 4, 5, 6], "label": "LN"}]
    assert written["edits"] == [{"lesion": 1, "what": "brush"}]
    assert written["resampling"] == ["The mask was brought onto the grid of the image."]
    assert written["warnings"] == ["The voxels are large."]
    assert written["model"] is None
    assert written["device"] == "cpu"


def test_versions_are_those_of_the_installed_packages_and_none_is_imported():
    versions = package_versions()
    assert versions["numpy"] == np.__version__
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    code = (
        "import sys; from HNTargetSegLib.export.manifest import package_versions; "
        "assert package_versions(); assert not {'torch', 'nnunetv2', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_model_is_named_with_the_hash_of_its_card(manifest):
    from types import SimpleNamespace

    model = SimpleNamespace(card=SimpleNamespace(name="demo", version="1"), digest="ab" * 32)
    written = Manifest.of_run(inputs={}, model=model, parameters={}, device="cpu", started=manifest.started).to_dict()
    assert written["model"] == {"name": "demo", "version": "1", "sha256": "ab" * 32}


def test_times_need_a_zone_and_an_order(manifest):
    with pytest.raises(BadInputError, match="time zone"):
        replace(manifest, started=datetime.datetime(2026, 1, 1))
    with pytest.raises(BadInputError, match="before it starts"):
        replace(manifest, finished=manifest.started - datetime.timedelta(seconds=1))


def test_a_manifest_that_cannot_be_written_is_an_output_error(manifest, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_manifest(manifest, tmp_path / "file" / "manifest.json")


def of_run(inputs, **changes):
    facts = {"model": None, "parameters": {}, "device": "cpu", "started": datetime.datetime.now(UTC)}
    return Manifest.of_run(inputs=inputs, **{**facts, **changes})


def test_a_record_made_when_the_input_was_read_outlives_the_input(tmp_path):
    (tmp_path / "T2.mha").write_bytes(b"as read")
    record = input_record("image", tmp_path / "T2.mha")
    (tmp_path / "T2.mha").write_bytes(b"changed since")
    (kept,) = of_run({"midRT_T2": record}).inputs
    assert kept == replace(record, role="midRT_T2")
    assert kept.sha256 == hashlib.sha256(b"as read").hexdigest()


def test_a_clock_that_was_set_back_during_the_run_does_not_lose_the_result():
    started = datetime.datetime.now(UTC) + datetime.timedelta(hours=1)
    manifest = of_run({}, started=started)
    assert manifest.finished == manifest.started == started
    with pytest.raises(BadInputError, match="time zone"):
        of_run({}, started=datetime.datetime(2026, 1, 1))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_file_names_that_are_not_utf_8_are_written_and_can_be_read_again(tmp_path):
    folder = os.fsencode(tmp_path / "M") + b"\xfcller"
    os.mkdir(folder)
    with open(folder + b"/Sch\xe4del.dcm", "wb") as stream:
        stream.write(b"1")
    write_manifest(of_run({"midRT_T2": os.fsdecode(folder)}), tmp_path / "manifest.json")
    (written,) = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    assert os.fsencode(written["path"]) == folder
    assert [os.fsencode(name) for name in written["files"]] == [b"Sch\xe4del.dcm"]
