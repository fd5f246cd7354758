"""The sample patient: made once, reused while complete, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from HNTargetSegLib.case.patient import PatientFiles, Visit
from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.files import sha256
from HNTargetSegLib.phantom import PhantomOptions, sample
from HNTargetSegLib.phantom.sample import RECORD_FILE, sample_patient

SMALL = PhantomOptions(size=(26, 32, 14), spacing=(8.0, 8.0, 12.0))


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds of the patients that were generated; the generator itself runs."""
    seeds: list[int] = []

    generate = sample.generate_patient

    def counted(seed: int, index: int, options: PhantomOptions) -> object:
        seeds.append(seed)
        return generate(seed, index, options)

    monkeypatch.setattr(sample, "generate_patient", counted)
    return seeds


def test_it_is_a_patient_with_both_visits_and_their_masks(tmp_path: Path) -> None:
    files = sample_patient(tmp_path, 3, SMALL)
    assert {role for role, _ in files} == {"pre", "mid", "pre_mask", "mid_mask", "registered_pre", "registered_mask"}
    patient = files.load()
    assert [patient.require_image(visit).geometry.size for visit in Visit] == [SMALL.size, SMALL.size]


def test_a_second_call_reads_what_is_there(tmp_path: Path, generated: list[int]) -> None:
    first = sample_patient(tmp_path, 3, SMALL)
    assert sample_patient(tmp_path, 3, SMALL) == first
    assert generated == [3]


def test_each_seed_has_its_own_folder(tmp_path: Path, generated: list[int]) -> None:
    patients = [sample_patient(tmp_path, seed, SMALL) for seed in (3, 4, 3)]
    assert generated == [3, 4]
    assert _digest(patients[0]) == _digest(patients[2]) != _digest(patients[1])


@pytest.mark.parametrize("damage", ["cut", "gone", "added", "record cut"])
def test_a_folder_that_is_not_as_it_was_written_is_made_anew(tmp_path: Path, generated: list[int], damage: str) -> None:
    files = sample_patient(tmp_path, 3, SMALL)
    assert files.mid is not None
    before = _digest(files)
    record = tmp_path / "seed-3" / RECORD_FILE
    if damage == "cut":
        files.mid.write_bytes(files.mid.read_bytes()[:-10])
    elif damage == "gone":
        files.mid.unlink()
    elif damage == "added":
        (files.mid.parent / "2_midRT_T2.nii.gz").write_bytes(b"")
    else:
        record.write_text(record.read_text()[:40])
    assert _digest(sample_patient(tmp_path, 3, SMALL)) == before
    assert generated == [3, 3]


@pytest.mark.parametrize("key", ["version", "options"])
def test_a_patient_of_another_version_or_size_is_made_anew(tmp_path: Path, generated: list[int], key: str) -> None:
    sample_patient(tmp_path, 3, SMALL)
    record = tmp_path / "seed-3" / RECORD_FILE
    record.write_text(json.dumps({**json.loads(record.read_text()), key: "other"}))
    sample_patient(tmp_path, 3, SMALL)
    assert generated == [3, 3]


def test_a_run_that_is_stopped_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sample, "_file_hashes", stopped)
    with pytest.raises(KeyboardInterrupt):
        sample_patient(tmp_path, 3, SMALL)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "seed-3").mkdir()
    (tmp_path / "seed-3" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        sample_patient(tmp_path, 3, SMALL)
    assert (tmp_path / "seed-3" / "thesis.txt").read_text() == "mine"


def test_without_a_folder_it_lies_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "cache"))
    files = sample_patient(seed=3, options=SMALL)
    assert files.pre is not None
    assert tmp_path / "cache" / "sample" / "seed-3" in files.pre.parents


def _digest(files: PatientFiles) -> dict[str, str]:
    return {role: sha256(path) for role, path in files}
