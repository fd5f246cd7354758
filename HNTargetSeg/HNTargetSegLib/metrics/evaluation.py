"""An evaluation: one or more models' masks against the reference, over a cohort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from HNTargetSegLib.case.read import read_mask, resample_nearest
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.metrics.case import LabelFigures, Rules, evaluate_case
from HNTargetSegLib.metrics.case_files import CaseFiles
from HNTargetSegLib.metrics.cohort import Cohort, summarise
from HNTargetSegLib.metrics.paired import PairedTest, PooledDifference, paired_tests, pooled_differences


@dataclass(frozen=True)
class Sampling:
    """The bootstrap: how many times the patients are drawn, and the seed of its random numbers."""

    draws: int = 2000
    seed: int = 0


@dataclass(frozen=True)
class Evaluation:
    """Everything that was found.

    Attributes
    ----------
    files
        The cases, in order.
    figures
        Each label of each case, by model.
    cohorts
        By model.
    tests, differences
        Between each pair of models; empty with one model.
    resampled
        A sentence for each prediction that was brought onto its reference's grid.
    """

    rules: Rules
    sampling: Sampling
    files: tuple[CaseFiles, ...]
    figures: Mapping[str, tuple[LabelFigures, ...]]
    cohorts: Mapping[str, Cohort]
    tests: tuple[PairedTest, ...]
    differences: tuple[PooledDifference, ...]
    resampled: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """Names, in the order given."""
        return tuple(self.figures)


def evaluate_files(
    files: Sequence[CaseFiles],
    rules: Rules,
    sampling: Sampling,
    *,
    resample: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Compare all masks.

    Parameters
    ----------
    files
        At least one case; all with the same models.
    resample
        Bring a prediction on another grid onto its reference's by nearest neighbour.
    progress
        Called with cases done and their number.

    Raises
    ------
    BadInputError
        If a mask cannot be read or holds other labels.
    GeometryError
        If a prediction lies on another grid and ``resample`` is off; the message names both.
    """
    figures, resampled = _figures(files, rules, resample, progress)
    draws, seed = sampling.draws, sampling.seed
    several = len(figures) > 1
    return Evaluation(
        rules=rules,
        sampling=sampling,
        files=tuple(files),
        figures=figures,
        cohorts={name: summarise(own, rules, draws, seed) for name, own in figures.items()},
        tests=paired_tests(figures) if several else (),
        differences=pooled_differences(figures, draws, seed, rules.pooled) if several else (),
        resampled=tuple(resampled),
    )


def _figures(
    files: Sequence[CaseFiles], rules: Rules, resample: bool, progress: Callable[[int, int], None]
) -> tuple[dict[str, tuple[LabelFigures, ...]], list[str]]:
    """Figures of all cases by model, and a sentence for each mask that was resampled."""
    figures: dict[str, tuple[LabelFigures, ...]] = dict.fromkeys(files[0].predictions, ())
    resampled = []
    for number, case in enumerate(files):
        progress(number, len(files))
        reference = read_mask(case.reference)
        for name, path in case.predictions.items():
            prediction, moved = read_prediction(path, reference, resample=resample)
            if moved:
                resampled.append(f"{path}: brought onto the grid of {case.reference} by nearest neighbour")
            figures[name] += evaluate_case(case.case, reference, prediction, rules)
    progress(len(files), len(files))
    return figures, resampled


def read_prediction(path: Path, reference: Volume, *, resample: bool) -> tuple[Volume, bool]:
    """A predicted mask on the reference's grid, and whether it had to be brought there.

    Raises
    ------
    BadInputError, GeometryError
        As :func:`evaluate_files`.
    """
    mask = read_mask(path)
    if mask.geometry.matches(reference.geometry):
        return Volume(mask.array, reference.geometry, mask.name), False
    if not resample:
        raise GeometryError(
            f"The grid differs from that of {reference.name}: {mask.geometry} against {reference.geometry}",
            path=path,
            remedy="Give both on one grid, or bring the prediction onto the reference's with --resample nearest",
        )
    return resample_nearest(mask, reference.geometry), True
