"""`hntargetseg export` on series that are not as they should be: one line that says what to do, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from Testing.unit.export.conftest import GEOMETRY
from Testing.unit.export.mr_series import change_headers, write_mr_series

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.dicom_series import read_series
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.main import main
from HNTargetSegLib.errors import ErrorCode

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
Run = Callable[[], tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A series that is as it should be."""
    return write_mr_series(tmp_path / "series", GEOMETRY)


@pytest.fixture
def export(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Export a tumour on the series: exit status, output, error output."""
    array = np.zeros(GEOMETRY.shape, np.uint8)
    array[4:9, 10:20, 12:24] = 1
    write_volume(Volume(array, GEOMETRY), tmp_path / "mask.nii.gz")

    def call() -> tuple[int, str, str]:
        arguments = ["--segmentation", tmp_path / "mask.nii.gz", "--series", folder, "--output", tmp_path / "out"]
        status = main(["export", *map(str, arguments)])
        return status, *capsys.readouterr()

    return call


def enhanced(folder: Path) -> None:
    """One multi-frame object in place of the slices; positions stand in its functional groups, not on top."""
    paths = sorted(folder.iterdir())
    slices = [pydicom.dcmread(path) for path in paths]
    data = slices[0]
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = ENHANCED_MR
    data.NumberOfFrames = len(slices)
    data.PixelData = b"".join(one.PixelData for one in slices)
    frames = []
    for one in slices:
        frame, place = Dataset(), Dataset()
        place.ImagePositionPatient = one.ImagePositionPatient
        frame.PlanePositionSequence = Sequence([place])
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(data, keyword)
    for path in paths[1:]:
        path.unlink()
    data.save_as(paths[0])


def without_a_slice(folder: Path) -> None:
    (folder / "008.dcm").unlink()


def with_another_series(folder: Path) -> None:
    write_mr_series(folder / "other", GEOMETRY, SeriesDescription="localiser")


def without_frame_of_reference(folder: Path) -> None:
    change_headers(folder, FrameOfReferenceUID=None)


def with_one_uid_twice(folder: Path) -> None:
    change_headers(folder, SOPInstanceUID="1.2.3")


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (without_a_slice, "missing"),
        (with_another_series, "holds 2 image series"),
        (enhanced, "multi-frame image with 16 frames"),
        (without_frame_of_reference, "The series has no FrameOfReferenceUID"),
        (with_one_uid_twice, "Two slices of the series bear one SOPInstanceUID"),
    ],
)
def test_it_is_refused_in_one_line_and_nothing_is_written(
    export: Run, folder: Path, tmp_path: Path, spoil: Callable[[Path], None], what: str
) -> None:
    spoil(folder)
    status, out, error = export()
    assert (status, out) == (ErrorCode.BAD_INPUT, "")
    assert what in error
    assert str(folder) in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("syntax", [pydicom.uid.RLELossless, pydicom.uid.JPEGLSLossless])
def test_a_compressed_series_takes_structures_like_any_other(
    export: Run, folder: Path, tmp_path: Path, syntax: str
) -> None:
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        data.compress(syntax, generate_instance_uid=False)
        data.save_as(path)
    assert export()[0] == ErrorCode.OK
    series = read_series(folder)
    for name in ("seg.dcm", "rtstruct.dcm"):
        (tumour,) = read_structures(tmp_path / "out" / name, series)
        assert (tumour.box, tumour.voxels) == ((slice(4, 9), slice(10, 20), slice(12, 24)), 600)
