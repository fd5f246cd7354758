"""DICOM series: our reader against plastimatch's."""

import subprocess
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.read import read_volume

SERIES = ["t2w-mr-dicom", "mr-dicom-oblique"]


@pytest.mark.needs("plastimatch")
@pytest.mark.parametrize("name", SERIES)
def test_a_real_series_has_the_grid_and_the_voxels_that_plastimatch_reads(real_data, tmp_path, name):
    (archive,) = (real_data / name).glob("*.zip")
    with zipfile.ZipFile(archive) as content:
        content.extractall(tmp_path / "series")
    ours = read_volume(_folder_of_slices(tmp_path / "series"))
    target = tmp_path / "theirs.nrrd"
    command = ["plastimatch", "convert", "--input", ours.name, "--output-img", str(target), "--output-type", "float"]
    subprocess.run(command, check=True, capture_output=True)
    theirs = sitk.ReadImage(str(target))
    assert theirs.GetSize() == ours.geometry.size
    np.testing.assert_allclose(theirs.GetOrigin(), ours.origin, atol=1e-3)
    np.testing.assert_allclose(theirs.GetSpacing(), ours.spacing, atol=1e-4)
    np.testing.assert_allclose(theirs.GetDirection(), ours.geometry.direction, atol=1e-5)
    assert np.array_equal(sitk.GetArrayFromImage(theirs), ours.array.astype(np.float32))


def _folder_of_slices(root):
    folders = {path.parent for path in root.rglob("*") if path.is_file()}
    return max(folders, key=lambda folder: len(list(folder.iterdir())))
