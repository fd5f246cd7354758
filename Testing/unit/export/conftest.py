"""A small visit with lesions that the tests of this room share."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from Testing.unit.export.mr_series import write_mr_series

from HNTargetSegLib.case.dicom_series import DicomSeries, read_series
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.main import main
from HNTargetSegLib.errors import ErrorCode
from HNTargetSegLib.export.manifest import Manifest
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet, Origin, State
from HNTargetSegLib.lesions.table import write_table

Run = Callable[..., tuple[int, str, str]]
GEOMETRY = Geometry((48, 40, 16), (2.0, 2.5, 5.0), (-47.0, -50.0, 10.0))
TUMOUR = (slice(6, 10), slice(8, 16), slice(30, 40))  # on the patient's left
NODE = (slice(3, 8), slice(20, 30), slice(6, 12))  # on the patient's right


@pytest.fixture
def image() -> Volume:
    """Noise with a bright cuboid where the tumour is."""
    array = np.random.default_rng(0).normal(100, 5, GEOMETRY.shape).astype(np.float32)
    array[TUMOUR] = 200
    return Volume(array, GEOMETRY, "T2.nii.gz")


@pytest.fixture
def lesions() -> LesionSet:
    """A primary tumour and a node."""
    labels = np.zeros(GEOMETRY.shape, np.uint8)
    labels[TUMOUR], labels[NODE] = 1, 2
    return find_lesions(Volume(labels, GEOMETRY, "labels"))


@pytest.fixture
def no_lesions() -> LesionSet:
    """A visit with nothing found."""
    return find_lesions(Volume(np.zeros(GEOMETRY.shape, np.uint8), GEOMETRY, "labels"))


@pytest.fixture
def manifest() -> Manifest:
    """A manifest of fixed times."""
    started = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)
    return Manifest((), None, {"step": 0.5}, "cpu", started, started + datetime.timedelta(seconds=9))


@pytest.fixture
def visits(image: Volume, lesions: LesionSet) -> Callable[[str], tuple[Volume, LesionSet]]:
    """The visit as if acquired in another orientation."""
    import SimpleITK as sitk

    def turned(orientation: str) -> tuple[Volume, LesionSet]:
        volumes = [
            Volume.from_sitk(sitk.DICOMOrient(volume.to_sitk(), orientation), volume.name)
            for volume in (image, lesions.label_map())
        ]
        return volumes[0], find_lesions(volumes[1])

    return turned


@pytest.fixture
def series(tmp_path: Path) -> DicomSeries:
    """The visit's image as a DICOM series on the grid of the lesions."""
    return read_series(write_mr_series(tmp_path / "series", GEOMETRY))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    """``hntargetseg`` in this process: exit status, output and error output."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def result(lesions: LesionSet, series: DicomSeries, tmp_path: Path) -> dict[str, Path]:
    """A reviewed result on disk: the tumour edited and renamed, the node accepted."""
    tumour, node = lesions
    reviewed = lesions.with_lesions(
        replace(tumour, state=State.EDITED, name="GTVp^left"), replace(node, state=State.ACCEPTED, origin=Origin.HAND)
    )
    paths = {name: tmp_path / "result" / name for name in ("segmentation.nii.gz", "lesions.nii.gz", "lesions.csv")}
    write_volume(reviewed.label_map(), paths["segmentation.nii.gz"])
    write_volume(reviewed.ids, paths["lesions.nii.gz"])
    write_table(reviewed, paths["lesions.csv"])
    return {name.split(".", 1)[0] if not name.endswith("csv") else "table": path for name, path in paths.items()}


def refused(outcome: tuple[int, str, str], what: str, code: ErrorCode = ErrorCode.BAD_INPUT) -> None:
    """Check that a command ended with an error of one line."""
    status, out, error = outcome
    assert (status, out) == (code, "")
    assert what in error
    assert error.count("\n") == 1
