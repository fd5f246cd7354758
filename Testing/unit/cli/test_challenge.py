"""The folders of the challenge's container, for both tasks."""

import copy
import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import store_from_results
from HNTargetSegLib.models.stored import load_model
from HNTargetSegLib.phantom import PhantomOptions, generate_patient, registered_pre
from HNTargetSegLib.prior.boxes import prior_boxes
from HNTargetSegLib.prior.options import Margin

SMALL = PhantomOptions(size=(56, 64, 24), spacing=(3.6, 3.6, 7.0))
ANSWER = "images/mri-head-neck-segmentation/output.mha"


@pytest.fixture(scope="module")
def patient():
    return generate_patient(7, 0, SMALL)


@pytest.fixture
def given(patient, tmp_path):
    """All that task 2 gives; file names mean nothing."""
    t2, mask = registered_pre(patient)
    volumes = {
        "pre-rt-t2w-head-neck": patient.pre.image,
        "mid-rt-t2w-head-neck": patient.mid.image,
        "pre-rt-head-neck-segmentation": patient.pre.mask,
        "registered-pre-rt-head-neck": t2,
        "registered-pre-rt-head-neck-segmentation": mask,
    }
    for number, (name, volume) in enumerate(volumes.items()):
        write_volume(volume, tmp_path / "input" / "images" / name / f"{number}f3a.mha")
    return tmp_path / "input"


@pytest.fixture
def two_channel_model(blob_model, tmp_path, monkeypatch):
    """The quick model with a second channel, in which an edge in a box is worth many standard deviations."""
    stored = load_model(blob_model / "blobs")
    weights = {name: tensor.clone() for name, tensor in stored.weights("0").items()}
    for name, tensor in weights.items():
        if name.endswith("weight") and tensor.ndim == 5 and tensor.shape[1] == 1:
            weights[name] = torch.cat([tensor, 20 * tensor], dim=1)
    plans, dataset = copy.deepcopy(dict(stored.plans)), dict(stored.dataset)
    plans["configurations"]["3d_fullres"]["normalization_schemes"] = ["ZScoreNormalization", "NoNormalization"]
    plans["configurations"]["3d_fullres"]["use_mask_for_norm"] = [False, False]
    dataset["channel_names"] = {"0": "T2", "1": "noNorm"}
    results = tmp_path / "results"
    (results / "fold_0").mkdir(parents=True)
    (results / "plans.json").write_text(json.dumps(plans))
    (results / "dataset.json").write_text(json.dumps(dataset))
    content = {"network_weights": weights, "trainer_name": "nnUNetTrainer"}
    content |= {"init_args": {"configuration": "3d_fullres"}, "inference_allowed_mirroring_axes": None}
    torch.save(content, results / "fold_0" / "checkpoint_final.pth")
    card = unknown_card("two", Recipe.T2_GRADIENT)
    store_from_results(results, tmp_path / "models" / "two", card, half=False)
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(tmp_path / "models"))
    return "two"


@pytest.fixture
def challenge(hntargetseg):
    def call(*arguments):
        return hntargetseg("challenge", "--model", "blobs", "--device", "cpu", "--backend", "torch", *arguments)

    return call


def test_task_2_segments_the_mid_rt_image_on_its_very_grid(challenge, given, patient, tmp_path):
    outcome = challenge("--input", given, "--output", tmp_path / "output", "--json")
    assert outcome.status == 0, outcome.err
    assert outcome.json["task"] == 2
    found = read_volume(tmp_path / "output" / ANSWER)
    assert found.array.dtype == np.uint8
    assert set(np.unique(found.array)) <= {0, 1, 2}
    image = next((given / "images" / "mid-rt-t2w-head-neck").iterdir())
    expected = sitk.ReadImage(str(image))
    answer = sitk.ReadImage(str(tmp_path / "output" / ANSWER))
    for of in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(answer, of)() == pytest.approx(getattr(expected, of)(), abs=1e-6)


def test_the_answer_is_compressed(challenge, given, tmp_path):
    assert challenge("--input", given, "--output", tmp_path / "output").status == 0
    assert b"CompressedData = True" in (tmp_path / "output" / ANSWER).read_bytes()[:500]


def test_the_answer_is_that_of_segment(challenge, hntargetseg, given, tmp_path):
    assert challenge("--input", given, "--output", tmp_path / "output").status == 0
    image = next((given / "images" / "mid-rt-t2w-head-neck").iterdir())
    common = ("--model", "blobs", "--device", "cpu", "--backend", "torch")
    assert hntargetseg("segment", "--mid", image, "--output", tmp_path / "segmented", *common).status == 0
    answer = read_volume(tmp_path / "output" / ANSWER).array
    assert answer.any()
    assert np.array_equal(answer, read_volume(tmp_path / "segmented" / "segmentation.nii.gz").array)


def test_task_1_needs_the_pre_rt_image_alone(challenge, given, patient, tmp_path):
    for folder in (given / "images").iterdir():
        if folder.name != "pre-rt-t2w-head-neck":
            shutil.rmtree(folder)
    outcome = challenge("--input", given, "--output", tmp_path / "output", "--json")
    assert json.loads(outcome.out)["task"] == 1
    assert read_volume(tmp_path / "output" / ANSWER).geometry.matches(patient.pre.image.geometry)


@pytest.mark.parametrize("files", [0, 2])
def test_not_exactly_one_file_is_an_error_that_names_the_folder(challenge, refuses, given, tmp_path, files):
    folder = given / "images" / "registered-pre-rt-head-neck-segmentation"
    (mask,) = folder.iterdir()
    shutil.copy(mask, folder / "other.mha") if files else mask.unlink()
    outcome = challenge("--input", given, "--output", tmp_path / "output")
    refuses(outcome, folder, f"Task 2 needs exactly one .mha file here, and there are {files}")
    assert not (tmp_path / "output").exists()


def test_a_two_channel_model_finds_edges_where_the_registered_mask_is_and_not_without(
    challenge, two_channel_model, given, tmp_path
):
    (mask,) = (given / "images" / "registered-pre-rt-head-neck-segmentation").iterdir()
    prior = read_mask(mask)
    answers = []
    for number, labels in enumerate((prior, prior.with_array(np.zeros_like(prior.array)))):
        write_volume(labels, mask)
        output = tmp_path / f"output{number}"
        outcome = challenge("--model", two_channel_model, "--input", given, "--output", output, "--json")
        assert outcome.status == 0, outcome.err
        assert outcome.json["recipe"] == "t2+gradient"
        answers.append(read_volume(output / ANSWER).array > 0)
    changed = answers[0] != answers[1]
    # Two voxels farther than the map reaches: it is resampled for the network, by splines that ring, and back.
    around = np.zeros(prior.array.shape, bool)
    for box in prior_boxes(prior.array, Margin(7)):
        around[box.slices] = True
    assert changed.any()
    assert changed[~around].sum() < 0.02 * changed.sum()


def test_a_registered_mask_on_another_grid_is_refused(challenge, given, patient, tmp_path):
    (mask,) = (given / "images" / "registered-pre-rt-head-neck-segmentation").iterdir()
    write_volume(patient.pre.mask, mask)
    outcome = challenge("--input", given, "--output", tmp_path / "output")
    assert outcome.status == 2
    assert "grid" in outcome.err
    assert not (tmp_path / "output").exists()


def test_a_folder_without_images_is_refused(challenge, refuses, tmp_path):
    (tmp_path / "empty").mkdir()
    outcome = challenge("--input", tmp_path / "empty", "--output", tmp_path / "output")
    refuses(outcome, tmp_path / "empty", "There is no folder 'images' in it")
