"""A result folder: all files or none, on the grid of the image."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import GeometryError, OutputError
from HNTargetSegLib.export.segmentation import write_result
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.lesions.table import as_row, read_lesions

FILES = ["lesions.csv", "lesions.nii.gz", "manifest.json", "overlay.png", "segmentation.nii.gz"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_holds_exactly_the_five_files(image, lesions, manifest, tmp_path):
    write_result(tmp_path / "new" / "result", image, lesions, manifest, title="A patient")
    assert names(tmp_path / "new" / "result") == FILES


def test_maps_have_the_contracts_types_and_the_grid_of_the_image(image, lesions, manifest, tmp_path):
    rejected = lesions.with_lesions(replace(lesions[2], state=State.REJECTED))
    write_result(tmp_path, image, rejected, manifest)
    labels, ids = (sitk.ReadImage(str(tmp_path / name)) for name in ("segmentation.nii.gz", "lesions.nii.gz"))
    assert labels.GetPixelID() == sitk.sitkUInt8
    assert ids.GetPixelID() == sitk.sitkUInt16
    assert np.array_equal(sitk.GetArrayFromImage(labels), lesions.ids.array == 1)
    assert np.array_equal(sitk.GetArrayFromImage(ids), lesions.ids.array)
    for written in (labels, ids):
        assert written.GetSize() == image.geometry.size
        assert written.GetOrigin() == pytest.approx(image.origin, abs=1e-4)
        assert written.GetSpacing() == pytest.approx(image.spacing, abs=1e-6)


def test_an_oblique_grid_survives_to_a_ten_thousandth_of_a_mm(manifest, tmp_path):
    axes = np.linalg.qr(np.array([[1, 0.2, 0.1], [-0.2, 1, 0.3], [0.1, -0.3, 1]]))[0]
    geometry = Geometry((30, 20, 10), (0.7, 0.9, 3.3), (-101.3, 33.7, 812.9), tuple(axes.ravel().tolist()))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[3:6, 4:9, 5:20] = 2
    image = Volume(labels.astype(np.float32), geometry, "T2")
    write_result(tmp_path, image, find_lesions(image.with_array(labels)), manifest)
    assert read_volume(tmp_path / "segmentation.nii.gz").geometry.matches(geometry, 1e-4)


def test_table_and_map_give_the_lesions_back(image, lesions, manifest, tmp_path):
    write_result(tmp_path, image, lesions, manifest)
    again = read_lesions(tmp_path / "lesions.csv", read_volume(tmp_path / "lesions.nii.gz"))
    assert [as_row(lesion) for lesion in again] == [as_row(lesion) for lesion in lesions]
    assert json.loads((tmp_path / "manifest.json").read_text())["parameters"] == {"step": 0.5}


def test_an_earlier_result_is_replaced_and_other_files_stay(image, lesions, no_lesions, manifest, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write_result(tmp_path, image, lesions, manifest)
    write_result(tmp_path, image, no_lesions, manifest)
    assert names(tmp_path) == sorted([*FILES, "notes.txt"])
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not read_volume(tmp_path / "segmentation.nii.gz").array.any()
    assert len((tmp_path / "lesions.csv").read_text().splitlines()) == 1


def test_files_can_be_read_by_others_as_usual(image, lesions, manifest, tmp_path):
    write_result(tmp_path, image, lesions, manifest)
    (tmp_path / "plain").write_text("")
    usual = (tmp_path / "plain").stat().st_mode
    assert {(tmp_path / name).stat().st_mode for name in FILES} == {usual}


def test_a_folder_in_the_place_of_a_file_stops_everything_before_anything_is_replaced(
    image, lesions, no_lesions, manifest, tmp_path
):
    write_result(tmp_path, image, lesions, manifest)
    before = {name: (tmp_path / name).read_bytes() for name in FILES if name != "overlay.png"}
    (tmp_path / "overlay.png").unlink()
    (tmp_path / "overlay.png").mkdir()
    with pytest.raises(OutputError, match=r"overlay\.png"):
        write_result(tmp_path, image, no_lesions, manifest)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert names(tmp_path) == FILES


def test_lesions_of_another_grid_are_refused_and_nothing_is_written(image, lesions, manifest, tmp_path):
    other = Volume(image.array, replace(image.geometry, origin=(0.0, 0.0, 0.0)), "T2")
    with pytest.raises(GeometryError):
        write_result(tmp_path / "result", other, lesions, manifest)
    assert not (tmp_path / "result").exists()


def test_a_file_in_the_place_of_the_folder_is_an_output_error(image, lesions, manifest, tmp_path):
    (tmp_path / "result").write_text("in the way")
    with pytest.raises(OutputError, match="result"):
        write_result(tmp_path / "result", image, lesions, manifest)
    assert (tmp_path / "result").read_text() == "in the way"


FULL_DISK = """
import datetime, resource, sys
import numpy as np
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.export.manifest import Manifest
from HNTargetSegLib.export.segmentation import write_result
from HNTargetSegLib.lesions.find import find_lesions
labels = np.zeros((20, 64, 64), np.uint8)
labels[5:9, 20:40, 20:40] = 2
image = Volume(np.random.default_rng(0).random(labels.shape, np.float32), Geometry((64, 64, 20)), "T2")
now = datetime.datetime.now(datetime.timezone.utc)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    write_result(sys.argv[1], image, find_lesions(image.with_array(labels)), Manifest((), None, {}, "cpu", now, now))
except OutputError as error:
    print(error)
    sys.exit(int(error.code))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize("limit", [100, 5_000])
def test_a_full_disk_leaves_the_earlier_result_as_it_was(image, lesions, manifest, tmp_path, limit):
    write_result(tmp_path, image, lesions, manifest)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(limit)],
        env={**os.environ, "PYTHONPATH": ":".join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert ".writing-" not in done.stdout
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before
