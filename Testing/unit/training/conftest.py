"""A training that the tests share: it takes nnU-Net half a minute to start its commands."""

import shutil

import pytest
from Testing.unit.training.short_training import FIRST_WEIGHTS, SMALL, short_preset

from HNTargetSegLib.phantom import generate_patient, write_patient
from HNTargetSegLib.training.cases import find_cases
from HNTargetSegLib.training.train import TrainingOptions, train
from HNTargetSegLib.training.workspace import Workspace


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    for index in range(2):
        write_patient(generate_patient(3, index, SMALL), root / "patients")
    cases = find_cases(root / "patients")
    lines = []
    options = TrainingOptions(short_preset(1), Workspace(root / "work"), "cpu")
    results = train(cases, options, lines.append)
    shutil.copy(results / "fold_0" / "checkpoint_final.pth", options.workspace.root / FIRST_WEIGHTS)
    return cases, options, results, lines
