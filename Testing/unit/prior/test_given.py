"""Transforms and registered masks from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError, GeometryError, OutputError
from HNTargetSegLib.prior.given import read_registered_mask, read_transform, write_transform


@pytest.mark.parametrize("name", ["found.h5", "found.tfm", "näme.h5"])
def test_a_written_transform_comes_back_with_its_displacement(tmp_path, registration, patient, name):
    write_transform(registration.transform, tmp_path / name)
    again = read_transform(tmp_path / name)
    points = patient.landmarks_mid.tolist()
    moved = [np.subtract(again.TransformPoint(p), registration.transform.TransformPoint(p)) for p in points]
    assert np.abs(moved).max() < 1e-3


def test_a_file_that_holds_no_transform_is_refused_by_name(tmp_path):
    file = tmp_path / "broken.tfm"
    file.write_text("no transform")
    with pytest.raises(BadInputError, match=r"broken\.tfm: The file holds no transform"):
        read_transform(file)


@pytest.mark.parametrize("name", ["missing.h5", "mask.nii.gz"])
def test_a_missing_file_or_another_format_is_refused(tmp_path, name):
    (tmp_path / "mask.nii.gz").write_bytes(b"x")
    with pytest.raises(BadInputError, match=name):
        read_transform(tmp_path / name)


def test_a_transform_of_the_plane_is_refused(tmp_path):
    sitk.WriteTransform(sitk.Euler2DTransform(), str(tmp_path / "flat.tfm"))
    with pytest.raises(BadInputError, match="2 dimensions"):
        read_transform(tmp_path / "flat.tfm")


def test_a_transform_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        write_transform(sitk.Euler3DTransform(), tmp_path / "file" / "t.h5")


def test_a_registered_mask_is_taken_on_the_grid_of_the_image(tmp_path, patient):
    write_volume(patient.mid.mask, tmp_path / "mask.nii.gz")
    assert np.array_equal(
        read_registered_mask(tmp_path / "mask.nii.gz", patient.mid.image).array, patient.mid.mask.array
    )


def test_a_mask_in_the_geometry_of_the_other_visit_is_refused(tmp_path, patient):
    write_volume(patient.pre.mask, tmp_path / "mask.nii.gz")
    with pytest.raises(GeometryError):
        read_registered_mask(tmp_path / "mask.nii.gz", patient.mid.image)


def test_a_mask_that_lies_in_air_is_refused(tmp_path, patient):
    astray = np.zeros_like(patient.mid.mask.array)
    astray[:, :6, :6] = 1
    write_volume(patient.mid.mask.with_array(astray), tmp_path / "mask.nii.gz")
    with pytest.raises(BadInputError, match="lies in the patient"):
        read_registered_mask(tmp_path / "mask.nii.gz", patient.mid.image)
