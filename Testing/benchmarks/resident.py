"""Ours, warm: a loaded model in this process, and the same functions that `hntargetseg segment` calls."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from Testing.benchmarks.peer import Timing

from HNTargetSegLib.case.orientation import to_axial
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.segment import input_records, read_images, segment_images, write_results
from HNTargetSegLib.export.format import SEGMENTATION
from HNTargetSegLib.models.options import Mode, PredictOptions
from HNTargetSegLib.models.stored import StoredModel
from HNTargetSegLib.pipeline import LoadedModel, SegmentOptions, channels


class Resident:
    """A loaded model with the command line's defaults: no mirroring."""

    def __init__(self, model: StoredModel, mode: Mode) -> None:
        self.model = LoadedModel.load(model, PredictOptions(device="cpu", mode=mode))

    def labels_only(self, image: Path, output: Path) -> Timing:
        """From the image file to the label file: what nnU-Net's command does."""
        begin = time.perf_counter()
        volume = read_volume(image)
        axial, turn = to_axial(volume)
        prediction = self.model.predictor.predict(channels(self.model.stored.card.recipe, axial), axial.spacing)
        labels = volume.with_array(np.ascontiguousarray(turn.back(prediction.labels)))
        write_volume(labels, output / SEGMENTATION)
        return Timing(time.perf_counter() - begin, prediction.seconds["network"])

    def everything(self, image: Path, output: Path) -> Timing:
        """All that `segment` does for a visit: lesions, table, manifest with hashes and picture as well."""
        begin = time.perf_counter()
        visits, wanted = {"mid": image}, SegmentOptions()
        images, inputs = read_images(visits), input_records(visits)
        results = segment_images(images, self.model, wanted, quiet=True)
        write_results(results, inputs, output, self.model, wanted)
        return Timing(time.perf_counter() - begin, results["mid"].result.seconds["network"])
