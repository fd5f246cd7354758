"""Cases with priors, and the second channel of nnU-Net's raw data."""

import json
from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.main import main
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.prior.gradient_map import fitted_scale, gradient_map
from HNTargetSegLib.training.begun import hold_choices, require_same_choices
from HNTargetSegLib.training.cases import check_case, find_prior_cases, split_by_patient
from HNTargetSegLib.training.folds import check_folds, cross_validation, one_split
from HNTargetSegLib.training.presets import preset
from HNTargetSegLib.training.prior_channel import (
    PRIORS,
    TightBox,
    case_generator,
    map_file,
    read_tight_boxes,
    write_prior_channel,
)
from HNTargetSegLib.training.prior_recipe import (
    PUBLISHED,
    REFUSING,
    Draws,
    dataset_name,
    dataset_number,
    recipe_from_dict,
    recipe_of,
    with_reading,
)
from HNTargetSegLib.training.publish import Publication, model_card
from HNTargetSegLib.training.train import TrainingOptions, channel_names, write_raw_dataset
from HNTargetSegLib.training.workspace import Workspace

GRID = Geometry((20, 18, 12), (1.0, 1.0, 2.0))


def mask():
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4:7, 6:10, 5:9] = Target.PT
    labels[8:10, 2:4, 14:17] = Target.LN
    return labels


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("patients")
    for number in range(4):
        noise = np.random.default_rng(number).normal(300, 50, GRID.shape).astype(np.float32)
        for visit in ("pre", "mid"):
            folder = root / str(number) / f"{visit}RT"
            write_volume(Volume(noise + (visit == "mid"), GRID), folder / f"{number}_{visit}RT_T2.nii.gz")
            write_volume(Volume(mask(), GRID), folder / f"{number}_{visit}RT_mask.nii.gz")
        write_volume(Volume(mask(), GRID), root / str(number) / "midRT" / f"{number}_preRT_mask_registered.nii.gz")
    return root


@pytest.fixture(scope="module")
def cases(data):
    return find_prior_cases(data)


def test_pre_rt_visits_have_their_own_mask_as_prior_and_mid_rt_visits_the_registered_one(cases, data):
    by_name = {case.identifier: case for case in cases}
    assert list(by_name) == ["0pre", "0mid", "1pre", "1mid", "2pre", "2mid", "3pre", "3mid"]
    assert by_name["0pre"].prior == by_name["0pre"].mask
    assert by_name["0mid"].prior == data / "0" / "midRT" / "0_preRT_mask_registered.nii.gz"


def test_a_patient_without_a_registered_mask_is_named(tmp_path):
    for visit in ("pre", "mid"):
        (tmp_path / "7").mkdir(exist_ok=True)
        (tmp_path / "7" / f"7_{visit}RT_T2.nii.gz").touch()
        (tmp_path / "7" / f"7_{visit}RT_mask.nii.gz").touch()
        (tmp_path / f"8_{visit}RT_T2.nii.gz").touch()
        (tmp_path / f"8_{visit}RT_mask.nii.gz").touch()
    with pytest.raises(BadInputError, match=r"Patient 7 has no registered pre-RT mask.*hntargetseg register"):
        find_prior_cases(tmp_path)


def test_pre_rt_visits_are_never_held_out_and_stay_on_their_patients_side(cases):
    for fold in (*cross_validation(cases, 4), *one_split(cases, 1), split_by_patient(cases)):
        assert all(name.endswith("mid") for name in fold["val"])
        held_out = {name[0] for name in fold["val"]}
        assert not held_out & {name[0] for name in fold["train"]}
        assert {f"{number}pre" for number in "0123" if number not in held_out} <= set(fold["train"])


def test_a_fold_that_holds_out_a_pre_rt_visit_is_refused(cases):
    with pytest.raises(BadInputError, match="holds out 0pre"):
        check_folds([{"train": ["1pre", "1mid"], "val": ["0mid", "0pre"]}], cases)


def test_a_prior_on_another_grid_is_refused(cases, tmp_path):
    other = tmp_path / "other.nii.gz"
    write_volume(Volume(np.zeros((12, 18, 21), np.uint8), Geometry((21, 18, 12))), other)
    with pytest.raises(GeometryError):
        check_case(replace(cases[1], prior=other))


def test_the_published_channel_has_margins_drawn_once_from_seed_and_name(cases, tmp_path):
    write_prior_channel(tmp_path, cases, PUBLISHED)
    for case in cases[:2]:
        image = read_volume(case.image)
        prior = read_mask(case.prior, like=image)
        expected = gradient_map(image, prior, PUBLISHED.gradient, case_generator(PUBLISHED, case.identifier))
        written = read_volume(map_file(tmp_path, case)).array
        assert written.dtype == np.float32
        assert np.array_equal(written, expected)
        assert not np.array_equal(written, gradient_map(image, prior, PUBLISHED.gradient))


def test_neither_the_order_of_cases_nor_other_cases_change_a_map(cases, tmp_path):
    write_prior_channel(tmp_path / "all", cases, PUBLISHED)
    write_prior_channel(tmp_path / "some", cases[3:1:-1], PUBLISHED)
    for case in cases[2:4]:
        one, other = (read_volume(map_file(tmp_path / place, case)).array for place in ("all", "some"))
        assert np.array_equal(one, other)


def test_another_seed_draws_other_margins(cases):
    one, other = (case_generator(replace(PUBLISHED, seed=seed), "0pre").integers(4, 8, 6) for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_where_priors_are_drawn_when_read_the_file_holds_the_map_of_inference(cases, tmp_path):
    write_prior_channel(tmp_path, cases[:2], REFUSING)
    image = read_volume(cases[1].image)
    expected = gradient_map(image, read_mask(cases[1].prior, like=image))
    assert np.array_equal(read_volume(map_file(tmp_path, cases[1])).array, expected)


def test_the_boxes_of_prior_lesions_are_kept_beside_the_maps(cases, tmp_path):
    write_prior_channel(tmp_path, cases[:2], REFUSING)
    boxes = read_tight_boxes(tmp_path / PRIORS)
    assert boxes["0mid"] == (TightBox(1, (4, 6, 5), (7, 10, 9)), TightBox(2, (8, 2, 14), (10, 4, 17)))


def test_maps_that_are_there_are_not_made_again(cases, tmp_path):
    write_prior_channel(tmp_path, cases[:2], PUBLISHED)
    before = map_file(tmp_path, cases[0]).stat().st_mtime_ns
    map_file(tmp_path, cases[1]).unlink()
    write_prior_channel(tmp_path, cases[:2], PUBLISHED)
    assert map_file(tmp_path, cases[0]).stat().st_mtime_ns == before
    assert map_file(tmp_path, cases[1]).exists()


def test_a_folder_begun_with_another_recipe_is_refused(cases, tmp_path):
    write_prior_channel(tmp_path, cases[:2], PUBLISHED)
    with pytest.raises(BadInputError, match="another prior: seed was 0 and is to be 1"):
        write_prior_channel(tmp_path, cases[:2], replace(PUBLISHED, seed=1))


def test_a_case_without_a_prior_is_refused(cases, tmp_path):
    with pytest.raises(BadInputError, match="0pre has no prior"):
        write_prior_channel(tmp_path, [replace(cases[0], prior=None)], PUBLISHED)


def test_the_raw_data_name_the_map_so_that_nnunet_normalises_it_as_the_recipe_says(cases, tmp_path):
    assert channel_names(PUBLISHED) == {"0": "T2", "1": "gradient"}
    assert channel_names(REFUSING) == {"0": "T2", "1": "noNorm"}
    assert channel_names(None) == {"0": "T2"}
    workspace = Workspace(tmp_path)
    write_raw_dataset(workspace, cases, PUBLISHED)
    description = json.loads((workspace.raw / "dataset.json").read_text())
    assert description["dataset"]["1mid"]["images"] == [
        str(tmp_path_of(cases, "1mid").resolve()),
        str((workspace.raw / "gradient" / "1mid.nii.gz").resolve()),
    ]


def tmp_path_of(cases, name):
    return next(case.image for case in cases if case.identifier == name)


def test_trainings_with_and_without_a_prior_share_a_folder_but_no_data_set(tmp_path):
    options = [
        TrainingOptions(preset("demo"), Workspace(tmp_path), "cpu", prior=p) for p in (None, PUBLISHED, REFUSING)
    ]
    assert len({entry.workspace.raw for entry in options}) == 3
    assert {entry.workspace.root for entry in options} == {tmp_path}
    assert dataset_number(REFUSING) != dataset_number(PUBLISHED)
    assert dataset_name(REFUSING) == options[2].workspace.dataset_name


@pytest.mark.parametrize("recipe", [PUBLISHED, REFUSING, replace(REFUSING, seed=3, draws=Draws(0.5, 0, 0, 1))])
def test_a_recipe_survives_json(recipe):
    assert recipe_from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_the_papers_reading_gets_one_scale_for_all_patients(cases):
    recipe = with_reading(PUBLISHED, "paper", cases)
    pairs = [(read_volume(case.image), read_mask(case.prior)) for case in cases]
    assert recipe.gradient.reading == "paper"
    assert recipe.gradient.scale == pytest.approx(fitted_scale(pairs))
    assert with_reading(PUBLISHED, "code", cases) == PUBLISHED


@pytest.mark.parametrize(
    ("change", "message"), [({"dropout": 1.2}, "'dropout' of a prior is 1.2"), ({"displaced": -1}, "-1")]
)
def test_chances_out_of_range_are_refused(change, message):
    with pytest.raises(BadInputError, match=message):
        Draws(**change)


def test_an_unknown_prior_is_named_with_those_that_exist():
    with pytest.raises(BadInputError, match=r"'boxes'.*gradient, ren2024"):
        recipe_of("boxes")


def test_the_card_says_recipe_channels_and_how_priors_were_drawn(cases, tmp_path):
    options = TrainingOptions(preset("demo"), Workspace(tmp_path), "cpu", prior=REFUSING)
    card = model_card(options, cases, Publication("two-channel"))
    assert str(card.recipe) == "t2+gradient"
    assert card.channels.gradient == REFUSING.gradient
    assert "no prior at all with a chance of 0.3" in card.training["prior"]
    published = model_card(replace(options, prior=PUBLISHED, workspace=Workspace(tmp_path)), cases, Publication("two"))
    assert "drawn once a case with seed 0" in published.training["prior"]


def train(data, tmp_path, *more):
    return main(["train", "--data", str(data), "--workspace", str(tmp_path / "work"), "--name", "two", *more])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--prior-dropout", "0.5"), "belong to --prior"),
        (("--reading", "paper"), "belong to --prior"),
        (("--prior", "ren2024", "--prior-dropout", "0.5"), "ren2024 is never dropped"),
        (("--prior", "gradient", "--prior-dropout", "1.5"), "'dropout' of a prior is 1.5"),
        (("--prior", "gradient", "--visit", "mid"), "takes both visits"),
    ],
)
def test_options_of_the_prior_that_do_not_fit_are_refused_before_the_training(
    data, tmp_path, monkeypatch, capsys, more, message
):
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(tmp_path / "models"))
    assert train(data, tmp_path, "--preset", "short", "--device", "cpu", *more) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_a_training_does_not_go_on_with_another_prior(tmp_path):
    hold_choices(tmp_path, {"seed": None, "loss": {}, "prior": REFUSING.to_dict()})
    (tmp_path / "checkpoint_latest.pth").touch()
    require_same_choices(tmp_path, {"seed": None, "loss": {}, "prior": REFUSING.to_dict()}, tmp_path)
    other = replace(REFUSING, draws=Draws(dropout=0.5))
    with pytest.raises(BadInputError, match="another prior: draws was"):
        require_same_choices(tmp_path, {"seed": None, "loss": {}, "prior": other.to_dict()}, tmp_path)
    with pytest.raises(BadInputError, match="another prior"):
        require_same_choices(tmp_path, {"seed": None, "loss": {}}, tmp_path)
