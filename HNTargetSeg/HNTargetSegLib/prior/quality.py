"""How good a registration is, in figures, and whether it may be used without a second look."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.metrics.overlap import overlap
from HNTargetSegLib.prior.agreement import local_correlation
from HNTargetSegLib.prior.body import body_mask
from HNTargetSegLib.prior.carrying import carry_labels, jacobian_determinant
from HNTargetSegLib.prior.grids import even_grid, inside, resampled, smoothed

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPACING_MM = 3.0


@dataclass(frozen=True)
class Limits:
    """What a registration must keep to be held for good: a reconstruction, set on generated patients.

    Each limit flags a registration by itself. On generated pairs that were not used to set them, none of 21 of one
    patient was flagged and each of 20 of two patients was; ``python -m Testing.benchmarks flag`` measures it anew.

    Attributes
    ----------
    covered
        Least share of the fixed body that the moving field of view reaches.
    body_dsc
        Least overlap of the bodies where both were imaged.
    difference
        Largest mean squared difference of the descriptors in the body.
    inverse_mm
        Largest mean distance after going over and coming back by a registration of its own.
    folded
        Largest share of the body with a Jacobian determinant of 0 or below.
    turn_degrees
        Largest rotation as a whole: patients are imaged in nearly one position.
    doubt
        Largest :attr:`Quality.doubt` between two visits of one patient that were imaged in one contrast.
    doubt_contrast
        The same where the contrasts differ, as with fat saturation at one visit only: the images then look more
        different and meet less well, also where they are of one patient.
    alike
        Least :attr:`Quality.agreement` of images in one contrast.
    usual
        Difference, inverse consistency in mm and stretch at which the doubt is 1.
    """

    covered: float = 0.7
    body_dsc: float = 0.9
    difference: float = 0.115
    inverse_mm: float = 3.0
    folded: float = 0.001
    turn_degrees: float = 30.0
    doubt: float = 0.9
    doubt_contrast: float = 1.25
    alike: float = 0.33
    usual: tuple[float, float, float] = (0.063, 1.0, 0.065)


@dataclass(frozen=True)
class Quality:
    """Figures of one registration; those that could not be measured are None.

    Attributes
    ----------
    covered
        Share of the fixed body that the moving field of view reaches.
    body_dsc_before, body_dsc_after
        Overlap of the bodies where both were imaged, with the positions in the files and after registration.
    difference_before, difference_after
        Mean squared difference of the self-similarity descriptors there, 0 for equal images.
    folded
        Share of the fixed body with a Jacobian determinant of 0 or below.
    jacobian_low, jacobian_high
        Its 1st and 99th percentile.
    stretch
        Standard deviation in the body of its logarithm; 0 where nothing is stretched or squeezed.
    inverse_mm, inverse_p95_mm
        Mean and 95th percentile in the body of the distance from the start after going to the moving visit with this
        registration and back with one that was made, coarsely, the other way round.
    turn_degrees
        Rotation of the body as a whole.
    doubt
        Whether the images show one patient at all: the geometric mean of difference, inverse consistency and stretch,
        each as a share of what is usual. A deformable registration fits another patient's neck nearly as well, but
        only by stretching it and not in the same way back. Less certain where one of them is unknown.
    agreement
        Mean local correlation of the registered images in the body: whether they show one contrast.
    masks_before, masks_after
        DSC of each target where both visits have a mask; None where neither has it.
    problems
        A sentence for each limit that is broken; empty for a good registration.
    """

    covered: float
    body_dsc_before: float | None
    body_dsc_after: float | None
    difference_before: float | None
    difference_after: float | None
    folded: float | None
    jacobian_low: float | None
    jacobian_high: float | None
    stretch: float | None
    turn_degrees: float
    inverse_mm: float | None = None
    inverse_p95_mm: float | None = None
    doubt: float | None = None
    agreement: float | None = None
    masks_before: Mapping[str, float | None] | None = None
    masks_after: Mapping[str, float | None] | None = None
    problems: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether no limit is broken."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with the flag ``quality``: ``good`` or ``poor``."""
        return {"quality": "good" if self.good else "poor", **asdict(self), "problems": list(self.problems)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Quality:
        """The figures that :meth:`to_dict` gave.

        Raises
        ------
        TypeError, KeyError
            If they are none.
        """
        known = {name: content[name] for name in cls.__dataclass_fields__}
        return cls(**{**known, "problems": tuple(content["problems"])})


def measure_quality(
    fixed: Volume,
    moving: Volume,
    transform: sitk.Transform,
    *,
    back: sitk.Transform | None = None,
    masks: tuple[Volume, Volume] | None = None,
    limits: Limits | None = None,
) -> Quality:
    """Figures and flag of a registration.

    Parameters
    ----------
    fixed, moving
        T2-weighted MR of two visits.
    transform
        From points of ``fixed`` to the same tissue in ``moving``.
    back
        A registration from ``moving`` to ``fixed``, made by itself.
    masks
        Delineations of the fixed and of the moving visit.
    limits
        When to flag.
    """
    limits = limits or Limits()
    grid = even_grid(fixed.geometry, _SPACING_MM)
    body = body_mask(fixed, grid)
    # Measured on its own grid and carried over: a body cut off by the field of view has no border there.
    own = even_grid(moving.geometry, _SPACING_MM)
    other = Volume(body_mask(moving, own).astype(np.uint8), own)
    identity = sitk.Transform(3, sitk.sitkIdentity)
    before = _meeting(fixed, moving, other, grid, body, identity)
    after = _meeting(fixed, moving, other, grid, body, transform)
    seen = resampled(inside(moving.geometry), grid, transform) > 0.5
    jacobian = jacobian_determinant(grid, transform)[body & seen]
    inverse = _inverse(grid, body & seen, transform, back)
    figures = Quality(
        covered=float(seen[body].mean()) if body.any() else 0.0,
        body_dsc_before=before[0],
        body_dsc_after=after[0],
        difference_before=before[1],
        difference_after=after[1],
        folded=float((jacobian <= 0).mean()) if jacobian.size else None,
        jacobian_low=float(np.percentile(jacobian, 1)) if jacobian.size else None,
        jacobian_high=float(np.percentile(jacobian, 99)) if jacobian.size else None,
        stretch=float(np.log(np.clip(jacobian, 0.05, None)).std()) if jacobian.size else None,
        turn_degrees=_turn(grid, transform),
        inverse_mm=None if inverse is None else float(inverse.mean()),
        inverse_p95_mm=None if inverse is None else float(np.percentile(inverse, 95)),
        agreement=after[2],
        masks_before=None if masks is None else _mask_overlap(*masks, identity),
        masks_after=None if masks is None else _mask_overlap(*masks, transform),
    )
    return _judged(figures, limits)


def _judged(figures: Quality, limits: Limits) -> Quality:
    known = replace(figures, doubt=_doubt(figures, limits))
    return replace(known, problems=tuple(_broken(known, limits)))


def _largest_doubt(figures: Quality, limits: Limits) -> float:
    alike = figures.agreement is None or figures.agreement >= limits.alike
    return limits.doubt if alike else limits.doubt_contrast


def _doubt(figures: Quality, limits: Limits) -> float | None:
    measured = (figures.difference_after, figures.inverse_mm, figures.stretch)
    shares = [value / usual for value, usual in zip(measured, limits.usual, strict=True) if value is not None]
    return float(np.prod(shares) ** (1 / len(shares))) if shares else None


def _broken(figures: Quality, limits: Limits) -> list[str]:
    """A sentence for each limit that is broken."""
    doubt = _largest_doubt(figures, limits)
    checks: list[tuple[bool, str]] = [
        (
            figures.covered < limits.covered,
            f"The moving image reaches only {figures.covered:.0%} of the body in the fixed one "
            f"(at least {limits.covered:.0%} is needed)",
        ),
        (
            (figures.body_dsc_after or 0.0) < limits.body_dsc,
            f"The overlap of the bodies is {figures.body_dsc_after or 0.0:.2f} "
            f"(DSC of at least {limits.body_dsc:g} is needed)",
        ),
        (
            (figures.difference_after or 0.0) > limits.difference,
            f"The registered images look too different: {figures.difference_after or 0.0:.3f} "
            f"(at most {limits.difference:g})",
        ),
        (
            (figures.inverse_mm or 0.0) > limits.inverse_mm,
            f"Forth and back again ends {figures.inverse_mm or 0.0:.1f} mm from the start on average "
            f"(at most {limits.inverse_mm:g} mm)",
        ),
        (
            (figures.folded or 0.0) > limits.folded,
            f"{figures.folded or 0.0:.2%} of the body is folded (at most {limits.folded:.1%})",
        ),
        (
            figures.turn_degrees > limits.turn_degrees,
            f"The patient is turned by {figures.turn_degrees:.0f} degrees (at most {limits.turn_degrees:.0f})",
        ),
        (
            (figures.doubt or 0.0) > doubt,
            f"The images do not look like two visits of one patient (doubt {figures.doubt or 0.0:.2f}, "
            f"at most {doubt:g})",
        ),
    ]
    return [sentence for wrong, sentence in checks if wrong]


def _meeting(
    fixed: Volume, moving: Volume, other: Volume, grid: Geometry, body: np.ndarray, transform: sitk.Transform
) -> tuple[float | None, float | None, float | None]:
    """DSC of the bodies, difference of the descriptors and local correlation, where both visits were imaged."""
    both = (resampled(inside(moving.geometry), grid, transform) > 0.99) & (
        resampled(inside(fixed.geometry), grid) > 0.99
    )
    if not (body & both).any():
        return None, None, None
    moved = resampled(other.to_sitk(), grid, transform) >= 0.5
    dsc = overlap(body & both, moved & both, 1.0).dsc
    images = (
        resampled(smoothed(fixed, _SPACING_MM / 2), grid),
        resampled(smoothed(moving, _SPACING_MM / 2), grid, transform),
    )
    return (
        None if dsc is None else float(dsc),
        _difference(*images, body & both),
        local_correlation(*images, body & both),
    )


def _difference(fixed: np.ndarray, moving: np.ndarray, where: np.ndarray) -> float | None:
    """Mean squared difference of the descriptors; None without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    from HNTargetSegLib.prior.descriptor import self_similarity

    first, second = (self_similarity(torch.from_numpy(image)).numpy() for image in (fixed, moving))
    return float(((first - second) ** 2).mean(0)[where].mean())


def _inverse(
    grid: Geometry, where: np.ndarray, transform: sitk.Transform, back: sitk.Transform | None
) -> np.ndarray | None:
    """Distance in mm of each voxel of the region, every third along each axis, from where it ends."""
    if back is None or not where.any():
        return None
    thin = np.zeros_like(where)
    thin[::3, ::3, ::3] = where[::3, ::3, ::3]
    points = grid.to_lps(np.argwhere(thin if thin.any() else where))
    ends = np.array([back.TransformPoint(transform.TransformPoint(point)) for point in points.tolist()])
    distance: np.ndarray = np.linalg.norm(ends - points, axis=1)
    return distance


def _turn(grid: Geometry, transform: sitk.Transform) -> float:
    """Angle in degrees of the rotation nearest to what the transform does to the corners of the middle half."""
    corners = np.array([(k, j, i) for k in (0.25, 0.75) for j in (0.25, 0.75) for i in (0.25, 0.75)])
    points = grid.to_lps(corners * (np.array(grid.shape) - 1))
    moved = np.array([transform.TransformPoint(point) for point in points.tolist()])
    left, _, right = np.linalg.svd((moved - moved.mean(0)).T @ (points - points.mean(0)))
    rotation = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


def _mask_overlap(fixed: Volume, moving: Volume, transform: sitk.Transform) -> dict[str, float | None]:
    moved = carry_labels(moving, fixed.geometry, transform).array
    return {
        label.structure_name: overlap(fixed.array == label, moved == label, fixed.geometry.voxel_cc).dsc
        for label in Target
    }
