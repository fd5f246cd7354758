"""A whole training through nnU-Net, as short as it can be."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from Testing.unit.training.short_training import FIRST_WEIGHTS, SEED, short_preset

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.cli.main import main
from HNTargetSegLib.errors import BadInputError, MissingDependencyError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.store import ModelStore
from HNTargetSegLib.models.weights import read_checkpoint
from HNTargetSegLib.pipeline import LoadedModel
from HNTargetSegLib.training.assess import assess, summarise
from HNTargetSegLib.training.presets import PRESETS, preset
from HNTargetSegLib.training.publish import Publication, model_card, publish
from HNTargetSegLib.training.train import TrainingOptions, adapt_plans, train, write_raw_dataset
from HNTargetSegLib.training.workspace import COMMAND, TRAINERS, Workspace

DRAW_PATCHES = """
import json, sys
import numpy as np, torch
sys.path.insert(0, {trainers!r})
from baseline import nnUNetTrainerHNTS

if __name__ == "__main__":
    plans, dataset = (json.load(open(name)) for name in ("plans.json", "dataset.json"))
    plans["continue_training"] = False
    trainer = nnUNetTrainerHNTS(plans, "3d_fullres", 0, dataset, torch.device("cpu"))
    trainer.initialize()
    drawn = []
    for trainer.current_epoch in (0, 0, 5):
        drawn.append([next(loader)["data"].numpy() for loader in trainer.get_dataloaders()])
    np.save({target!r}, np.array(drawn))
"""


def test_the_trained_model_is_stored_with_a_card_and_predicts(trained, tmp_path):
    cases, options, _, _ = trained
    publication = Publication("short", data="two generated patients", metrics={"none": {}}, licence="Apache-2.0")
    model = publish(options, cases, publication, tmp_path / "short", half=True)
    assert model.card.training["patients"] == 2
    assert model.mirror_axes == (2,)
    assert model.trainer == "nnUNetTrainer"
    assert str(cases[0].image.parent) not in (model.folder / "dataset.json").read_text()
    assert ModelStore(tmp_path, tmp_path / "none").verify("short").card == model.card
    loaded = LoadedModel.load(model, PredictOptions(device="cpu"))
    figures = assess(loaded, cases[:1], lambda line: None)
    assert summarise(figures)["GTVp"]["cases"] == 1
    image = read_volume(cases[0].image)
    labels = loaded.predictor.predict(image.array[None].astype(np.float32), image.spacing).labels
    assert labels.shape == image.array.shape


def test_a_second_call_goes_on_where_the_first_stopped(trained):
    cases, options, results, lines = trained
    final = results / "fold_0" / "checkpoint_final.pth"
    assert any("Training done" in line for line in lines)
    # What a kill in the second phase leaves behind: its first epoch is done, its second is not.
    final.rename(final.with_name("checkpoint_latest.pth"))
    again = []
    longer = TrainingOptions(short_preset(1, 2), options.workspace, "cpu")
    train(cases, longer, again.append)
    nothing_left = []
    train(cases, longer, nothing_left.append)
    assert nothing_left == []
    assert final.exists()
    assert any("Epoch 1" in line for line in again)
    assert not any("Epoch 0" in line for line in again)


def test_the_preset_decides_network_and_patch(trained):
    results = trained[2]
    plans = json.loads((results / "plans.json").read_text())
    configuration = plans["configurations"]["3d_fullres"]
    assert configuration["patch_size"] == [16, 32, 32]
    assert configuration["architecture"]["arch_kwargs"]["features_per_stage"] == [4, 8, 8]


def test_a_workspace_begun_with_other_cases_is_refused(trained):
    cases, options, _, _ = trained
    with pytest.raises(BadInputError, match="begun with other cases"):
        write_raw_dataset(options.workspace, cases[:2])


def test_nnunet_finds_the_trainer_in_a_fresh_process():
    """The trainer's folder is imported by nnU-Net without this package on the path."""
    environment = {**os.environ, "nnUNet_extTrainer": str(TRAINERS)}
    environment.pop("PYTHONPATH", None)
    # As the launcher does: a torchvision that does not fit the installed PyTorch must not end nnU-Net's search.
    code = (
        f"import runpy; kept = runpy.run_path({str(COMMAND)!r})['make_torchvision_importable']();"
        "from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name as find;"
        "print(find('nnUNetTrainerHNTS').__mro__[1].__name__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=TRAINERS
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("nnUNetTrainer")


def weights_after_training(trained, root, seed):
    """Train the prepared cases again in a process of its own; the stages before it are those of ``trained``."""
    cases, options, _, _ = trained
    shutil.copytree(options.workspace.root, root, ignore=shutil.ignore_patterns("results"))
    results = train(cases, TrainingOptions(short_preset(1).seeded(seed), Workspace(root), "cpu"), lambda line: None)
    return read_checkpoint(results / "fold_0" / "checkpoint_final.pth").weights


def test_one_seed_gives_equal_weights_in_fresh_processes_and_another_seed_other_ones(trained, tmp_path):
    first = read_checkpoint(trained[1].workspace.root / FIRST_WEIGHTS).weights
    again, other = (weights_after_training(trained, tmp_path / str(seed), seed) for seed in (SEED, SEED + 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if name.endswith("conv.weight"))


def test_seeded_loaders_draw_the_same_patches_again_and_others_at_a_later_epoch(trained, monkeypatch, tmp_path):
    """In nnU-Net's worker processes, which its own trainer leaves unseeded."""
    results = trained[2]
    monkeypatch.setenv("HNTARGETSEG_SCHEDULE", json.dumps({"seed": SEED}))
    monkeypatch.setenv("nnUNet_n_proc_DA", "1")
    for name in ("raw", "preprocessed", "results"):
        monkeypatch.setenv(f"nnUNet_{name}", str(results.parents[2] / name))
    script = tmp_path / "draw.py"
    script.write_text(DRAW_PATCHES.format(trainers=str(TRAINERS), target=str(tmp_path / "patches.npy")))
    subprocess.run([sys.executable, str(script)], check=True, cwd=results)
    first, again, later = np.load(tmp_path / "patches.npy")
    assert np.array_equal(first, again)
    assert not np.array_equal(first, later)


def test_the_card_says_the_seed_or_that_there_is_none(trained):
    cases, options, _, _ = trained
    unseeded = replace(options, preset=options.preset.seeded(None))
    card = model_card(options, cases, Publication("short"))
    assert card.training["seed"] == SEED
    assert f"seed {SEED}" in card.training["method"]
    assert "not seeded" in model_card(unseeded, cases, Publication("short")).training["method"]


@pytest.mark.parametrize("seed", [None, SEED + 1])
def test_a_workspace_does_not_go_on_with_another_seed(trained, seed):
    cases, options, _, _ = trained
    with pytest.raises(BadInputError, match=f"begun with seed {SEED}.*--seed {SEED}"):
        train(cases, replace(options, preset=options.preset.seeded(seed)))


def test_a_training_that_was_begun_without_a_seed_takes_none(tmp_path):
    options = TrainingOptions(short_preset(1), Workspace(tmp_path), "cpu")
    (options.results / "fold_0").mkdir(parents=True)
    (options.results / "fold_0" / "checkpoint_latest.pth").touch()
    with pytest.raises(BadInputError, match=r"begun with no seed.*Leave --seed out"):
        train([], options)


def test_a_seed_that_no_generator_takes_is_refused():
    with pytest.raises(BadInputError, match="seed 4294967296"):
        preset("demo").seeded(1 << 32)


@pytest.mark.parametrize("device", ["auto", "tpu"])
def test_a_device_that_nnunet_does_not_know_is_refused(tmp_path, device):
    with pytest.raises(BadInputError, match=f"'{device}'.*cuda, mps, cpu"):
        TrainingOptions(preset("demo"), Workspace(tmp_path / "work"), device)


def test_an_absent_gpu_is_said_before_anything_starts(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(MissingDependencyError, match="sees no cuda device"):
        train([], TrainingOptions(preset("demo"), Workspace(tmp_path / "work"), "cuda"))
    assert not (tmp_path / "work").exists()


def test_an_unknown_preset_is_named_with_those_that_exist():
    with pytest.raises(BadInputError, match=r"'large'.*resenc-m, demo"):
        preset("large")


def test_each_preset_takes_its_own_planners_plans(tmp_path):
    workspace = Workspace(tmp_path)
    for chosen in PRESETS.values():
        content = {"configurations": {"3d_fullres": {"from": chosen.planned}}}
        workspace.write_json(workspace.preprocessed / f"{chosen.planned}.json", content)
    for chosen in PRESETS.values():
        adapt_plans(workspace, chosen)
    for chosen in PRESETS.values():
        plans = json.loads((workspace.preprocessed / f"{chosen.plans}.json").read_text())
        assert plans["configurations"]["3d_fullres"]["from"] == chosen.planned


@pytest.mark.parametrize(("name", "fault"), [("../outside", "cannot be the name"), ("taken", "something at the place")])
def test_a_name_that_cannot_be_used_is_refused_before_the_training(tmp_path, monkeypatch, capsys, name, fault):
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(tmp_path / "models"))
    (tmp_path / "models" / "taken").mkdir(parents=True)
    command = ["train", "--data", str(tmp_path), "--workspace", str(tmp_path / "work"), "--name", name]
    assert main(command) == 2
    assert fault in capsys.readouterr().err
    assert not (tmp_path / "work").exists()
