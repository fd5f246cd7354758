"""What the network says in a box, on the quick network that knows bright and dark balls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from Testing.unit.prompts.two_channels import store_box_model

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, CancelledError
from HNTargetSegLib.models.channels import VisitPrior, channels
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.stored import load_model
from HNTargetSegLib.pipeline import LoadedModel, segment_visit
from HNTargetSegLib.prior.boxes import PriorBox
from HNTargetSegLib.prompts.extent import extent_of
from HNTargetSegLib.prompts.prompt import Kind, Prompt
from HNTargetSegLib.prompts.prompted_visit import PromptedVisit
from HNTargetSegLib.prompts.segmented import segment_with_prompts

Make = Callable[..., Volume]
CPU = PredictOptions(device="cpu", backend="torch")
BRIGHT, DARK = np.array([30.0, -20.0, 40.0]), np.array([-20.0, -20.0, 40.0])
C, S = np.cos(0.3), np.sin(0.3)
OBLIQUE = np.array([[1, 0, 0], [0, C, -S], [0, S, C]]) @ np.array([[C, -S, 0], [S, C, 0], [0, 0, 1]])


@pytest.fixture(scope="module")
def model(blob_model: Path) -> LoadedModel:
    return LoadedModel.load(load_model(blob_model / "blobs"), CPU)


@pytest.fixture(scope="module")
def box_model(blob_model: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """The same network with a second channel, which it wants to be filled before it finds anything."""
    folder = store_box_model(blob_model / "blobs", tmp_path_factory.mktemp("boxes") / "guided", Recipe.T2_BOXES)
    return LoadedModel.load(load_model(folder), CPU)


def round_(middle: np.ndarray, kind: Kind, half: float = 11.0, grow: bool = False) -> Prompt:
    return Prompt(kind, tuple((middle - half).tolist()), tuple((middle + half).tolist()), grow)


@pytest.mark.parametrize("axes", [None, OBLIQUE])
def test_the_answer_without_an_automatic_pass_is_that_of_the_image_where_the_box_lies(
    model: LoadedModel, head_with_blobs: Make, axes: np.ndarray | None
) -> None:
    image = head_with_blobs(axes=axes)
    answer = PromptedVisit(image, model).answer(round_(DARK, Kind.LN))
    whole = np.zeros(image.array.shape, np.uint8)
    whole[answer.extent.reach] = answer.labels
    assert set(np.unique(whole)) == {0, 2}
    assert np.allclose(image.geometry.to_lps(np.argwhere(whole)).mean(axis=0), DARK, atol=1.5)
    assert answer.labels.shape == answer.probability.shape
    assert answer.notes == ()


def test_an_automatic_pass_is_used_again_and_no_network_runs(model: LoadedModel, head_with_blobs: Make) -> None:
    image, kept, stages = head_with_blobs(), [], []
    result = segment_visit(image, model, on_prediction=kept.append)
    visit = PromptedVisit(image, model, prediction=kept[0])
    answer = visit.answer(round_(DARK, Kind.AGAIN), progress=lambda *step: stages.append(step))
    assert stages == []
    found = result.lesions.label_map().array[answer.extent.reach]
    assert (answer.labels[found == 2] == 2).all(), "all that the automatic pass has found is there"


def test_what_the_automatic_pass_was_in_doubt_about_is_found_in_a_box(
    model: LoadedModel, head_with_blobs: Make
) -> None:
    image = head_with_blobs(blobs=False)
    array = image.array.copy()
    corner = (slice(8, 11), slice(14, 17), slice(18, 22))
    for _ in range(3):
        array[corner] = array.mean() + 2.8 * array.std()
    image = image.with_array(array)
    assert len(segment_visit(image, model).lesions) == 0
    done = segment_with_prompts(image, model, [Prompt.of_slices(Kind.PT, corner, image.geometry)])
    (lesion,) = done.result.lesions
    assert lesion.name == "GTVp"
    assert 0.1 < lesion.p_max < 0.5
    assert done.prompts[0]["lesion_ids"] == [1]


def test_without_boxes_the_result_is_the_automatic_one(model: LoadedModel, head_with_blobs: Make) -> None:
    image = head_with_blobs()
    plain, prompted = segment_visit(image, model), segment_with_prompts(image, model, [])
    assert prompted.result.lesions.lesions == plain.lesions.lesions
    assert prompted.prompts == ()


def test_only_boxes_finds_what_lies_in_them_and_nothing_else(model: LoadedModel, head_with_blobs: Make) -> None:
    image = head_with_blobs((60, 36, 20))
    done = segment_with_prompts(image, model, [round_(BRIGHT, Kind.LN)], only_prompts=True)
    (lesion,) = done.result.lesions
    assert (lesion.name, lesion.label) == ("GTVn1", Target.LN)
    assert np.allclose(lesion.centroid, BRIGHT, atol=1.5)


def test_a_mask_that_goes_on_beyond_the_reach_says_so_and_is_followed_when_it_may_grow(
    model: LoadedModel, head_with_blobs: Make
) -> None:
    image = head_with_blobs((60, 30, 20), blobs=False)
    array = image.array.copy()
    bar = (slice(8, 12), slice(13, 17), slice(4, 56))
    array[bar] = 2000
    image = image.with_array(array)
    start = (slice(7, 13), slice(12, 18), slice(26, 32))
    asked, growing = (Prompt.of_slices(Kind.PT, start, image.geometry, grow=grow) for grow in (False, True))
    visit = PromptedVisit(image, model)
    stopped, grown = visit.answer(asked), visit.answer(growing)
    assert stopped.touches
    assert any("let the box grow" in note for note in stopped.notes)
    assert stopped.extent.reach == extent_of(asked, image.geometry).reach
    assert not grown.touches
    assert int((grown.labels > 0).sum()) > 1.4 * int((stopped.labels > 0).sum())
    assert grown.notes[0].startswith("The box was enlarged")


def test_a_box_that_says_nothing_is_here_asks_no_network(model: LoadedModel, head_with_blobs: Make) -> None:
    stages: list[str] = []
    answer = PromptedVisit(head_with_blobs(), model).answer(
        round_(DARK, Kind.NOTHING), progress=lambda stage, *_: stages.append(stage)
    )
    assert not answer.labels.any()
    assert stages == []
    assert answer.notes == ()


def test_an_empty_box_says_that_nothing_was_found(model: LoadedModel, head_with_blobs: Make) -> None:
    answer = PromptedVisit(head_with_blobs(), model).answer(round_(np.array([5.0, -20.0, 60.0]), Kind.LN, 5.0))
    assert answer.notes == ("Nothing was found in the box",)


def test_cancelling_stops_between_tiles_and_the_visit_can_be_asked_on(
    model: LoadedModel, head_with_blobs: Make
) -> None:
    visit = PromptedVisit(head_with_blobs(), model)
    with pytest.raises(CancelledError):
        visit.answer(round_(DARK, Kind.LN), cancelled=lambda: True)
    assert visit.answer(round_(DARK, Kind.LN)).labels.any()


def test_a_box_outside_is_refused_before_the_automatic_pass(model: LoadedModel, head_with_blobs: Make) -> None:
    stages: list[str] = []
    with pytest.raises(BadInputError, match="outside the volume"):
        segment_with_prompts(
            head_with_blobs(),
            model,
            [round_(DARK, Kind.LN), round_(DARK + 500, Kind.LN)],
            progress=lambda stage, *_: stages.append(stage),
        )
    assert stages == []


@pytest.mark.parametrize("axes", [None, OBLIQUE])
def test_a_network_that_reads_boxes_finds_what_lies_in_the_box(
    box_model: LoadedModel, head_with_blobs: Make, axes: np.ndarray | None
) -> None:
    image = head_with_blobs(axes=axes)
    assert len(segment_visit(image, box_model).lesions) == 0, "without a box it sees nothing"
    visit = PromptedVisit(image, box_model)
    for middle in (DARK, BRIGHT):
        answer = visit.answer(round_(middle, Kind.LN))
        whole = np.zeros(image.array.shape, bool)
        whole[answer.extent.reach] = answer.labels > 0
        assert np.allclose(image.geometry.to_lps(np.argwhere(whole)).mean(axis=0), middle, atol=1.5)


def test_the_box_channel_is_prepared_where_the_tiles_lie_as_with_the_whole_image(
    box_model: LoadedModel, head_with_blobs: Make
) -> None:
    image = head_with_blobs((60, 50, 30), (2.0, 2.0, 3.0))
    prompt = round_(DARK, Kind.LN)
    answer = PromptedVisit(image, box_model).answer(prompt)
    extent = extent_of(prompt, image.geometry)
    data = channels(Recipe.T2_BOXES, image, boxes=[PriorBox(Target.LN, extent.box)])
    whole = box_model.predictor.predict(data, image.spacing, region=extent.reach, region_tiles="fewest")
    both = sum(whole.probability(int(label), extent.reach) for label in Target)
    assert np.abs(answer.probability.astype(np.float32) - both).max() < 2e-3


def test_the_prior_stays_in_the_channel_outside_the_box(box_model: LoadedModel, head_with_blobs: Make) -> None:
    image = head_with_blobs()
    labels = np.zeros(image.array.shape, np.uint8)
    labels[extent_of(round_(DARK, Kind.LN, 8.0), image.geometry).box] = 2
    prior = VisitPrior(image.with_array(labels))
    assert [lesion.name for lesion in segment_visit(image, box_model, prior=prior).lesions] == ["GTVn1"]
    answer = PromptedVisit(image, box_model, prior).answer(round_(BRIGHT, Kind.LN, 20.0))
    near = answer.probability[answer.extent.box_in_reach]
    assert near.max() > 0.5
