"""An evaluation of files."""

from __future__ import annotations

import pytest

from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.metrics.case import Rules
from HNTargetSegLib.metrics.case_files import CaseFiles
from HNTargetSegLib.metrics.evaluation import Sampling, evaluate_files


@pytest.fixture
def files(tmp_path, label_map):
    """One case with two models: ``one`` is right, ``two`` misses the node."""
    maps = {"truth": label_map(pt=[(0, 2)], ln=[(5, 2)]), "one": label_map(pt=[(0, 2)], ln=[(5, 2)])}
    maps["two"] = label_map(pt=[(0, 2)])
    for name, volume in maps.items():
        write_volume(volume, tmp_path / f"{name}.nii.gz")
    return CaseFiles("8", tmp_path / "truth.nii.gz", {name: tmp_path / f"{name}.nii.gz" for name in ("one", "two")})


def test_each_model_is_compared_with_the_reference_and_with_the_others(files):
    seen = []
    found = evaluate_files([files], Rules(), Sampling(20), progress=lambda *done: seen.append(done))
    assert found.models == ("one", "two")
    assert [figures.agreement.overlap.dsc for figures in found.figures["two"]] == [1.0, 0.0]
    assert [cohort.dsc_agg_mean.value for cohort in found.cohorts.values()] == [1.0, 0.5]
    assert {test.models for test in found.tests} == {("one", "two")}
    assert seen == [(0, 1), (1, 1)]


def test_one_model_is_compared_with_no_other(files):
    alone = CaseFiles("8", files.reference, {"one": files.predictions["one"]})
    found = evaluate_files([alone], Rules(), Sampling(20))
    assert (found.tests, found.differences) == ((), ())


def test_another_grid_is_refused_naming_both_and_resampled_on_request(files, label_map):
    path = files.predictions["two"]
    write_volume(label_map(pt=[(0, 2)], spacing=9.0), path)
    with pytest.raises(GeometryError) as error:
        evaluate_files([files], Rules(), Sampling(20))
    assert "(9, 9, 9)" in str(error.value)
    assert "(10, 10, 10)" in str(error.value)
    assert error.value.path == str(path)
    assert "--resample nearest" in error.value.remedy
    found = evaluate_files([files], Rules(), Sampling(20), resample=True)
    assert found.resampled == (f"{path}: brought onto the grid of {files.reference} by nearest neighbour",)
    assert found.figures["two"][0].agreement.overlap.shared_cc > 0


def test_other_labels_are_refused_naming_the_file(files, label_map):
    volume = label_map(pt=[(0, 2)])
    write_volume(volume.with_array(volume.array * 3), files.predictions["one"])
    with pytest.raises(BadInputError, match="the value 3") as error:
        evaluate_files([files], Rules(), Sampling(20))
    assert error.value.path == str(files.predictions["one"])
