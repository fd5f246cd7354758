"""What a request to segment does: on the real pipeline, with devices that run out of memory put in by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, CancelledError, GeometryError, ModelError, OutOfMemoryError
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import Fate
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.stored import StoredModel, load_model
from HNTargetSegLib.pipeline import LoadedModel, segment_visit
from HNTargetSegLib.worker.fallback import Fallback
from HNTargetSegLib.worker.job import KeptPrediction, Segmenter
from HNTargetSegLib.worker.messages import Event, LogEvent, ProgressEvent, SegmentRequest, VisitRequest

Make = Callable[..., Volume]
pytestmark = pytest.mark.usefixtures("one_thread")
Request = Callable[..., SegmentRequest]
CPU = PredictOptions(device="cpu", backend="torch")


class Loads:
    """The real loader, which counts."""

    def __init__(self) -> None:
        self.options: list[PredictOptions] = []

    def __call__(self, stored: StoredModel, options: PredictOptions) -> LoadedModel:
        self.options.append(options)
        return LoadedModel.load(stored, options)


class SmallGpu(Loads):
    """A loader that stands for a machine whose GPU is too small: only on the CPU does the network run."""

    def __init__(self, full_at_load: bool = False, fits_half: bool = False) -> None:
        super().__init__()
        self.full_at_load, self.fits_half = full_at_load, fits_half

    def __call__(self, stored: StoredModel, options: PredictOptions) -> LoadedModel:
        if options.device == "cpu" or (self.fits_half and options.mode == "fast"):
            loaded = super().__call__(stored, replace(options, device="cpu"))
            self.options[-1] = options
            return loaded
        self.options.append(options)
        if self.full_at_load:
            raise RuntimeError("CUDA out of memory. Tried to allocate 9 GiB")
        return LoadedModel(stored, FullPredictor())  # type: ignore[arg-type]


class FullPredictor:
    """A predictor that finds no memory."""

    engine_name = "PyTorch, cuda, float32"
    notes = ()

    def predict(self, *arguments: Any, **options: Any) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.fixture(autouse=True)
def _store(blob_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(blob_model))


@pytest.fixture
def events() -> list[Event]:
    return []


def never() -> bool:
    return False


def test_the_result_is_that_of_the_pipeline(
    tmp_path: Path, blob_model: Path, blob_request: Request, head_with_blobs: Make, events: list[Event]
) -> None:
    result = Segmenter(tmp_path, events.append).segment("job-1", blob_request(), never)
    plain = segment_visit(head_with_blobs(), LoadedModel.load(load_model(blob_model / "blobs"), CPU))
    (outcome,) = result.visits
    assert outcome.lesions.lesions == plain.lesions.lesions
    assert np.array_equal(outcome.lesions.ids.array, plain.lesions.ids.array)
    assert outcome.warnings == plain.warnings
    assert outcome.engine == "PyTorch, cpu, float32"
    assert outcome.model.name == "blobs"
    assert outcome.model.sha256 == load_model(blob_model / "blobs").digest
    assert {"preprocess", "network", "labels", "lesions"} == outcome.seconds.keys()
    assert outcome.probability_files == {}
    stages = [event.stage for event in events if isinstance(event, ProgressEvent)]
    assert list(dict.fromkeys(stages)) == ["load", "preprocess", "network", "labels", "lesions"]


def test_the_model_stays_loaded_while_it_and_its_options_are_the_same(tmp_path: Path, blob_request: Request) -> None:
    load = Loads()
    segmenter = Segmenter(tmp_path, lambda event: None, load)
    for request in (blob_request(), blob_request(), blob_request(predict=replace(CPU, step=0.8)), blob_request()):
        segmenter.segment("job-1", request, never)
    assert [options.step for options in load.options] == [0.5, 0.8, 0.5]


def test_a_model_that_was_replaced_on_disk_is_loaded_anew(
    tmp_path: Path, blob_model: Path, blob_request: Request
) -> None:
    folder = shutil.copytree(blob_model / "blobs", tmp_path / "copy")
    load = Loads()
    segmenter = Segmenter(tmp_path, lambda event: None, load)
    segmenter.segment("job-1", blob_request(model=folder), never)
    card = folder / "card.json"
    card.write_text(card.read_text().replace("Third-party", "Third party"))
    segmenter.segment("job-2", blob_request(model=folder), never)
    assert len(load.options) == 2


def test_cancelling_keeps_the_model(tmp_path: Path, blob_request: Request, head_with_blobs: Make) -> None:
    load = Loads()
    segmenter = Segmenter(tmp_path, lambda event: None, load)
    asked: list[None] = []

    def later() -> bool:
        asked.append(None)
        return len(asked) > 4

    with pytest.raises(CancelledError):
        segmenter.segment("job-1", blob_request(head_with_blobs((80, 60, 30))), later)
    assert len(segmenter.segment("job-2", blob_request(), never).visits[0].lesions) == 2
    assert len(load.options) == 1


def test_a_word_after_the_last_tile_still_cancels(tmp_path: Path, blob_request: Request, events: list[Event]) -> None:
    def in_the_end() -> bool:
        return any(isinstance(event, ProgressEvent) and event.stage == "lesions" for event in events)

    with pytest.raises(CancelledError):
        Segmenter(tmp_path, events.append).segment("job-1", blob_request(), in_the_end)


def test_a_cancelled_job_loads_no_model(tmp_path: Path, blob_request: Request) -> None:
    load = Loads()
    with pytest.raises(CancelledError):
        Segmenter(tmp_path, lambda event: None, load).segment("job-1", blob_request(), lambda: True)
    assert load.options == []


def test_kept_probabilities_are_those_behind_the_labels_in_any_orientation(
    tmp_path: Path, blob_request: Request, head_with_blobs: Make
) -> None:
    import SimpleITK as sitk

    image = head_with_blobs((39, 36, 21), (2.8, 3.1, 3.9))
    turned = Volume.from_sitk(sitk.DICOMOrient(image.to_sitk(), "PIR"))
    segmenter = Segmenter(tmp_path, lambda event: None)
    (outcome,) = segmenter.segment("job-1", blob_request(turned, keep_probability=True), never).visits
    arrays = {label: outcome.probability(label) for label in Target}
    for lesion in outcome.lesions:
        probability = arrays[lesion.label]
        assert probability.dtype == np.float16
        assert probability.shape == turned.array.shape
        inside = probability[lesion.slices][outcome.lesions.mask(lesion)].astype(float)
        assert inside.mean() == pytest.approx(lesion.p_mean, abs=1e-3)
        assert inside.max() == pytest.approx(lesion.p_max, abs=1e-3)


def test_lesions_are_matched_to_the_prior_with_its_native_volumes(
    tmp_path: Path, blob_request: Request, head_with_blobs: Make
) -> None:
    image = head_with_blobs()
    array = np.where(image.array > 800, 1, 0).astype(np.uint8)
    array[1:3, 1:4, 1:4] = 2
    prior = image.with_array(array, "registered prior")
    segmenter = Segmenter(tmp_path, lambda event: None)
    for given in (prior, find_lesions(prior)):
        request = blob_request(visit={"prior": given, "native_cc": {1: 10.0}})
        (outcome,) = segmenter.segment("job-1", request, never).visits
        by_name = {lesion.name: lesion for lesion in outcome.lesions}
        assert by_name["GTVp"].fate is Fate.SHRUNK
        assert by_name["GTVp"].prior_cc == 10.0
        assert by_name["GTVn1"].fate is Fate.VANISHED
        assert by_name["GTVn2"].fate is Fate.NEW


def test_a_prior_on_another_grid_is_refused_before_a_model_is_loaded(
    tmp_path: Path, blob_request: Request, head_with_blobs: Make
) -> None:
    image = head_with_blobs()
    prior = Volume(np.zeros((4, 5, 6), np.uint8), Geometry((6, 5, 4)), "prior.nii")
    load = Loads()
    with pytest.raises(GeometryError, match=r"prior\.nii"):
        Segmenter(tmp_path, lambda e: None, load).segment("j", blob_request(image, visit={"prior": prior}), never)
    assert load.options == []


def test_an_unknown_model_is_bad_input_that_names_the_others(tmp_path: Path, blob_request: Request) -> None:
    with pytest.raises(ModelError, match=r"no model 'blob'.*Did you mean 'blobs'"):
        Segmenter(tmp_path, lambda event: None).segment("job-1", blob_request(model="blob"), never)
    with pytest.raises(ModelError, match="missing"):
        Segmenter(tmp_path, lambda event: None).segment("job-1", blob_request(model=tmp_path / "none"), never)


def test_a_changed_model_is_refused(tmp_path: Path, blob_model: Path, blob_request: Request) -> None:
    folder = shutil.copytree(blob_model / "blobs", tmp_path / "copy")
    with (folder / "dataset.json").open("a") as stream:
        stream.write(" ")
    with pytest.raises(ModelError, match=r"dataset\.json"):
        Segmenter(tmp_path, lambda event: None).segment("job-1", blob_request(model=folder), never)


@pytest.mark.parametrize("full_at_load", [False, True])
def test_a_full_gpu_tries_half_precision_then_the_cpu_and_says_both(
    tmp_path: Path, blob_request: Request, events: list[Event], full_at_load: bool
) -> None:
    load = SmallGpu(full_at_load)
    request = blob_request(predict=replace(CPU, device="cuda", step=0.7))
    (outcome,) = Segmenter(tmp_path, events.append, load).segment("job-1", request, never).visits
    tried = [(options.device, options.mode, options.step) for options in load.options]
    assert tried == [("cuda", "exact", 0.7), ("cuda", "fast", 0.7), ("cpu", "exact", 0.7)]
    said = [event for event in events if isinstance(event, LogEvent)]
    assert [event.level for event in said] == ["warning", "warning"]
    assert "half precision" in said[0].message
    assert "CPU" in said[1].message
    assert outcome.warnings[-2:] == tuple(event.message for event in said)
    assert outcome.predict == replace(request.predict, device="cpu")
    assert outcome.engine == "PyTorch, cpu, float32"
    assert [lesion.name for lesion in outcome.lesions] == ["GTVp", "GTVn1"]


def test_half_precision_that_fits_is_kept_and_said(tmp_path: Path, blob_request: Request, events: list[Event]) -> None:
    load = SmallGpu(fits_half=True)
    request = blob_request(predict=replace(CPU, device="cuda"))
    (outcome,) = Segmenter(tmp_path, events.append, load).segment("job-1", request, never).visits
    assert [options.mode for options in load.options] == ["exact", "fast"]
    assert outcome.predict.mode == "fast"
    assert any("half precision" in warning for warning in outcome.warnings)
    assert [lesion.name for lesion in outcome.lesions] == ["GTVp", "GTVn1"]


def test_the_second_visit_begins_where_the_first_found_memory_and_both_are_marked(
    tmp_path: Path, head_with_blobs: Make
) -> None:
    load = SmallGpu()
    image = head_with_blobs()
    visits = (VisitRequest("pre", image), VisitRequest("mid", image))
    request = SegmentRequest(visits, model="blobs", predict=replace(CPU, device="cuda"))
    pre, mid = Segmenter(tmp_path, lambda event: None, load).segment("job-1", request, never).visits
    assert len(load.options) == 3
    assert pre.warnings == mid.warnings
    assert (pre.visit, mid.visit) == ("pre", "mid")


def test_a_visit_that_had_memory_enough_is_not_marked(tmp_path: Path, head_with_blobs: Make) -> None:
    class SecondIsTooMuch(SmallGpu):
        def __call__(self, stored: StoredModel, options: PredictOptions) -> LoadedModel:
            if options.device == "cpu" or options.mode == "fast":
                return super().__call__(stored, options)
            loaded = LoadedModel.load(stored, replace(options, device="cpu"))
            return LoadedModel(stored, FullAfterOne(loaded.predictor))  # type: ignore[arg-type]

    class FullAfterOne(KeptPrediction):
        def predict(self, *arguments: Any, **options: Any) -> Any:
            if self.last is not None:
                raise RuntimeError("CUDA out of memory")
            return super().predict(*arguments, **options)

    image = head_with_blobs()
    visits = (VisitRequest("pre", image), VisitRequest("mid", image))
    request = SegmentRequest(visits, model="blobs", predict=replace(CPU, device="cuda"))
    segmenter = Segmenter(tmp_path, lambda event: None, SecondIsTooMuch())
    pre, mid = segmenter.segment("job-1", request, never).visits
    assert not any("memory" in warning for warning in pre.warnings)
    assert sum("memory" in warning for warning in mid.warnings) == 2
    assert (pre.predict.device, mid.predict.device) == ("cuda", "cpu")


def test_what_filled_the_memory_is_let_go_before_the_next_try() -> None:
    import weakref

    class Tensor:
        pass

    held: list[weakref.ref[Tensor]] = []

    def work(options: PredictOptions) -> str:
        assert all(reference() is None for reference in held)
        if options.device == "cpu":
            return "done"
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        raise OutOfMemoryError("Full")

    assert Fallback(PredictOptions(device="cuda"), lambda text: None).run(work) == "done"
    assert len(held) == 2


def test_a_later_job_tries_the_gpu_again(tmp_path: Path, blob_request: Request) -> None:
    load = SmallGpu(fits_half=True)
    segmenter = Segmenter(tmp_path, lambda event: None, load)
    for job in ("job-1", "job-2"):
        segmenter.segment(job, blob_request(predict=replace(CPU, device="cuda")), never)
    assert [options.mode for options in load.options] == ["exact", "fast", "exact", "fast"]


def test_a_cpu_without_memory_has_no_second_try() -> None:
    tried: list[PredictOptions] = []

    def work(options: PredictOptions) -> None:
        tried.append(options)
        raise MemoryError

    with pytest.raises(OutOfMemoryError, match="smaller model"):
        Fallback(PredictOptions(device="cpu"), lambda text: None).run(work)
    assert len(tried) == 1


def test_other_errors_are_not_tried_again() -> None:
    tried: list[PredictOptions] = []

    def work(options: PredictOptions) -> None:
        tried.append(options)
        raise BadInputError("It is empty")

    with pytest.raises(BadInputError):
        Fallback(PredictOptions(device="cuda"), lambda text: None).run(work)
    assert len(tried) == 1
