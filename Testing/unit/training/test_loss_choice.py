"""Which loss is trained, with which options."""

import json

import pytest

from HNTargetSegLib.cli.main import build_parser, main
from HNTargetSegLib.cli.train import chosen_loss
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.loss_choice import TRAINER_OF_LOSS, LossChoice
from HNTargetSegLib.training.presets import PRESETS
from HNTargetSegLib.training.workspace import TRAINERS, Workspace


def chosen(*arguments):
    options = build_parser().parse_args(["train", "--data", "d", "--workspace", "w", "--name", "n", *arguments])
    return chosen_loss(options.loss, options.gamma, options)


def test_the_options_of_the_command_line_reach_the_trainer():
    loss = chosen(
        *("--loss", "selective", "--gamma", "0.25", "--normalisation", "reference", "--reference-cc", "2"),
        *("--maximum", "5", "--whole-lesions"),
    )
    variables = Workspace(TRAINERS).environment(PRESETS["demo"].phases[0], "cpu", loss.to_dict())
    assert loss.trainer == "nnUNetTrainerHNTSSelective"
    assert json.loads(variables["HNTARGETSEG_LOSS"]) == {
        "gamma": 0.25,
        "normalisation": "reference",
        "maximum": 5.0,
        "reference_cc": 2.0,
        "whole_lesions": True,
    }


def test_without_options_it_is_nnunets_own_loss():
    assert chosen() == LossChoice()
    assert chosen().to_dict() == {}
    assert chosen("--loss", "dual") == LossChoice("dual")


def test_a_largest_weight_of_0_is_no_limit():
    assert chosen("--loss", "dual", "--maximum", "0").maximum is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--loss", "dual", "--gamma", "1.5"], "gamma 1.5 is not between 0 and 1"),
        (["--loss", "dual", "--gamma", "nan"], "gamma nan is not between 0 and 1"),
        (["--loss", "volume"], r"no loss 'volume'.*baseline, dual, selective, inverse, blob, cc-dice-ce"),
        (["--gamma", "0.5"], "'baseline' has no --gamma"),
        (["--loss", "blob", "--reference-cc", "2"], "'blob' has no --reference-cc"),
        (["--loss", "cc-dice-ce", "--whole-lesions"], "does not weigh lesions by their size"),
        (["--loss", "dual", "--normalisation", "reference"], "--reference-cc"),
        (["--loss", "dual", "--reference-cc", "2"], "'mass' has no reference volume"),
        (["--loss", "dual", "--normalisation", "reference", "--reference-cc", "-1"], "-1 cc"),
        (["--loss", "dual", "--maximum", "0.5"], "0.5 is under 1"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(arguments, message):
    with pytest.raises(BadInputError, match=message):
        chosen(*arguments)


def test_a_loss_that_cannot_be_is_refused_before_anything_is_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(tmp_path / "models"))
    command = ["train", "--data", str(tmp_path / "none"), "--workspace", str(tmp_path / "work"), "--name", "n"]
    assert main([*command, "--device", "cpu", "--loss", "dual", "--gamma", "2"]) == 2
    assert "gamma 2.0 is not between 0 and 1" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("name", ["dual", "selective"])
def test_the_volume_aware_losses_are_called_a_reconstruction(name):
    assert "a reconstruction" in LossChoice(name).in_words
    assert "gamma 0.5" in LossChoice(name).in_words


def test_each_loss_has_a_trainer_in_the_folder_that_nnunet_searches():
    found = "".join(path.read_text() for path in TRAINERS.glob("*.py"))
    assert all(f"class {trainer}(" in found for trainer in TRAINER_OF_LOSS.values())
