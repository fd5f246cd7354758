"""The flag of a registration on pairs that it was not set on: of one patient, of two, turned, and half as long.

Each good pair that is flagged costs a reviewer a look; each wrong one that is not may cost a target.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from Testing.benchmarks.setting import Setting
from Testing.benchmarks.table import Row, at_most

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.phantom import generate_patient
from HNTargetSegLib.phantom.deformation import rotation_matrix
from HNTargetSegLib.prior.quality import Quality
from HNTargetSegLib.prior.registration import register

_SEED = 52417
_TURNED = 3
"""Patients of which the turned and the halved image are registered as well."""


def run(setting: Setting) -> list[Row]:
    """Register each patient with itself and with the one before."""
    found: dict[str, list[Quality]] = {"one patient": [], "two patients": [], "turned by 90 degrees": [], "half": []}
    before: Volume | None = None
    for number in range(setting.patients):
        patient = generate_patient(_SEED, number)
        mid, pre = patient.mid.image, patient.pre.image
        _add(found, "one patient", mid, pre)
        if before is not None:
            _add(found, "two patients", mid, before)
        if number < _TURNED:
            _add(found, "turned by 90 degrees", mid, _turned(pre, number))
            _add(found, "half", mid, _lower_half(pre))
        before = pre
    good = found.pop("one patient")
    rows = [at_most(f"pairs of one patient ({len(good)}) that are flagged", _count(good, flagged=True), 0.0, "")]
    for name, outcomes in found.items():
        if outcomes:
            passed = _count(outcomes, flagged=False)
            rows.append(at_most(f"  {name} ({len(outcomes)}): not flagged", passed, 0.0, ""))
    return rows


def _add(found: dict[str, list[Quality]], name: str, fixed: Volume, moving: Volume) -> None:
    quality = register(fixed, moving).quality
    found[name].append(quality)
    figures = f"doubt {quality.doubt or 0.0:.3f}, agreement {quality.agreement or 0.0:.3f}"
    print(f"{name}: {figures}, {'good' if quality.good else 'flagged'}", flush=True)


def _count(outcomes: list[Quality], *, flagged: bool) -> float:
    return float(sum(quality.good is not flagged for quality in outcomes))


def _turned(image: Volume, axis: int) -> Volume:
    """The image about its middle, turned in space; no voxel changes."""
    angles = [0.0, 0.0, 0.0]
    angles[axis] = float(np.pi / 2)
    turn, grid = rotation_matrix((angles[0], angles[1], angles[2])), image.geometry
    middle = grid.to_lps((np.array(grid.shape) - 1) / 2)
    x, y, z = (turn @ (np.array(grid.origin) - middle) + middle).tolist()
    axes = tuple((turn @ grid.axes).ravel().tolist())
    return Volume(image.array, Geometry(grid.size, grid.spacing, (x, y, z), axes), "turned")


def _lower_half(image: Volume) -> Volume:
    slices = image.array.shape[0] // 2
    return Volume(image.array[:slices], replace(image.geometry, size=(*image.geometry.size[:2], slices)), "half")
