"""The predictor gives the labels of nnU-Net's own command, keeps probabilities, and can be stopped and restricted."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from HNTargetSegLib.errors import BadInputError, CancelledError, MissingDependencyError, OutOfMemoryError
from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.predictor import Predictor, memory_errors
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import store_from_results

TORCH = PredictOptions(device="cpu", backend="torch")
# name: shape (k, j, i), spacing (i, j, k) in mm, empty border in voxels. The network's first axis is the image's j.
VOLUMES: dict[str, tuple[tuple[int, int, int], tuple[float, float, float], int]] = {
    "native_border": ((76, 30, 62), (1.0, 3.5, 1.0), 5),
    "isotropic": ((44, 60, 48), (1.5, 1.5, 1.5), 0),
    "oblique_fine": ((84, 24, 80), (0.8, 2.9, 0.75), 2),
    "thick_slices": ((18, 64, 68), (1.25, 1.25, 5.0), 2),
    "smaller_than_patch": ((40, 11, 76), (1.0, 3.5, 1.1), 0),
}


@pytest.fixture(scope="module")
def small(random_model: Callable[..., Any]) -> Any:
    """A model of two folds whose network grid equals the image's at 2 x 1 x 1 mm."""
    return random_model(folds=("0", "1"))


@pytest.fixture(scope="module")
def image(textured: Callable[..., Any]) -> np.ndarray:
    channels: np.ndarray = textured((20, 50, 44), seed=5, border=2)[None]
    return channels


SPACING = (1.0, 1.0, 2.0)
FINE = (0.8, 0.7, 1.5)


def _write_nnunet_results(model: Any, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(model.plans))
    (folder / "dataset.json").write_text(json.dumps(model.dataset))
    for fold in model.folds:
        (folder / f"fold_{fold}").mkdir()
        checkpoint = {
            "network_weights": model.weights(fold),
            "trainer_name": "nnUNetTrainer",
            "init_args": {"configuration": model.configuration},
            "inference_allowed_mirroring_axes": model.mirror_axes,
        }
        torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_final.pth")


def _write_volumes(folder: Path, textured: Callable[..., Any]) -> dict[str, np.ndarray]:
    folder.mkdir()
    tilt = np.deg2rad(20)
    oblique = (np.cos(tilt), -np.sin(tilt), 0, np.sin(tilt), np.cos(tilt), 0, 0, 0, 1)
    arrays = {}
    for seed, (name, (shape, spacing, border)) in enumerate(VOLUMES.items()):
        arrays[name] = textured(shape, seed=seed, border=border)
        volume = sitk.GetImageFromArray(arrays[name])
        volume.SetSpacing(spacing)
        if name.startswith("oblique"):
            volume.SetDirection(oblique)
        sitk.WriteImage(volume, str(folder / f"{name}_0000.nii.gz"))
    return arrays


def _nnunet_command() -> str:
    command = shutil.which("nnUNetv2_predict", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert command, "nnU-Net is installed without its commands"
    return command


@pytest.mark.timeout(600)
def test_exact_mode_equals_the_command_of_nnunet_on_five_geometries(
    tmp_path: Path, random_model: Callable[..., Any], textured: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_model(
        folds=("0", "1"),
        mirror_axes=(2,),
        transpose=(1, 0, 2),
        spacing=[3.5, 1.0, 1.0],
        patch_size=[16, 64, 56],
        features=(8, 16, 32),
    )
    _write_nnunet_results(model, tmp_path / "results" / "Dataset777_Tiny" / "nnUNetTrainer__nnUNetPlans__3d_fullres")
    _write_volumes(tmp_path / "in", textured)
    folders = {f"nnUNet_{name}": str(tmp_path / name) for name in ("raw", "preprocessed", "results")}
    command = [_nnunet_command(), "-i", "in", "-o", "out", "-d", "777", "-c", "3d_fullres", "-f", "0", "1"]
    command += ["-device", "cpu", "-npp", "1", "-nps", "1", "--disable_progress_bar"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, **folders}, check=True, capture_output=True)

    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "cache"))
    for backend in ("torch", "openvino") if importlib.util.find_spec("openvino") else ("torch",):
        predictor = Predictor(model, PredictOptions(device="cpu", backend=backend, mirror=True))  # type: ignore[arg-type]
        different, voxels = 0, 0
        for name in VOLUMES:
            volume = sitk.ReadImage(str(tmp_path / "in" / f"{name}_0000.nii.gz"))
            labels = predictor.predict(sitk.GetArrayFromImage(volume)[None], volume.GetSpacing()).labels
            theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / f"{name}.nii.gz")))
            assert labels.shape == theirs.shape
            assert np.all(np.bincount(theirs.ravel(), minlength=3) > 0.02 * theirs.size), "the decisions are degenerate"
            different += int(np.sum(labels != theirs))
            voxels += theirs.size
            print(f"{backend} {name}: {np.sum(labels != theirs)} of {theirs.size} voxels differ")
        assert different <= 1e-5 * voxels


@pytest.mark.parametrize("step", [0.5, 0.8])
@pytest.mark.parametrize("mirror", [True, False])
def test_labels_and_probabilities_equal_those_of_nnunets_predictor(
    tmp_path: Path, random_model: Callable[..., Any], textured: Callable[..., Any], step: float, mirror: bool
) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    # Isotropic plans: the other branch of the resampling.
    model = random_model(spacing=[1.5, 1.4, 1.6], mirror_axes=(0, 1, 2))
    _write_nnunet_results(model, tmp_path / "model")
    theirs = nnUNetPredictor(tile_step_size=step, use_mirroring=mirror, device=torch.device("cpu"), allow_tqdm=False)
    theirs.initialize_from_trained_model_folder(str(tmp_path / "model"), ("0",))
    channels = textured((20, 26, 24), seed=8, border=2)[None]
    labels, probabilities = theirs.predict_single_npy_array(channels, {"spacing": [2.0, 1.1, 1.2]}, None, None, True)
    options = PredictOptions(device="cpu", backend="torch", step=step, mirror=mirror)
    ours = Predictor(model, options).predict(channels, (1.2, 1.1, 2.0))
    assert np.array_equal(ours.labels, labels)
    for label in range(3):
        assert np.abs(ours.probability(label) - probabilities[label]).max() < 2e-3


def test_a_model_out_of_the_store_predicts(results: Callable[..., Path], image: np.ndarray, tmp_path: Path) -> None:
    card = unknown_card("two folds", Recipe.T2)
    stored = store_from_results(results(folds=("0", "1")), tmp_path / "stored", card)
    result = Predictor(stored, TORCH).predict(image, SPACING)
    assert result.labels.shape == image.shape[1:]
    assert result.labels.dtype == np.uint8
    assert np.allclose(sum(result.probability(label) for label in range(3)), 1, atol=1e-5)


def test_probability_in_a_box_is_cut_from_the_whole(small: Any, image: np.ndarray) -> None:
    result = Predictor(small, TORCH).predict(image, FINE)
    box = (slice(3, 9), slice(10, None), slice(-20, -5))
    total = np.zeros(image.shape[1:])
    for label in range(3):
        whole = result.probability(label)
        assert whole.shape == image.shape[1:]
        assert np.allclose(result.probability(label, box), whole[box], atol=1e-6)
        total += whole
    assert np.allclose(total, 1, atol=1e-5)
    assert np.all(result.probability(0)[:2] == 1), "the empty border is background"
    with pytest.raises(BadInputError, match="label 3"):
        result.probability(3)
    with pytest.raises(BadInputError, match="leaves out"):
        result.probability(1, (slice(None, None, 2), slice(None), slice(None)))


def test_the_most_probable_label_is_the_label(small: Any, image: np.ndarray) -> None:
    result = Predictor(small, TORCH).predict(image, FINE)
    probabilities = np.stack([result.probability(label) for label in range(3)])
    agree = probabilities.argmax(0) == result.labels
    gap = np.diff(np.sort(probabilities, axis=0)[-2:], axis=0)[0]
    assert agree[gap > 1e-6].all()


@pytest.mark.parametrize("spacing", [SPACING, FINE])
def test_a_region_gives_the_labels_of_the_whole_well_inside_it(
    small: Any, image: np.ndarray, spacing: tuple[float, float, float]
) -> None:
    predictor = Predictor(small, TORCH)
    whole = predictor.predict(image, spacing)
    region = (slice(0, 20), slice(12, 44), slice(12, 40))
    tiles: list[int] = []
    part = predictor.predict(image, spacing, region=region, progress=lambda stage, done, total: tiles.append(total))
    margin = [0 if size is None else int(np.ceil(size)) for size in (None, 5 * 1 / spacing[1], 5 * 1 / spacing[0])]
    inside = (slice(2, 18), slice(12 + margin[1], 44 - margin[1]), slice(12 + margin[2], 40 - margin[2]))
    assert np.array_equal(part.labels[inside], whole.labels[inside])
    assert whole.labels[inside].any()
    outside = np.ones(part.labels.shape, bool)
    outside[region] = False
    assert not part.labels[outside].any()
    assert np.all(part.probability(0)[outside] == 1)
    assert np.allclose(part.probability(1, inside), whole.probability(1, inside), atol=1e-6)


def test_the_fewest_tiles_for_a_region_are_fewer_and_agree_mostly(small: Any, image: np.ndarray) -> None:
    predictor = Predictor(small, TORCH)
    counts: dict[str, int] = {}

    def count(key: str) -> Callable[[str, int, int], None]:
        def note(stage: str, done: int, total: int) -> None:
            if stage == "network":
                counts[key] = max(total, counts.get(key, 0))

        return note

    region = (slice(5, 14), slice(15, 35), slice(15, 34))
    shared = predictor.predict(image, SPACING, region=region, progress=count("shared"))
    fewest = predictor.predict(image, SPACING, region=region, region_tiles="fewest", progress=count("fewest"))
    predictor.predict(image, SPACING, progress=count("all"))
    assert counts["fewest"] < counts["shared"] < counts["all"]
    assert np.mean(fewest.labels[region] == shared.labels[region]) > 0.5


def test_a_region_of_empty_border_costs_nothing_and_is_background(small: Any, image: np.ndarray) -> None:
    stages = []
    result = Predictor(small, TORCH).predict(
        image,
        SPACING,
        region=(slice(0, 2), slice(None), slice(None)),
        progress=lambda stage, done, total: stages.append(stage),
    )
    assert not result.labels.any()
    assert set(stages) == {"preprocess"}
    assert not result.probability(1).any()


def test_a_cancelled_prediction_stops_between_tiles_and_leaves_the_predictor_usable(
    small: Any, image: np.ndarray
) -> None:
    predictor = Predictor(small, TORCH)
    expected = predictor.predict(image, SPACING).labels
    seen: list[tuple[str, int, int]] = []
    stop = threading.Event()

    def note(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        if stage == "network" and done == 3:
            stop.set()

    with pytest.raises(CancelledError):
        predictor.predict(image, SPACING, progress=note, cancelled=stop.is_set)
    assert seen[-1][:2] == ("network", 3)
    assert np.array_equal(predictor.predict(image, SPACING).labels, expected)


def test_progress_counts_all_tiles_of_all_folds_and_every_stage(small: Any, image: np.ndarray) -> None:
    seen: list[tuple[str, int, int]] = []
    result = Predictor(small, TORCH).predict(image, SPACING, progress=lambda *event: seen.append(event))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == ["preprocess", "network", "labels"]
    network = [(done, total) for stage, done, total in seen if stage == "network"]
    tiles = network[-1][1]
    # 16 x 46 x 40 voxels without the border, patch 8 x 16 x 16: 3 x 5 x 4 tiles, twice.
    assert tiles == 120
    assert [done for done, _ in network] == list(range(tiles + 1))
    assert set(result.seconds) == {"preprocess", "network", "labels"}


def test_folds_and_their_mean_are_options_that_count(small: Any, image: np.ndarray) -> None:
    def labels(**options: Any) -> np.ndarray:
        return Predictor(small, PredictOptions(device="cpu", backend="torch", **options)).predict(image, SPACING).labels

    both, first, second = labels(), labels(folds=("0",)), labels(folds=("1",))
    assert np.any(both != first)
    assert np.any(both != second)
    softmax = labels(fold_mean="softmax")
    assert 0 < np.mean(softmax != both) < 0.2
    assert np.mean(labels(folds=("0",), fold_mean="softmax") != first) < 1e-2


def test_the_threshold_leaves_less_than_argmax_when_it_is_high(small: Any, image: np.ndarray) -> None:
    options = PredictOptions(device="cpu", backend="torch", rule="threshold", threshold=0.7)
    result = Predictor(small, options).predict(image, SPACING)
    for label in (1, 2):
        assert np.array_equal(result.labels == label, result.probability(label) > 0.7)
    assert (
        0 < np.count_nonzero(result.labels) < np.count_nonzero(Predictor(small, TORCH).predict(image, SPACING).labels)
    )


def test_fast_mode_is_close_to_exact(
    small: Any, image: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path))
    exact = Predictor(small, TORCH).predict(image, FINE)
    backends = ["torch", "openvino"] if importlib.util.find_spec("openvino") else ["torch"]
    if "openvino" not in backends and os.environ.get("CI") == "true":
        pytest.fail("openvino is not installed (hntargetseg[fast])")
    for backend in backends:
        options = PredictOptions(device="cpu", mode="fast", backend=backend)  # type: ignore[arg-type]
        fast = Predictor(small, options).predict(image, FINE)
        assert np.mean(fast.labels != exact.labels) < 0.03
        assert fast.engine != exact.engine


def test_input_that_does_not_fit_the_model_is_refused(small: Any, image: np.ndarray) -> None:
    predictor = Predictor(small, TORCH)
    with pytest.raises(BadInputError, match="1 channels and was given 2"):
        predictor.predict(np.concatenate([image, image]), SPACING)
    with pytest.raises(BadInputError, match="shape"):
        predictor.predict(image[0], SPACING)
    broken = image.copy()
    broken[0, 3, 3, 3] = np.nan
    with pytest.raises(BadInputError, match="NaN"):
        predictor.predict(broken, SPACING)
    with pytest.raises(BadInputError, match="spacing"):
        predictor.predict(image, (1.0, 0.0, 1.0))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_without_a_card_is_a_missing_dependency(small: Any) -> None:
    with pytest.raises(MissingDependencyError, match="cuda"):
        Predictor(small, PredictOptions(device="cuda"))


def test_every_way_of_running_out_of_memory_is_one_error() -> None:
    for error in (MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("std::bad_alloc")):
        with pytest.raises(OutOfMemoryError), memory_errors():
            raise error
    with pytest.raises(RuntimeError, match="size"), memory_errors():
        raise RuntimeError("size mismatch")


def test_the_room_opens_without_loading_torch_or_nnunet() -> None:
    script = (
        "import sys; import HNTargetSegLib.models.predictor, HNTargetSegLib.models.options;"
        "print([name for name in ('torch', 'nnunetv2', 'scipy', 'skimage', 'openvino') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_prediction_does_without_nnunets_readers_and_planners(blob_model: Path, tmp_path: Path) -> None:
    """They cost a process that segments one image most of a second."""
    script = (
        "import sys; import numpy as np; from pathlib import Path;"
        "from HNTargetSegLib.models.predictor import Predictor;"
        "from HNTargetSegLib.models.stored import load_model;"
        "image = np.random.default_rng(0).normal(size=(1, 20, 36, 40));"
        f"Predictor(load_model(Path({str(blob_model / 'blobs')!r}))).predict(image, (2.0, 3.0, 5.0));"
        "print([name for name in ('nnunetv2.imageio', 'batchgenerators.augmentations', 'pandas', 'skimage', 'nibabel')"
        " if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HNTARGETSEG_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
