"""Whether a claim of the paper holds on these patients, is contradicted, or cannot be told with so few of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import ceil

from HNTargetSegLib.training.experiments.arms import Arm
from HNTargetSegLib.training.experiments.beirami2026 import CLAIMS, Claim, Expectation
from HNTargetSegLib.training.experiments.comparison import Difference, Observations, difference

_LEVEL = 0.05
_Z = 1.96
FEWEST_PATIENTS = 10
"""With fewer, a bootstrap of whole patients says too little about its own width."""


class Verdict(Enum):
    """What this study says of a claim."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOT_SEEN = "not seen, though this study would have found it"
    NO_ROOM = "cannot show: the baseline leaves no room for such a difference"
    NOT_RESOLVABLE = "not resolvable with this many patients"
    UNDEFINED = "undefined: nothing to compare"


@dataclass(frozen=True)
class Tested:
    """A claim with what was found.

    Attributes
    ----------
    arm
        Name of the arm that it was tested with.
    q
        p after Benjamini and Hochberg over all claims of a rise or a fall; None for the others.
    patients_needed
        About how many patients would resolve a difference of the paper's size (or the margin of a figure that is to
        be kept); None where it cannot be told.
    """

    claim: Claim
    arm: str
    difference: Difference
    verdict: Verdict
    q: float | None
    patients_needed: int | None


def weigh_claims(arms: Sequence[Arm], observations: Observations, baseline: str) -> tuple[Tested, ...]:
    """Test each claim with each arm of its configuration."""
    tested = []
    for claim in CLAIMS:
        for arm in arms:
            if arm.loss.name == claim.configuration:
                found = difference(observations[arm.name], observations[baseline], claim.label, claim.figure)
                patients = len({entry.patient for own in observations[baseline].values() for entry in own})
                needed = _patients_needed(claim, found, patients)
                tested.append(Tested(claim, arm.name, found, Verdict.UNDEFINED, None, needed))
    return _with_verdicts(tested)


def verdict(claim: Claim, found: Difference, q: float | None) -> Verdict:
    """The rule, the same for every claim.

    A rise or fall is confirmed or contradicted if q is under 0.05 and, where there are several seeds, each of them
    agrees in sign; under ten patients nothing is. A figure is kept if the 95 % interval of its difference, seeds
    included, ends above minus the margin. What is neither is not resolvable if even a difference of the paper's size
    (or the margin) would have been missed more than one time in five, and not seen otherwise. Where the baseline is so
    good that no such rise is left, or so bad that no such fall is, nothing can be shown.
    """
    value, error, detectable = found.estimate.value, found.standard_error, found.detectable
    if value is None or error is None or detectable is None:
        return Verdict.UNDEFINED
    if not _has_room(claim, found.baseline):
        return Verdict.NO_ROOM
    if found.estimate.patients < FEWEST_PATIENTS:
        return Verdict.NOT_RESOLVABLE
    if claim.expectation is Expectation.KEPT:
        if value - _Z * error > -claim.margin:
            return Verdict.CONFIRMED
        if value + _Z * error < -claim.margin:
            return Verdict.CONTRADICTED
    elif q is not None and q < _LEVEL and _seeds_agree(value, found.by_seed):
        expected = value > 0 if claim.expectation is Expectation.HIGHER else value < 0
        return Verdict.CONFIRMED if expected else Verdict.CONTRADICTED
    return Verdict.NOT_RESOLVABLE if detectable > _size(claim) else Verdict.NOT_SEEN


def _with_verdicts(tested: Sequence[Tested]) -> tuple[Tested, ...]:
    from scipy.stats import false_discovery_control

    # That a figure is kept is told by an interval, not by a test of no difference.
    ranked = [entry.claim.expectation is not Expectation.KEPT and entry.difference.p is not None for entry in tested]
    ps = [entry.difference.p for entry, counts in zip(tested, ranked, strict=True) if counts]
    qs = iter(false_discovery_control(ps, method="bh").tolist() if ps else [])
    complete = []
    for entry, counts in zip(tested, ranked, strict=True):
        q = next(qs) if counts else None
        complete.append(replace(entry, q=q, verdict=verdict(entry.claim, entry.difference, q)))
    return tuple(complete)


def _seeds_agree(value: float, by_seed: Sequence[float | None]) -> bool:
    return all(own is not None and own * value > 0 for own in by_seed)


def _has_room(claim: Claim, baseline: float | None) -> bool:
    """A network that finds next to nothing cannot lose it, and one that finds all cannot find more."""
    if baseline is None:
        return False
    return baseline + _size(claim) <= 1 if claim.expectation is Expectation.HIGHER else baseline >= _size(claim)


def _size(claim: Claim) -> float:
    return claim.margin if claim.expectation is Expectation.KEPT else abs(claim.reported)


def _patients_needed(claim: Claim, found: Difference, patients: int) -> int | None:
    # Where no draw of patients differs, there is no spread to reckon with.
    if not found.detectable or found.estimate.patients < FEWEST_PATIENTS:
        return None
    return ceil(patients * (found.detectable / _size(claim)) ** 2)
