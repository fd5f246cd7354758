"""What fast mode changes: its labels beside those of exact mode and the truth, on patients no model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from Testing.benchmarks.setting import SEED

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.overlap import Overlap, dsc_agg, overlap
from HNTargetSegLib.models.card import write_card
from HNTargetSegLib.models.stored import StoredModel, changed_files, load_model
from HNTargetSegLib.phantom import PhantomVisit, generate_patient
from HNTargetSegLib.pipeline import LoadedModel, segment_visit


@dataclass(frozen=True)
class LabelFigures:
    """One label over all images; a figure that is undefined is None.

    Attributes
    ----------
    name
        Of the label.
    to_exact
        Fast mode against exact mode, an image each.
    fast_to_truth, exact_to_truth
        Each mode against the truth, an image each.
    """

    name: str
    to_exact: tuple[Overlap, ...]
    fast_to_truth: tuple[Overlap, ...]
    exact_to_truth: tuple[Overlap, ...]

    @property
    def to_exact_mean(self) -> float | None:
        """Mean DSC over the images in which either mode found the label."""
        return _mean([entry.dsc for entry in self.to_exact])

    @property
    def to_exact_pooled(self) -> float | None:
        """DSC of the summed volumes."""
        return dsc_agg(self.to_exact)

    @property
    def change_of_mean(self) -> float | None:
        """Absolute change of the mean DSC to the truth, over the images that have the label."""
        return _change(_truth_mean(self.fast_to_truth), _truth_mean(self.exact_to_truth))

    @property
    def change_of_pooled(self) -> float | None:
        """Absolute change of DSCagg."""
        return _change(dsc_agg(self.fast_to_truth), dsc_agg(self.exact_to_truth))

    def to_dict(self) -> dict[str, float | None]:
        """JSON form."""
        each = [entry.dsc for entry in self.to_exact if entry.dsc is not None]
        figures = {
            "dsc_to_exact_mean": self.to_exact_mean,
            "dsc_to_exact_pooled": self.to_exact_pooled,
            "dsc_to_exact_lowest": min(each) if each else None,
            "dsc_mean_exact": _truth_mean(self.exact_to_truth),
            "dsc_mean_fast": _truth_mean(self.fast_to_truth),
            "dsc_agg_exact": dsc_agg(self.exact_to_truth),
            "dsc_agg_fast": dsc_agg(self.fast_to_truth),
        }
        return {name: None if value is None else round(value, 5) for name, value in figures.items()}


@dataclass(frozen=True)
class Agreement:
    """Fast beside exact mode on generated patients."""

    patients: int
    fast_engine: str
    exact_engine: str
    labels: tuple[LabelFigures, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON form, for the section ``evaluation`` of a card."""
        return {
            "data": f"{self.patients} generated patients, style a, seed {SEED}, both visits of each "
            f"({2 * self.patients} images), never trained on",
            "fast": self.fast_engine,
            "exact": self.exact_engine,
            **{figures.name: figures.to_dict() for figures in self.labels},
        }


def compare_modes(exact: LoadedModel, fast: LoadedModel, patients: int) -> Agreement:
    """Segment both visits of generated patients in both modes."""
    entries: dict[Target, list[tuple[Overlap, Overlap, Overlap]]] = {label: [] for label in Target}
    for number in range(patients):
        patient = generate_patient(SEED, number)
        for visit in (patient.pre, patient.mid):
            for label, overlaps in _one_image(visit, exact, fast).items():
                entries[label].append(overlaps)
    figures = (
        LabelFigures(label.structure_name, *(tuple(column) for column in zip(*found, strict=True)))
        for label, found in entries.items()
    )
    return Agreement(patients, fast.predictor.engine_name, exact.predictor.engine_name, tuple(figures))


def write_into_card(model: StoredModel, snippet: dict[str, Any]) -> None:
    """Put the comparison into the section ``evaluation`` of the model's card; the model must be as it was stored."""
    card = replace(model.card, evaluation={**model.card.evaluation, "fast_mode": snippet})
    write_card(model.folder, card)
    changed = changed_files(load_model(model.folder))
    if changed:
        raise RuntimeError(f"The model is not as its card says: {'; '.join(changed)}")


def _one_image(
    visit: PhantomVisit, exact: LoadedModel, fast: LoadedModel
) -> dict[Target, tuple[Overlap, Overlap, Overlap]]:
    truth, voxel_cc = visit.mask.array, visit.image.geometry.voxel_cc
    fast_labels, exact_labels = (segment_visit(visit.image, model).lesions.label_map().array for model in (fast, exact))
    pairs = ((exact_labels, fast_labels), (truth, fast_labels), (truth, exact_labels))
    return {
        label: tuple(overlap(reference == label, found == label, voxel_cc) for reference, found in pairs)  # type: ignore[misc]
        for label in Target
    }


def _truth_mean(entries: Sequence[Overlap]) -> float | None:
    return _mean([entry.dsc for entry in entries if entry.reference_cc > 0])


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def _change(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else abs(first - second)
