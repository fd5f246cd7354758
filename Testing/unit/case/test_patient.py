"""Patients: files first, volumes on demand, one grid a visit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Patient, PatientFiles, Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError, GeometryError

Make = Callable[..., Volume]


@pytest.fixture
def files(tmp_path: Path, make_volume: Make) -> PatientFiles:
    """A patient whose visits lie on different grids."""
    pre, mid = make_volume(), make_volume(spacing=(0.6, 0.6, 3.0))
    mask = (np.arange(120).reshape(4, 5, 6) % 3).astype(np.uint8)
    contents = {
        "pre": pre,
        "mid": mid,
        "pre_mask": pre.with_array(mask),
        "registered_pre": mid,
        "registered_mask": mid.with_array(mask),
        "mid_mask": mid.with_array(mask),
    }
    paths = {role: tmp_path / f"{role}.nii.gz" for role in contents}
    for role, volume in contents.items():
        write_volume(volume, paths[role])
    return PatientFiles("7", **paths)


def test_all_inputs_load_and_the_reference_of_mid_does_not(files: PatientFiles) -> None:
    patient = files.load()
    assert patient.name == "7"
    assert patient.pre is not None
    assert patient.pre_mask is not None
    assert patient.pre_mask.geometry == patient.pre.geometry
    assert patient.mid is not None
    assert patient.registered_mask is not None
    assert patient.registered_mask.geometry == patient.mid.geometry
    assert patient.mid_mask is None


def test_only_the_roles_asked_for_are_read(files: PatientFiles) -> None:
    assert files.pre is not None
    files.pre.write_bytes(b"damaged")
    patient = files.load(roles=("mid", "mid_mask"))
    assert patient.pre is None
    assert patient.reference(Visit.MID) is not None
    assert patient.require_image(Visit.MID) is patient.mid
    with pytest.raises(BadInputError, match="Patient 7 has no pre-RT image"):
        patient.require_image(Visit.PRE)


def test_images_and_references_are_found_by_visit(files: PatientFiles) -> None:
    assert files.image(Visit.PRE) == files.pre
    assert files.reference(Visit.PRE) == files.pre_mask
    assert files.reference(Visit.MID) == files.mid_mask
    assert dict(files)["registered_pre"] == files.registered_pre


def test_unusual_images_are_warned_of_by_name(files: PatientFiles) -> None:
    (warning, *_) = files.load(roles=["pre"]).warnings
    assert str(files.pre) in warning
    assert "field of view" in warning


def test_a_mask_on_the_grid_of_the_other_visit_is_an_error_until_resampling_is_asked_for(files: PatientFiles) -> None:
    swapped = PatientFiles("7", pre=files.pre, pre_mask=files.mid_mask)
    with pytest.raises(GeometryError, match=r"\(0\.6, 0\.6, 3\) mm.*against.*\(0\.5, 0\.75, 2\) mm"):
        swapped.load()
    patient = swapped.load(resample=True)
    assert patient.pre is not None
    assert patient.pre_mask is not None
    assert patient.pre_mask.geometry == patient.pre.geometry


def test_a_registered_image_off_the_mid_grid_is_an_error(make_volume: Make) -> None:
    with pytest.raises(GeometryError, match="grid differs"):
        Patient("7", mid=make_volume(), registered_pre=make_volume(spacing=(1.0, 1.0, 1.0)))


def test_a_patient_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="neither a pre-RT nor a mid-RT image"):
        PatientFiles("7", pre_mask=tmp_path / "m.nii.gz")
    with pytest.raises(BadInputError, match="neither a pre-RT nor a mid-RT image"):
        Patient("7")


def test_an_image_of_zeros_does_not_load(files: PatientFiles, make_volume: Make, tmp_path: Path) -> None:
    empty = make_volume()
    write_volume(empty.with_array(np.zeros_like(empty.array)), tmp_path / "empty.nii.gz")
    with pytest.raises(BadInputError, match="0 everywhere"):
        PatientFiles("7", mid=tmp_path / "empty.nii.gz").load()


def test_identities_are_those_of_the_dicom_visits(
    tmp_path: Path, files: PatientFiles, make_series: Callable[..., list[Path]]
) -> None:
    make_series(tmp_path / "dicom", StudyDate="20240301")
    mixed = PatientFiles("7", pre=files.pre, mid=tmp_path / "dicom")
    identities = mixed.identities()
    assert list(identities) == [Visit.MID]
    assert identities[Visit.MID].study_date == "20240301"


def test_visits_read_as_words() -> None:
    assert [str(visit) for visit in Visit] == ["pre", "mid"]
    assert Visit("mid").title == "mid-RT"
