"""A visit in, lesions out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from Testing.unit.prompts.two_channels import store_box_model

from HNTargetSegLib.case.orientation import to_axial
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, CancelledError, ModelError
from HNTargetSegLib.lesions.table import as_csv
from HNTargetSegLib.models.channels import VisitPrior
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.stored import load_model
from HNTargetSegLib.pipeline import LoadedModel, SegmentOptions, segment_visit

Make = Callable[..., Volume]


@pytest.fixture(scope="module")
def model(blob_model: Path) -> LoadedModel:
    options = PredictOptions(device="cpu", backend="torch", mirror=False)
    return LoadedModel.load(load_model(blob_model / "blobs"), options)


def axes_swapped(volume: Volume) -> Volume:
    """The same voxels at the same places, in a sagittal order of axes, by SimpleITK."""
    return Volume.from_sitk(sitk.DICOMOrient(volume.to_sitk(), "PIR"), volume.name)


def test_each_blob_is_a_lesion_where_it_lies_on_the_grid_of_the_image(
    model: LoadedModel, head_with_blobs: Make
) -> None:
    image = head_with_blobs()
    result = segment_visit(image, model)
    bright, dark = result.lesions
    assert (bright.name, bright.side.value, dark.name, dark.side.value) == ("GTVp", "left", "GTVn1", "right")
    assert np.allclose(bright.centroid, (30, -20, 40), atol=0.5)
    assert np.allclose(dark.centroid, (-20, -20, 40), atol=0.5)
    assert bright.volume_cc == pytest.approx(3.05, rel=0.1)
    assert bright.p_max > 0.99
    assert result.lesions.ids.geometry == image.geometry
    assert result.lesions.ids.array[tuple(np.rint(image.geometry.to_kji((30, -20, 40))).astype(int))] == bright.id
    assert result.image is image
    assert {"preprocess", "network", "labels", "lesions"} <= result.seconds.keys()


def test_a_sagittal_copy_of_a_volume_has_the_same_lesions(model: LoadedModel, head_with_blobs: Make) -> None:
    image = head_with_blobs((39, 36, 21), (2.8, 3.1, 3.9))
    turned = axes_swapped(image)
    assert turned.geometry.size == (36, 21, 39)
    assert np.array_equal(to_axial(turned)[0].array, image.array)
    axial, sagittal = (segment_visit(volume, model).lesions for volume in (image, turned))
    assert as_csv(axial) == as_csv(sagittal)
    assert np.array_equal(to_axial(sagittal.ids)[0].array, axial.ids.array)


def test_probabilities_are_those_of_the_lesion_in_any_orientation(model: LoadedModel, head_with_blobs: Make) -> None:
    for lesion in segment_visit(axes_swapped(head_with_blobs()), model).lesions:
        # A box at a wrong place would hold background, whose probability of a target is next to 0.
        assert lesion.p_mean > 0.8


def test_an_oblique_visit_keeps_its_grid(model: LoadedModel, head_with_blobs: Make) -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    oblique = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    image = head_with_blobs(axes=oblique)
    lesions = segment_visit(image, model).lesions
    assert lesions.ids.geometry == image.geometry
    assert np.allclose(next(iter(lesions)).centroid, (30, -20, 40), atol=0.7)


@pytest.mark.parametrize(("size", "spacing"), [((24, 22, 16), (5.0, 5.0, 5.0)), ((170, 110, 110), (0.5, 0.5, 0.5))])
def test_coarse_and_fine_voxels_give_the_same_lesions_and_a_warning(
    model: LoadedModel, head_with_blobs: Make, size: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    result = segment_visit(head_with_blobs(size, spacing), model)
    assert [lesion.name for lesion in result.lesions] == ["GTVp", "GTVn1"]
    assert np.allclose(next(iter(result.lesions)).centroid, (30, -20, 40), atol=1.0)
    assert any("unusual" in warning for warning in result.warnings)


def test_small_lesions_are_left_out_on_request_only(model: LoadedModel, head_with_blobs: Make) -> None:
    image = head_with_blobs()
    assert len(segment_visit(image, model, SegmentOptions(minimum_cc=2.0)).lesions) == 2
    none = segment_visit(image, model, SegmentOptions(minimum_cc=5.0)).lesions
    assert len(none) == 0
    assert not none.ids.array.any()


def test_candidates_are_listed_on_request_and_never_segmented(model: LoadedModel, head_with_blobs: Make) -> None:
    image = head_with_blobs()
    array = image.array.copy()
    # Just below three standard deviations: half of the model's mind.
    corner = (slice(8, 11), slice(4, 7), slice(18, 22))
    for _ in range(3):
        array[corner] = array.mean() + 2.8 * array.std()
    image = image.with_array(array)
    without, with_ = (segment_visit(image, model, SegmentOptions(candidates=asked)) for asked in (False, True))
    assert without.candidates == ()
    (candidate,) = with_.candidates
    assert candidate.name == "PT?1"
    assert 0.2 < candidate.p_max < 0.5
    assert np.array_equal(without.lesions.ids.array, with_.lesions.ids.array)
    assert not with_.lesions.ids.array[corner].any()


def test_progress_names_the_stages_and_cancelling_stops_between_tiles(
    model: LoadedModel, head_with_blobs: Make
) -> None:
    seen: list[tuple[str, int, int]] = []
    image = head_with_blobs((80, 60, 30))
    segment_visit(image, model, progress=lambda *step: seen.append(step))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == ["preprocess", "network", "labels"]
    tiles = [(done, total) for stage, done, total in seen if stage == "network"]
    assert tiles[-1][0] == tiles[-1][1] > 4
    asked: list[None] = []

    def third_time() -> bool:
        asked.append(None)
        return len(asked) > 4

    with pytest.raises(CancelledError):
        segment_visit(image, model, cancelled=third_time)
    assert len(asked) == 5
    assert len(segment_visit(image, model).lesions) == 2, "the model is of use after a cancelled prediction"


def test_an_image_that_cannot_be_one_is_refused_before_the_network_runs(model: LoadedModel) -> None:
    stages: list[str] = []
    flat = Volume(np.zeros((8, 8, 8), np.float32), Geometry((8, 8, 8)), "flat.nii.gz")
    with pytest.raises(BadInputError, match=r"flat\.nii\.gz: The image is 0 everywhere"):
        segment_visit(flat, model, progress=lambda stage, *_: stages.append(stage))
    assert stages == []


def test_a_prior_reaches_a_model_that_reads_one_in_any_orientation(
    blob_model: Path, tmp_path: Path, head_with_blobs: Make
) -> None:
    folder = store_box_model(blob_model / "blobs", tmp_path / "guided", Recipe.T2_BOXES)
    guided = LoadedModel.load(load_model(folder), PredictOptions(device="cpu", backend="torch"))
    image = head_with_blobs()
    labels = np.zeros(image.array.shape, np.uint8)
    labels[8:12, 15:21, 9:15] = 2  # where the dark ball lies
    mask = image.with_array(labels)
    assert len(segment_visit(image, guided).lesions) == 0
    for turned in (lambda volume: volume, axes_swapped):
        found = segment_visit(turned(image), guided, prior=VisitPrior(turned(mask))).lesions
        assert [lesion.name for lesion in found] == ["GTVn1"]
        assert np.allclose(next(iter(found)).centroid, (-20, -20, 40), atol=1.5)


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_a_minimum_volume_below_zero_is_refused(value: float) -> None:
    with pytest.raises(BadInputError, match="minimum volume"):
        SegmentOptions(minimum_cc=value)


def test_a_model_with_other_labels_is_refused(blob_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(blob_model / "blobs", tmp_path / "blobs")
    dataset = json.loads((folder / "dataset.json").read_text())
    dataset["labels"] = {"background": 0, "tumour": 1, "core": 3}
    (folder / "dataset.json").write_text(json.dumps(dataset))
    with pytest.raises(ModelError, match=r"'core': 3.*1 for the primary tumour"):
        LoadedModel.load(load_model(folder))
