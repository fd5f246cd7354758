"""How many lesions a patient has, where, how large at both visits, and what becomes of them; no image is involved.

The mid-RT volumes follow the quantiles of the 150 training patients of HNTS-MRG 2024 (see :data:`MID_CC_QUANTILES`);
how much a lesion shrinks follows the eight patients whose masks are public. Everything else is a reconstruction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.labels import Target

QUANTILE_LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90)
MID_CC_QUANTILES = {
    Target.PT: (0.49, 0.76, 1.29, 2.6, 6.1, 8.9),
    Target.LN: (0.19, 0.30, 0.79, 2.05, 5.9, 12.2),
}

# The tails beyond the published quantiles: the smallest and largest volume in cc that is drawn.
_TAILS_CC = {Target.PT: (0.2, 16.0), Target.LN: (0.1, 24.0)}
# Median of mid-RT over pre-RT volume, its growth with the mid-RT volume (a power), and its log spread.
_RATIO = {Target.PT: (0.20, 0.40, 0.55), Target.LN: (0.66, 0.12, 0.33)}
_RATIO_LIMITS = {Target.PT: (0.03, 1.3), Target.LN: (0.12, 1.6)}
_LARGEST_PRE_CC = {Target.PT: 34.0, Target.LN: 36.0}
_VANISHES = {Target.PT: 0.115, Target.LN: 0.10}
# Pre-RT volume of what vanishes: median, log spread, limit.
_VANISHED_PRE_CC = {Target.PT: (4.0, 0.6, 14.0), Target.LN: (0.8, 0.6, 3.0)}
_PT_PRESENT = 0.87
_NODE_COUNTS = (0.18, 0.33, 0.24, 0.13, 0.08, 0.04)
_NEW_NODE = 0.03

_PT_SITES = {
    "base of tongue": (0.34, (7.0, -27.0, 2.0), (3.0, 3.0, 4.0)),
    "tonsil": (0.34, (19.0, -16.0, 19.0), (1.5, 2.5, 4.0)),
    "oropharynx": (0.16, (9.0, -8.0, 10.0), (3.0, 2.0, 8.0)),
    "larynx": (0.16, (8.0, -20.0, -25.0), (2.0, 3.0, 4.0)),
}
_NODE_SITES = {
    "level II": (0.55, (39.0, 5.0, 18.0), (3.5, 5.0, 9.0)),
    "level III": (0.30, (35.0, -1.0, -16.0), (3.5, 4.0, 8.0)),
    "level IV": (0.15, (30.0, -2.0, -46.0), (3.5, 4.0, 6.0)),
}
_BENIGN_SITES = {
    "level I": (0.16, (25.0, -40.0, -10.0), (5.0, 4.0, 3.0)),
    "level II": (0.36, (40.0, 6.0, 18.0), (4.0, 6.0, 10.0)),
    "level III": (0.24, (36.0, 0.0, -16.0), (4.0, 5.0, 9.0)),
    "level IV": (0.12, (31.0, 0.0, -45.0), (4.0, 5.0, 7.0)),
    "level V": (0.12, (42.0, 22.0, -18.0), (4.0, 5.0, 14.0)),
}


@dataclass(frozen=True)
class LesionPlan:
    """One malignant lesion or benign node before it is drawn into an image.

    Attributes
    ----------
    id
        1, 2, ...; the same at both visits.
    label
        PT or LN; None for a benign node.
    site
        Anatomical site with its side.
    centre
        Anatomical mm (x to the patient's left, y to the back, z up).
    pre_cc, mid_cc
        Volume at each visit; 0 where it is absent.
    """

    id: int
    label: Target | None
    site: str
    centre: tuple[float, float, float]
    pre_cc: float
    mid_cc: float

    @property
    def radius(self) -> float:
        """Radius in mm of the sphere of the larger visit's volume."""
        return float((max(self.pre_cc, self.mid_cc) * 1000 * 3 / (4 * np.pi)) ** (1 / 3))


def draw_lesions(rng: np.random.Generator) -> list[LesionPlan]:
    """Draw one patient's lesions: at most one PT, then the LN; at least one lesion at the pre-RT visit."""
    has_primary = rng.random() < _PT_PRESENT
    nodes = int(rng.choice(len(_NODE_COUNTS), p=_NODE_COUNTS))
    if not has_primary:
        nodes = max(nodes, 1)
    plans: list[LesionPlan] = []
    home_side = int(rng.choice((-1, 1)))
    for label in [Target.PT] * has_primary + [Target.LN] * nodes:
        pre_cc, mid_cc = draw_volumes(rng, label)
        plans.append(_placed(rng, plans, label, (pre_cc, mid_cc), home_side))
    if rng.random() < _NEW_NODE:
        new_cc = min(draw_mid_cc(rng, Target.LN), 3.0)
        plans.append(_placed(rng, plans, Target.LN, (0.0, new_cc), home_side))
    return plans


def draw_benign_nodes(rng: np.random.Generator, lesions: list[LesionPlan]) -> list[LesionPlan]:
    """Draw 3 to 7 benign nodes clear of ``lesions``; their sizes overlap those of malignant nodes."""
    plans = list(lesions)
    for _ in range(int(rng.integers(3, 8))):
        pre_cc = float(np.clip(np.exp(rng.normal(np.log(0.75), 0.8)), 0.12, 4.5))
        mid_cc = pre_cc * float(np.clip(np.exp(rng.normal(-0.1, 0.12)), 0.6, 1.2))
        plans.append(_placed(rng, plans, None, (pre_cc, mid_cc), int(rng.choice((-1, 1)))))
    return plans[len(lesions) :]


def draw_volumes(rng: np.random.Generator, label: Target) -> tuple[float, float]:
    """Draw (pre-RT, mid-RT) volume in cc of a lesion that is there at the pre-RT visit."""
    mid_cc = draw_mid_cc(rng, label)
    median, power, spread = _RATIO[label]
    scale = MID_CC_QUANTILES[label][3]
    ratio = median * (mid_cc / scale) ** power * np.exp(rng.normal(0, spread))
    largest = _LARGEST_PRE_CC[label] * float(rng.uniform(0.65, 1.0))
    pre_cc = min(mid_cc / float(np.clip(ratio, *_RATIO_LIMITS[label])), max(largest, mid_cc))
    if rng.random() < _VANISHES[label]:
        # What vanishes was small.
        median, spread, limit = _VANISHED_PRE_CC[label]
        return float(min(median * np.exp(rng.normal(0, spread)), limit)), 0.0
    return float(pre_cc), float(mid_cc)


def draw_mid_cc(rng: np.random.Generator, label: Target) -> float:
    """Draw a mid-RT volume in cc by inverting the published quantiles, linear in the logarithm between them."""
    low, high = _TAILS_CC[label]
    levels = (0.0, *QUANTILE_LEVELS, 1.0)
    volumes = (low, *MID_CC_QUANTILES[label], high)
    return float(np.exp(np.interp(rng.random(), levels, np.log(volumes))))


def _placed(
    rng: np.random.Generator,
    others: list[LesionPlan],
    label: Target | None,
    volumes: tuple[float, float],
    home_side: int,
) -> LesionPlan:
    sites = {Target.PT: _PT_SITES, Target.LN: _NODE_SITES, None: _BENIGN_SITES}[label]
    shares = np.array([share for share, _, _ in sites.values()])
    candidates: list[tuple[float, LesionPlan]] = []
    for _ in range(30):
        site = list(sites)[rng.choice(len(sites), p=shares / shares.sum())]
        _, mean, spread = sites[site]
        side = home_side if rng.random() < 0.7 else -home_side
        x, y, z = np.array(mean) + rng.uniform(-1.4, 1.4, 3) * spread
        name = f"{'left' if side > 0 else 'right'} {site}"
        plan = LesionPlan(len(others) + 1, label, name, (side * float(x), float(y), float(z)), *volumes)
        candidates.append((_clearance(plan, others), plan))
        if candidates[-1][0] > 1.0:
            break
    return max(candidates, key=lambda candidate: candidate[0])[1]


def _clearance(plan: LesionPlan, others: list[LesionPlan]) -> float:
    gaps = [np.linalg.norm(np.subtract(plan.centre, o.centre)) - 1.1 * (plan.radius + o.radius) for o in others]
    return float(min(gaps, default=np.inf))
