"""A reviewer's box: from the request to the worker's reply, beside predicting the whole volume again."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
from Testing.benchmarks.balls import GEOMETRY, balls
from Testing.benchmarks.random_model import store_random_model
from Testing.benchmarks.scene_speed import opened, proposed
from Testing.benchmarks.setting import SEED, Setting
from Testing.benchmarks.table import Row, at_most, below_peer
from Testing.slicerhost.core import start_core

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.models.options import Mode, PredictOptions
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import export_to_nnunet
from HNTargetSegLib.models.stored import StoredModel
from HNTargetSegLib.phantom import PhantomOptions, generate_patient
from HNTargetSegLib.prompts.answer import Answer, found_in
from HNTargetSegLib.prompts.extent import extent_of
from HNTargetSegLib.prompts.prompt import Kind, Prompt
from HNTargetSegLib.review.prompted import with_prompt
from HNTargetSegLib.worker.client import WorkerClient
from HNTargetSegLib.worker.messages import ErrorEvent, ResultEvent, SegmentRequest, VisitRequest
from HNTargetSegLib.worker.prompt_messages import PromptOutcome, PromptRequest

_PROMPTS = 20
_LIMIT = 1.2


def run(setting: Setting) -> list[Row]:
    """Measure the demonstration model, and a random network of its shape that reads boxes."""
    patient = generate_patient(SEED, 0, PhantomOptions(size=setting.size, spacing=(1.0, 1.0, 3.0)))
    image, lesions = patient.mid.image, patient.mid.lesions.array
    boxes = _boxes(image, lesions)
    rows, ours = [], {}
    for mode in ("exact", "fast"):
        asker = _Asker(setting.model, image, mode)
        asker.ask(boxes[0])
        alone = [asker.ask(box) for box in boxes]
        again = [asker.segment() for _ in range(setting.repeats)]
        after = [asker.ask(box) for box in boxes]
        asker.close()
        ours[mode] = median(alone)
        rows += [
            _limited(f"box without an automatic pass, {mode}", alone),
            _limited(f"box after an automatic pass, {mode}", after),
            below_peer(f"box without a pass, against our whole run again, {mode}", ours[mode], median(again)),
        ]
    rows += [*_guided(setting, image, boxes), *_scene(setting)]
    whole = _nnunet(setting, image)
    for mode, seconds in ours.items():
        rows.append(below_peer(f"box without a pass, against nnU-Net's whole volume again, {mode}", seconds, whole))
    return rows


def _guided(setting: Setting, image: Volume, boxes: Sequence[Prompt]) -> list[Row]:
    """A network of the same shape with a channel for the gradient map of the box; it has learnt nothing."""
    plans, dataset = json.loads(json.dumps((setting.model.plans, setting.model.dataset)))
    configuration = plans["configurations"][setting.model.configuration]
    configuration["normalization_schemes"] = ["ZScoreNormalization", "NoNormalization"]
    configuration["use_mask_for_norm"] = [False, False]
    dataset["channel_names"] = {"0": "T2", "1": "noNorm"}
    model = store_random_model(plans, dataset, setting.folder / "guided", Recipe.T2_GRADIENT)
    rows = []
    for mode in ("exact", "fast"):
        asker = _Asker(model, image, mode)
        asker.ask(boxes[0])
        rows.append(_limited(f"box as a channel of two, {mode}", [asker.ask(box) for box in boxes]))
        asker.close()
    return rows


def _scene(setting: Setting) -> list[Row]:
    """From the reply to voxels and segments, on 512 x 512 x 120 voxels with 10 lesions; without any view."""
    temporary = setting.folder / "slicer-prompts"
    temporary.mkdir(exist_ok=True)
    core = start_core(temporary)
    image = Volume(np.random.default_rng(0).normal(300, 60, GEOMETRY.shape).astype(np.float32), GEOMETRY)
    session, review, _ = opened(core, image)
    proposed(session, find_lesions(image.with_array(balls(10))))
    seconds = []
    for number in range(10):
        place = tuple(slice(first + 3 * number, first + 3 * number + 9) for first in (40, 120, 62))
        outcome = _found(place, image)  # type: ignore[arg-type]
        begin = time.perf_counter()
        changed, ids = with_prompt(session.visits[Visit.MID], outcome, midline_mm=0.0)
        session.take_prompted(Visit.MID, changed, ids)
        seconds.append(time.perf_counter() - begin)
    review.dispose()
    return [Row("from the reply to the segments, 512x512x120", 1000 * median(seconds), "ms")]


def _found(place: tuple[slice, slice, slice], image: Volume) -> PromptOutcome:
    prompt = Prompt.of_slices(Kind.LN, place, image.geometry)
    extent = extent_of(prompt, image.geometry)
    targets = np.zeros((2, *image.array.shape), np.float32)
    targets[(1, *place)] = 0.9
    labels, both = found_in(prompt, extent, targets[(slice(None), *extent.reach)], 0.5)
    answer = Answer(prompt, extent, labels, both.astype(np.float16))
    return PromptOutcome("mid", answer, "", PredictOptions(), ModelRecord("none", "1", "0" * 64))


class _Asker:
    """A worker process of its own, asked as the faces ask it."""

    def __init__(self, model: StoredModel, image: Volume, mode: Mode) -> None:
        self._client = WorkerClient()
        self._model, self._image = model.folder, image
        self._predict = PredictOptions(device="cpu", mode=mode)

    def ask(self, prompt: Prompt) -> float:
        """Seconds from the request to the reply."""
        request = PromptRequest("mid", self._image, prompt, model=self._model, predict=self._predict)
        begin = time.perf_counter()
        return self._wait(self._client.prompt(request), begin)

    def segment(self) -> float:
        """Seconds of a whole run."""
        request = SegmentRequest((VisitRequest("mid", self._image),), self._model, self._predict)
        begin = time.perf_counter()
        return self._wait(self._client.segment(request), begin)

    def close(self) -> None:
        self._client.close()

    def _wait(self, job: str, begin: float) -> float:
        while True:
            for event in self._client.poll():
                if isinstance(event, ErrorEvent):
                    raise RuntimeError(str(event))
                if isinstance(event, ResultEvent) and event.job == job:
                    return time.perf_counter() - begin
            time.sleep(0.001)


def _boxes(image: Volume, lesions: np.ndarray) -> list[Prompt]:
    """Boxes round the true lesions, each with another slack, until there are twenty."""
    rng = np.random.default_rng(SEED)
    kinds, found = (Kind.PT, Kind.LN), []
    numbers = [int(n) for n in np.unique(lesions) if n]
    for turn in range(_PROMPTS):
        inside = np.argwhere(lesions == numbers[turn % len(numbers)])
        low = inside.min(axis=0) - rng.integers(0, 4, 3)
        high = inside.max(axis=0) + 1 + rng.integers(0, 4, 3)
        k, j, i = (slice(max(int(a), 0), int(b)) for a, b in zip(low, high, strict=True))
        found.append(Prompt.of_slices(kinds[turn % 2], (k, j, i), image.geometry))
    return found


def _nnunet(setting: Setting, image: Volume) -> float:
    """Seconds of nnU-Net's own predictor, loaded and warm, over the whole volume from array to labels."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    folder = setting.folder / "prompt-peer"
    if not folder.is_dir():
        export_to_nnunet(setting.model, folder)
    predictor = nnUNetPredictor(
        use_mirroring=False, perform_everything_on_device=False, device=torch.device("cpu"), allow_tqdm=False
    )
    predictor.initialize_from_trained_model_folder(str(folder), setting.model.folds, "checkpoint_final.pth")
    properties: dict[str, Any] = {"spacing": list(image.geometry.spacing_kji)}
    times = []
    for _ in range(setting.peer_repeats):
        begin = time.perf_counter()
        predictor.predict_single_npy_array(image.array[None].astype(np.float32), properties)
        times.append(time.perf_counter() - begin)
    return median(times)


def _limited(name: str, seconds: Sequence[float]) -> Row:
    return at_most(f"{name} (median of {len(seconds)})", median(seconds), _LIMIT, "s")
