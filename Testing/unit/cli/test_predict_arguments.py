"""The options of the predictor on the command line are those of the library."""

from __future__ import annotations

import argparse

import pytest

from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, predict_options
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.options import PredictOptions


def parsed(*arguments: str) -> PredictOptions:
    parser = argparse.ArgumentParser()
    add_predict_arguments(parser)
    return predict_options(parser.parse_args(arguments))


def test_the_command_line_has_the_defaults_of_the_library_and_no_mirroring_among_them() -> None:
    assert parsed() == PredictOptions()
    assert not PredictOptions().mirror
    assert parsed("--mirror").mirror


@pytest.mark.parametrize(
    ("arguments", "folds"),
    [
        (["0", "1"], ("0", "1")),
        (["0,1"], ("0", "1")),
        (["1, 0"], ("1", "0")),
        (["0,1", "1", "3", "0"], ("0", "1", "3")),
        (["all"], ("all",)),
    ],
)
def test_folds_are_written_with_commas_or_blanks_and_repeats_are_dropped(
    arguments: list[str], folds: tuple[str, ...]
) -> None:
    assert parsed("--folds", *arguments).folds == folds


@pytest.mark.parametrize("text", ["0;1", "-", "first", "0,", ""])
def test_what_is_no_fold_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match=f"'{text}' are no folds"):
        parsed("--folds", text)
