"""Registration of generated pairs: landmarks, carried masks, seconds; ours beside the challenge organisers' settings.

The phantom's deformation is a composition of closed formulas; it shares no code and no basis with the registration.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import numpy as np
import SimpleITK as sitk
from Testing.benchmarks.setting import SEED, Setting
from Testing.benchmarks.table import Row, at_least, at_most, below_peer

from HNTargetSegLib.metrics.overlap import overlap
from HNTargetSegLib.phantom import PhantomPatient, generate_patient
from HNTargetSegLib.prior.carrying import carry_labels
from HNTargetSegLib.prior.engines import Engine
from HNTargetSegLib.prior.registration import RegisterOptions, Registration, register

_TIMES = 5.0
_MARGIN_DSC = 0.01


@dataclass(frozen=True, eq=False)
class Outcome:
    """One registration of one pair.

    Attributes
    ----------
    errors
        mm, one a landmark that both visits show.
    dsc
        Of the carried pre-RT lesions and where the true deformation takes them.
    seconds
        Without the check of its quality.
    checked
        With it.
    """

    errors: np.ndarray
    dsc: float
    seconds: float = 0.0
    checked: float = 0.0
    registration: Registration | None = None


def run(setting: Setting) -> list[Row]:
    """Measure; the organisers' settings only where itk-elastix is installed."""
    engines = [
        engine for engine in (Engine.RIGID, Engine.DESCRIPTOR, Engine.CONVEXADAM, Engine.ELASTIX) if engine.available
    ]
    if Engine.HNTSMRG.available:
        engines.append(Engine.HNTSMRG)
    found: dict[str, list[Outcome]] = {name: [] for name in ("identity", *engines)}
    for number in range(setting.patients):
        patient = generate_patient(SEED, number)
        truth = _true_mask(patient)
        found["identity"].append(_scored(patient, truth, sitk.Transform(3, sitk.sitkIdentity)))
        for engine in engines:
            found[engine].append(_registered(patient, truth, engine))
        print(
            f"pair {number + 1}: " + "; ".join(_short(name, outcomes[-1]) for name, outcomes in found.items()),
            flush=True,
        )
    return [row for name in found for row in _rows(name, found)]


def _rows(name: str, found: dict[str, list[Outcome]]) -> list[Row]:
    outcomes = found[name]
    title = name.value if isinstance(name, Engine) else name
    errors = np.concatenate([outcome.errors for outcome in outcomes])
    mean, tail = float(errors.mean()), float(np.percentile(errors, 95))
    dsc = float(np.mean([outcome.dsc for outcome in outcomes]))
    if name is not Engine.DESCRIPTOR:
        rows = [
            Row(f"{title}: landmarks, mean", mean, "mm"),
            Row("  95th percentile", tail, "mm"),
            Row("  DSC", dsc, ""),
        ]
        seconds = median(outcome.seconds for outcome in outcomes)
        return rows if name == "identity" else [*rows, Row("  seconds, median", seconds)]
    return [
        at_most(f"{title}: landmarks of {len(outcomes)} pairs, mean", mean, 2.5, "mm"),
        at_most("  95th percentile", tail, 5.0, "mm"),
        *_beside_organisers(dsc, outcomes, found.get(Engine.HNTSMRG)),
        Row("  seconds with the check, median", median(outcome.checked for outcome in outcomes)),
        at_most("  largest folded share", max(_folded(outcome) for outcome in outcomes), 0.0, ""),
        at_most("  good pairs that were flagged", float(sum(not _good(outcome) for outcome in outcomes)), 0.0, ""),
    ]


def _beside_organisers(dsc: float, ours: list[Outcome], theirs: list[Outcome] | None) -> list[Row]:
    seconds = median(outcome.seconds for outcome in ours)
    if not theirs:
        return [Row("  DSC of carried masks", dsc, ""), Row("  seconds, median", seconds)]
    their_dsc = float(np.mean([outcome.dsc for outcome in theirs]))
    goal = at_least("  DSC of carried masks, organisers' less 0.01", dsc, round(their_dsc - _MARGIN_DSC, 4), "")
    return [goal, below_peer("  seconds, median", seconds, median(outcome.seconds for outcome in theirs), _TIMES)]


def _registered(patient: PhantomPatient, truth: np.ndarray, engine: Engine) -> Outcome:
    options = RegisterOptions(engine=engine, inverse=engine is Engine.DESCRIPTOR)
    begin = time.perf_counter()
    found = register(patient.mid.image, patient.pre.image, options)
    checked = time.perf_counter() - begin
    return _scored(patient, truth, found.transform, found.seconds[engine.value], checked, found)


def _scored(
    patient: PhantomPatient,
    truth: np.ndarray,
    transform: sitk.Transform,
    seconds: float = 0.0,
    checked: float = 0.0,
    registration: Registration | None = None,
) -> Outcome:
    both = _shown(patient.mid.image, patient.landmarks_mid) & _shown(patient.pre.image, patient.landmarks_pre)
    moved = np.array([transform.TransformPoint(point) for point in patient.landmarks_mid[both].tolist()])
    errors = np.linalg.norm(moved - patient.landmarks_pre[both], axis=1)
    carried = carry_labels(patient.pre.mask, patient.mid.image.geometry, transform).array
    dsc = overlap(truth > 0, carried > 0, 1.0).dsc
    return Outcome(errors, float("nan") if dsc is None else float(dsc), seconds, checked, registration)


def _shown(image: object, points: np.ndarray) -> np.ndarray:
    """Which points lie in the field of view."""
    geometry = image.geometry  # type: ignore[attr-defined]
    kji = geometry.to_kji(points)
    return ((kji >= 0) & (kji <= np.array(geometry.shape) - 1)).all(axis=1)


def _true_mask(patient: PhantomPatient) -> np.ndarray:
    """Pre-RT lesions where the true deformation puts them on the mid-RT grid, by nearest neighbour."""
    grid, source = patient.mid.image.geometry, patient.pre.mask
    places = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1).reshape(-1, 3))
    kji = np.rint(source.geometry.to_kji(patient.to_pre(places))).astype(int)
    seen = ((kji >= 0) & (kji < source.array.shape)).all(axis=1)
    truth: np.ndarray = np.zeros(len(kji), np.uint8)
    truth[seen] = source.array[tuple(kji[seen].T)]
    return truth.reshape(grid.shape)


def _folded(outcome: Outcome) -> float:
    quality = outcome.registration.quality if outcome.registration else None
    return 1.0 if quality is None or quality.folded is None else quality.folded


def _good(outcome: Outcome) -> bool:
    return outcome.registration is not None and outcome.registration.quality.good


def _short(name: str, outcome: Outcome) -> str:
    title = name.value if isinstance(name, Engine) else name
    figures = f"{outcome.errors.mean():.2f} mm (95 %: {np.percentile(outcome.errors, 95):.2f}), DSC {outcome.dsc:.3f}"
    return f"{title} {figures}, {outcome.seconds:.1f} s"
