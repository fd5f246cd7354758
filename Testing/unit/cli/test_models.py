"""`hntargetseg models` from the arguments to what is printed."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from HNTargetSegLib.cli.models import add_parser
from HNTargetSegLib.errors import BadInputError, ModelError

NAME = "Dataset777_Tiny"
RESAMPLER = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
CONFIGURATION = {
    "patch_size": [8, 16, 16],
    "spacing": [2.0, 1.0, 1.0],
    "normalization_schemes": ["ZScoreNormalization"],
    "preprocessor_name": "DefaultPreprocessor",
    "resampling_fn_data": "resample_data_or_seg_to_shape",
    "resampling_fn_data_kwargs": RESAMPLER,
    "architecture": {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {},
        "_kw_requires_import": [],
    },
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """The command group on a store of its own, as the main entry runs it."""
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(tmp_path / "my models"))
    parser = argparse.ArgumentParser(prog="hntargetseg")
    add_parser(parser.add_subparsers())

    def call(*arguments: str | Path) -> int:
        options = parser.parse_args(["models", *map(str, arguments)])
        return int(options.run(options))

    return call


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of nnU-Net as far as the store looks into them."""
    folder = tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    (folder / "fold_0").mkdir(parents=True)
    plans = {"dataset_name": NAME, "configurations": {"3d_fullres": CONFIGURATION}}
    dataset = {
        "channel_names": {"0": "T2"},
        "labels": {"background": 0, "GTVp": 1, "GTVn": 2},
        "file_ending": ".nii.gz",
    }
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    checkpoint = {
        "network_weights": {"encoder.conv.weight": torch.ones(4, 1, 3, 3, 3)},
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(checkpoint, folder / "fold_0" / "checkpoint_final.pth")
    return folder


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_install_list_show_verify_remove_in_a_row(
    run: Callable[..., int], results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("install", results, "--name", "my model", "--half", "--json") == 0
    installed = _json(capsys)
    assert (installed["name"], installed["storage"], installed["folds"]) == ("my model", "fp16", ["0"])
    assert run("list", "--json") == 0
    listed = _json(capsys)
    assert "my model" in [model["name"] for model in listed["models"]]
    assert "elitap-mid" in [entry["name"] for entry in listed["catalogue"]]
    assert run("show", "my model") == 0
    shown = capsys.readouterr().out
    assert "Model basic information" in shown
    assert "Not tested by HNTargetSeg" in shown
    assert run("verify", "my model") == 0
    assert capsys.readouterr().out == "Unchanged: my model\n"
    assert run("remove", "my model") == 0
    assert not Path(installed["folder"]).exists()


def test_list_prints_models_and_catalogue_for_people(
    run: Callable[..., int], results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("install", results)
    assert "note: Not tested by HNTargetSeg" in capsys.readouterr().out
    run("list")
    printed = capsys.readouterr().out
    assert NAME in printed
    assert "installed, unknown" in printed
    assert "not tested here" in printed


def test_show_as_json_is_the_card(run: Callable[..., int], results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("install", results, "--json")
    folder = Path(_json(capsys)["folder"])
    run("show", NAME, "--json")
    assert _json(capsys) == json.loads((folder / "card.json").read_text())


def test_verify_names_the_changed_file_of_any_model(
    run: Callable[..., int], results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("install", results, "--json")
    folder = Path(_json(capsys)["folder"])
    (folder / "dataset.json").write_text((folder / "dataset.json").read_text() + " ")
    with pytest.raises(ModelError, match=r"dataset\.json was changed"):
        run("verify")


@pytest.mark.parametrize("command", ["list", "show", "install", "verify", "remove"])
def test_the_help_of_each_command_has_an_example(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(command, "--help")
    assert caught.value.code == 0
    assert f"example:\n  hntargetseg models {command}" in capsys.readouterr().out


def test_the_catalogue_asks_before_it_says_how(run: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(BadInputError, match=r"do you accept them\?.*--accept-licence"):
        run("install", "elitap-mid")
    with pytest.raises(BadInputError, match=r"could not be verified.*drive\.google\.com.*--catalogue elitap-mid"):
        run("install", "elitap-mid", "--accept-licence")


class Terminal(io.StringIO):
    """Standard input of somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "message"), [("no\n", "not accepted"), ("\n", "not accepted"), ("yes\n", "Download it")]
)
def test_the_answer_to_the_question_counts(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, answer: str, message: str
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    with pytest.raises(BadInputError, match=message):
        run("install", "gradientseg-unet")


def test_a_download_by_hand_is_installed_with_the_entry_of_the_catalogue(
    run: Callable[..., int], results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("install", results, "--catalogue", "elitap-pre", "--accept-licence", "--json") == 0
    installed = _json(capsys)
    assert installed["name"] == "elitap-pre"
    assert installed["licence"].startswith("unchecked")
    run("show", "elitap-pre")
    assert "Not tested here." in capsys.readouterr().out


def test_a_catalogue_entry_that_is_not_there_names_the_others(run: Callable[..., int], results: Path) -> None:
    with pytest.raises(BadInputError, match=r"no 'elitap'\. It has .*elitap-pre"):
        run("install", results, "--catalogue", "elitap")


def test_a_catalogue_entry_is_shown_before_it_is_installed(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run("show", "elitap-mid", "--json")
    shown = _json(capsys)
    assert shown["licence"].startswith("unchecked")
    assert shown["statement"].startswith("Not tested here")


def test_a_url_is_installed_with_its_hash(
    run: Callable[..., int], results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "a b.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        for file in results.rglob("*.*"):
            stream.write(file, file.relative_to(tmp_path))
    with pytest.raises(ModelError, match="--sha256"):
        run("install", archive.as_uri())
    assert run("install", archive.as_uri(), "--sha256", hashlib.sha256(archive.read_bytes()).hexdigest()) == 0
    assert f"Installed the model {NAME} (t2)" in capsys.readouterr().out


def test_a_fold_that_is_named_twice_is_stored_once(
    run: Callable[..., int], results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("install", "--folds", "0,0", results, "--json") == 0
    assert _json(capsys)["folds"] == ["0"]


def test_folds_that_are_no_folds_are_refused(run: Callable[..., int], results: Path) -> None:
    with pytest.raises(BadInputError, match="'0;1' are no folds"):
        run("install", results, "--folds", "0;1")
