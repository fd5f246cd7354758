"""Writing volumes: round trips, and nothing left behind when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import ensure_writable_folder, write_volume
from HNTargetSegLib.errors import OutputError

Make = Callable[..., Volume]
SUFFIXES = [".nii.gz", ".nii", ".nrrd", ".mha"]
AXES = {
    "axial": np.eye(3),
    "sagittal": np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    "coronal": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    "mirrored": np.diag([1.0, 1.0, -1.0]),
}
WRITE_NOISE = """
import sys, resource
import numpy as np
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import OutputError
path, limit = sys.argv[1], int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
array = np.random.default_rng(0).integers(0, 30000, (64, 128, 256)).astype(np.int16)
try:
    write_volume(Volume(array, Geometry(array.shape[::-1])), path)
except OutputError as error:
    print("OutputError", error)
"""


def write_noise(repository: Path, path: Path, limit: int) -> str:
    """Write 4 MiB of noise in a process of its own and return what it says."""
    environment = {**os.environ, "PYTHONPATH": str(repository / "HNTargetSeg")}
    command = [sys.executable, "-c", WRITE_NOISE, str(path), str(limit)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("axes", AXES.values(), ids=AXES.keys())
def test_geometry_and_voxels_survive_a_round_trip(
    tmp_path: Path, make_volume: Make, suffix: str, axes: np.ndarray
) -> None:
    volume = make_volume(axes=axes)
    write_volume(volume, tmp_path / f"a{suffix}")
    found = read_volume(tmp_path / f"a{suffix}")
    assert np.array_equal(found.array, volume.array)
    assert found.array.dtype == volume.array.dtype
    assert found.geometry.matches(volume.geometry, 1e-4)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_rotation_of_a_large_field_of_view_survives_a_round_trip(tmp_path: Path, suffix: str) -> None:
    random = np.random.default_rng(3)
    array = np.zeros((50, 60, 64), np.uint8)
    for scale in (1e-4, 1e-2, 0.1, 1.0, 3.0):
        rotated, _ = np.linalg.qr(np.eye(3) + scale * random.uniform(-1, 1, (3, 3)))
        spacing, origin = random.uniform(2, 9, 3), random.uniform(-500, 500, 3)
        geometry = Geometry((64, 60, 50), tuple(spacing), tuple(origin), tuple(rotated.ravel()))
        write_volume(Volume(array, geometry), tmp_path / f"a{suffix}")
        assert read_volume(tmp_path / f"a{suffix}").geometry.matches(geometry, 1e-4)


def test_axes_with_few_decimals_become_the_nearest_rotation_in_every_format(tmp_path: Path) -> None:
    rounded = np.round(np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0], 4)
    volume = Volume(np.zeros((50, 60, 64), np.uint8), Geometry((64, 60, 50), direction=tuple(rounded.ravel())))
    for suffix in SUFFIXES:
        write_volume(volume, tmp_path / f"a{suffix}")
        found = read_volume(tmp_path / f"a{suffix}").geometry
        assert found.matches(volume.geometry.orthonormalised(), 1e-4)
    assert not volume.geometry.orthonormalised().matches(volume.geometry, 1e-4)


@pytest.mark.parametrize("source", [".nrrd", ".mha"])
def test_results_lie_on_the_grid_of_an_image_whose_axes_are_not_quite_at_right_angles(
    tmp_path: Path, source: str
) -> None:
    sheared = sitk.Image(256, 256, 3, sitk.sitkUInt8)
    sheared.SetDirection((1.0, 9e-4, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    sitk.WriteImage(sheared, str(tmp_path / f"T2{source}"))
    image = read_volume(tmp_path / f"T2{source}")
    for suffix in SUFFIXES:
        write_volume(image, tmp_path / f"mask{suffix}")
        assert read_volume(tmp_path / f"mask{suffix}").geometry.matches(image.geometry, 1e-4)
        assert read_mask(tmp_path / f"mask{suffix}", like=image).geometry == image.geometry


def test_nifti_nrrd_and_metaimage_are_compressed(tmp_path: Path) -> None:
    volume = Volume(np.zeros((40, 40, 40), np.uint8), Geometry((40, 40, 40)))
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        write_volume(volume, tmp_path / f"a{suffix}")
        assert (tmp_path / f"a{suffix}").stat().st_size < 2000


def test_bool_becomes_uint8_and_half_precision_single(tmp_path: Path, make_volume: Make) -> None:
    volume = make_volume()
    for kind, stored in ((bool, np.uint8), (np.float16, np.float32)):
        write_volume(volume.with_array(volume.array.astype(kind)), tmp_path / "a.nii.gz")
        found = read_volume(tmp_path / "a.nii.gz").array
        assert found.dtype == stored
        assert np.array_equal(found, volume.array.astype(kind))


def test_simpleitk_reads_what_was_written(tmp_path: Path, make_volume: Make) -> None:
    volume = make_volume()
    for suffix in SUFFIXES:
        write_volume(volume, tmp_path / f"a{suffix}")
        peer = Volume.from_sitk(sitk.ReadImage(str(tmp_path / f"a{suffix}")))
        assert np.array_equal(peer.array, volume.array)
        assert peer.geometry.matches(volume.geometry, 1e-4)


def test_blank_unicode_and_upper_case_in_the_path_write(tmp_path: Path, make_volume: Make) -> None:
    for suffix in (".nii.gz", ".MHA"):
        path = tmp_path / "neuer Ordner 患者" / f"Ergebnis 1.5 mm ä{suffix}"
        write_volume(make_volume(), path)
        assert np.array_equal(read_volume(path).array, make_volume().array)


@pytest.mark.parametrize("name", ["a.png", "a.dcm", "a.nhdr", "a"])
def test_another_format_is_refused(tmp_path: Path, make_volume: Make, name: str) -> None:
    with pytest.raises(OutputError, match=r"End the name in \.nii\.gz"):
        write_volume(make_volume(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are of POSIX")
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("limit", [100, 1 << 20])
def test_a_limit_on_file_sizes_leaves_the_older_file_and_nothing_else(
    tmp_path: Path, repository: Path, suffix: str, limit: int
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"older")
    assert write_noise(repository, path, limit).startswith(f"OutputError {path}: ")
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="mounting a small disk needs root on Linux")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_an_error_that_leaves_nothing(tmp_path: Path, repository: Path, suffix: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"no right to mount a small disk: {mount.stderr.decode().strip()}")
    try:
        assert write_noise(repository, disk / f"a{suffix}", 0).startswith("OutputError")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_cannot_be_made_is_an_error_before_work_begins(tmp_path: Path, make_volume: Make) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written to"):
        ensure_writable_folder(tmp_path / "file" / "results")
    with pytest.raises(OutputError, match="Could not be written"):
        write_volume(make_volume(), tmp_path / "file" / "a.nii.gz")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="/proc is of Linux")
def test_a_read_only_folder_is_an_error_before_work_begins() -> None:
    with pytest.raises(OutputError, match="cannot be written to"):
        ensure_writable_folder("/proc/self")


def test_a_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = ensure_writable_folder(tmp_path / "new" / "results")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []
