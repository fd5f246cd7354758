"""Trainings with a loss by lesion size through nnU-Net, and what stock nnU-Net makes of the result."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from Testing.unit.training.short_training import short_preset

from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.models.results import export_to_nnunet
from HNTargetSegLib.training.begun import require_same_network
from HNTargetSegLib.training.loss_choice import LossChoice
from HNTargetSegLib.training.publish import Publication, model_card, publish
from HNTargetSegLib.training.train import TrainingOptions, prepare, train
from HNTargetSegLib.training.workspace import COMMAND, Workspace

# nnU-Net starts several processes that import PyTorch; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(900)

DUAL = LossChoice("dual", gamma=1.0, whole_lesions=True)
PREDICT = """
import runpy, sys
sys.modules["HNTargetSegLib"] = None  # not there
kept = runpy.run_path({command!r})["make_torchvision_importable"]()
import numpy as np, torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

predictor = nnUNetPredictor(perform_everything_on_device=False, device=torch.device("cpu"), allow_tqdm=False)
predictor.initialize_from_trained_model_folder({results!r}, (0,), "checkpoint_final.pth")
image = np.random.default_rng(0).normal(size=(1, 16, 32, 32)).astype(np.float32)
labels = predictor.predict_single_npy_array(image, {{"spacing": [6.0, 4.0, 4.0]}})
print("labels", labels.shape, predictor.trainer_name)
"""


@pytest.fixture(scope="module")
def stopped(trained):
    """A training that was killed in its second epoch, in a workspace that a baseline was trained in."""
    cases, options, _, _ = trained
    dual = replace(options, preset=short_preset(2), loss=DUAL)

    def stop_in_the_second_epoch(line):
        if line.endswith("Epoch 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(cases, dual, stop_in_the_second_epoch)
    return cases, dual


@pytest.fixture(scope="module")
def resumed(stopped):
    cases, dual = stopped
    lines = []
    train(cases, dual, lines.append)
    return dual, lines


def test_the_card_has_the_loss_with_its_options_and_says_that_it_is_a_reconstruction(trained):
    cases, options, _, _ = trained
    card = model_card(replace(options, loss=DUAL), cases, Publication("dual"))
    assert card.training["loss"] == {"name": "dual", **DUAL.to_dict()}
    assert "a reconstruction" in card.training["method"]
    assert "gamma 1" in card.training["method"]
    assert "sizes of whole lesions" in card.training["method"]


def test_a_training_does_not_go_on_with_another_gamma(stopped):
    cases, dual = stopped
    with pytest.raises(BadInputError, match=r"another loss: gamma was 1\.0 and is to be 0\.25"):
        train(cases, replace(dual, loss=replace(DUAL, gamma=0.25)))


def test_a_training_that_was_killed_in_an_epoch_loses_that_epoch_alone(resumed):
    _, lines = resumed
    epochs = [line.split("Epoch ")[1] for line in lines if " Epoch " in f" {line}" and line[-1].isdigit()]
    assert epochs == ["1"]


def test_losses_lie_apart_in_one_preprocessed_workspace(trained, resumed):
    dual, _ = resumed
    assert dual.workspace == trained[1].workspace
    assert (dual.fold_folder / "checkpoint_final.pth").exists()
    assert (trained[2] / "fold_0" / "checkpoint_final.pth").exists()
    assert dual.results.name.startswith("nnUNetTrainerHNTSDual__")


def test_weights_of_whole_lesions_are_kept_beside_the_preprocessed_cases(resumed):
    dual, _ = resumed
    coded = sorted(dual.workspace.preprocessed.glob("*.weights-*/*.npy"))
    assert coded
    assert np.load(coded[0]).dtype == np.int16


@pytest.mark.parametrize("exported", [False, True], ids=["results folder", "export"])
def test_stock_nnunet_predicts_with_it_as_it_stands(trained, resumed, tmp_path, exported):
    """With neither our package nor our trainers to be found."""
    dual, _ = resumed
    folder = dual.results
    if exported:
        folder = tmp_path / "export"
        export_to_nnunet(publish(dual, trained[0], Publication("dual"), tmp_path / "dual"), folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("nnUNet_", "PYTHONPATH"))}
    code = PREDICT.format(command=str(COMMAND), results=str(folder))
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("labels (16, 32, 32) nnUNetTrainer")


def test_the_live_log_holds_losses_rate_and_pseudo_dice_of_each_label(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(trained[2] / "fold_0" / "tensorboard"))
    log.Reload()
    tags = log.Tags()["scalars"]
    assert set(tags) >= {"loss/training", "loss/validation", "learning rate", "pseudo Dice/GTVp", "pseudo Dice/GTVn"}
    assert log.Scalars("loss/training")[0].step == 0


def test_a_checkpoint_of_another_architecture_is_refused(trained, tmp_path):
    _, options, results, _ = trained
    (tmp_path / "fold_0").mkdir()
    shutil.copy(results / "fold_0" / "checkpoint_final.pth", tmp_path / "fold_0")
    plans = json.loads((options.workspace.preprocessed / f"{options.preset.plans}.json").read_text())
    path = tmp_path / "plans.json"
    path.write_text(json.dumps(plans))
    require_same_network(tmp_path / "fold_0", path)
    plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]["features_per_stage"] = [4, 8, 16]
    path.write_text(json.dumps(plans))
    with pytest.raises(BadInputError, match=r"checkpoint_final\.pth: The checkpoint is of another architecture"):
        require_same_network(tmp_path / "fold_0", path)


def test_a_file_that_is_no_checkpoint_is_refused_before_nnunet_starts(trained, tmp_path):
    _, options, _, _ = trained
    (tmp_path / "checkpoint_latest.pth").write_bytes(b"nothing")
    with pytest.raises(BadInputError, match=r"checkpoint_latest\.pth: The checkpoint holds code or objects"):
        require_same_network(tmp_path, options.workspace.preprocessed / f"{options.preset.plans}.json")


def test_a_disk_that_becomes_full_in_preprocessing_is_said(trained, small_disk):
    cases, options, _, _ = trained
    disk = small_disk(120_000)
    full = TrainingOptions(options.preset, Workspace(disk), "cpu")
    full.workspace.preprocessed.mkdir(parents=True)
    for plan in options.workspace.preprocessed.glob("*.json"):
        shutil.copy(plan, full.workspace.preprocessed)
    with pytest.raises(OutputError, match=r"The disk became full in nnU-Net's stage 'preprocess'.*goes on from there"):
        prepare(cases, full, lambda line: None)


def test_a_disk_that_is_too_small_is_said_before_nnunet_starts(trained, small_disk):
    cases, options, _, _ = trained
    disk = small_disk(400_000)
    with pytest.raises(OutputError, match=r"kB free, and about 1\.3 MB are needed"):
        prepare(cases, TrainingOptions(options.preset, Workspace(disk / "work"), "cpu"), lambda line: None)
    assert not (disk / "work").exists()


def test_several_gpus_are_for_cuda_alone(trained):
    with pytest.raises(BadInputError, match="2 GPUs cannot be used on the device 'cpu'"):
        replace(trained[1], gpus=2)


def test_nothing_of_a_checkpoint_is_lost_by_its_new_name(resumed):
    dual, _ = resumed
    content = torch.load(dual.fold_folder / "checkpoint_final.pth", map_location="cpu", weights_only=False)
    assert content["trainer_name"] == "nnUNetTrainer"
    assert content["current_epoch"] == 2
    assert content["optimizer_state"]["state"]
    assert not list(dual.fold_folder.glob("*.writing"))
