"""What is refused and what is warned of before an image is segmented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.checks import check_image
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError


def volume(spacing: tuple[float, float, float], size: tuple[int, int, int] = (40, 40, 20), value: int = 1) -> Volume:
    array = np.zeros(size[::-1], np.int16)
    array[:, 0, 0] = value
    return Volume(array, Geometry(size, spacing), "a.nii.gz")


def test_a_usual_mr_has_no_warning() -> None:
    assert check_image(volume((5.0, 5.0, 5.0), size=(51, 51, 41))) != []
    assert check_image(volume((3.0, 3.0, 4.0), size=(100, 100, 50))) == []


def test_all_zeros_is_an_error() -> None:
    with pytest.raises(BadInputError, match=r"a\.nii\.gz: The image is 0 everywhere"):
        check_image(volume((3.0, 3.0, 4.0), value=0))


def test_one_value_everywhere_is_an_error() -> None:
    constant = Volume(np.full((4, 5, 6), 7.5), Geometry((6, 5, 4)))
    with pytest.raises(BadInputError, match=r"7\.5 everywhere"):
        check_image(constant)


@pytest.mark.parametrize("size", [(40, 40, 1), (1, 40, 40)])
def test_a_single_slice_is_an_error(size: tuple[int, int, int]) -> None:
    array = np.arange(np.prod(size), dtype=float).reshape(size[::-1])
    with pytest.raises(BadInputError, match="single slice"):
        check_image(Volume(array, Geometry(size)))


def test_unusual_voxels_and_fields_of_view_are_warned_of() -> None:
    assert any("unusually large (5 x 5 x 5 mm)" in line for line in check_image(volume((5.0, 5.0, 5.0))))
    assert any("unusually small (0.2 x 0.2 x 0.2 mm)" in line for line in check_image(volume((0.2, 0.2, 0.2))))
    assert any("field of view (40 x 40 x 20 mm)" in line for line in check_image(volume((1.0, 1.0, 1.0))))


@pytest.mark.parametrize(("shear", "said"), [(9e-4, True), (1e-6, False)])
def test_axes_that_were_straightened_are_warned_of_with_the_shift(tmp_path: Path, shear: float, said: bool) -> None:
    image = sitk.GetImageFromArray(volume((1.0, 1.0, 4.0), (256, 256, 50)).array)
    image.SetSpacing((1.0, 1.0, 4.0))
    image.SetDirection((1.0, shear, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    warnings = check_image(read_volume(tmp_path / "a.nrrd"))
    assert any("straightened" in line and "up to 0.11 mm" in line for line in warnings) == said
    assert len(warnings) == said
