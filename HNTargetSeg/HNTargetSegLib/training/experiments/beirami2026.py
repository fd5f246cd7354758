"""What Beirami et al. 2026 (arXiv 2604.10130) report and claim, as numbers that can be compared with.

Their abstract gives these seven figures on HNTS-MRG 2024 and neither intervals nor the number of patients; the loss has
no printed formula, so that ours is a reconstruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from HNTargetSegLib.case.labels import Target

TITLE = "Beirami et al. 2026, arXiv 2604.10130"

DUAL, SELECTIVE, BASELINE = "dual", "selective", "baseline"

CONFIGURATIONS = (BASELINE, DUAL, SELECTIVE)
"""The paper's three: standard Dice, "Dual Mask" and "Selective LN Mask"."""

REPORTED: dict[tuple[str, Target, str], float] = {
    (BASELINE, Target.LN, "dsc"): 0.734,
    (SELECTIVE, Target.LN, "dsc"): 0.758,
    (BASELINE, Target.LN, "lesion_sensitivity"): 0.8180,
    (DUAL, Target.LN, "lesion_sensitivity"): 0.8346,
    (SELECTIVE, Target.LN, "lesion_sensitivity"): 0.8493,
    (BASELINE, Target.PT, "lesion_precision"): 0.8127,
    (DUAL, Target.PT, "lesion_precision"): 0.8204,
    (SELECTIVE, Target.PT, "lesion_precision"): 0.6365,
}
"""By configuration, label and figure."""


class Expectation(Enum):
    """What a claim says of a figure beside the baseline's."""

    HIGHER = "higher"
    LOWER = "lower"
    KEPT = "kept"


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper about one configuration.

    Attributes
    ----------
    text
        The claim.
    margin
        Loss up to which a figure counts as kept; ours, the paper names none.
    """

    text: str
    configuration: str
    label: Target
    figure: str
    expectation: Expectation
    margin: float = 0.05

    @property
    def reported(self) -> float:
        """The paper's difference from its baseline."""
        own, baseline = (REPORTED[(name, self.label, self.figure)] for name in (self.configuration, BASELINE))
        return own - baseline


CLAIMS = (
    Claim("LN sensitivity rises with the dual mask", DUAL, Target.LN, "lesion_sensitivity", Expectation.HIGHER),
    Claim(
        "LN sensitivity rises with the selective mask", SELECTIVE, Target.LN, "lesion_sensitivity", Expectation.HIGHER
    ),
    Claim("LN Dice rises with the selective mask", SELECTIVE, Target.LN, "dsc", Expectation.HIGHER),
    Claim("PT precision is kept with the dual mask", DUAL, Target.PT, "lesion_precision", Expectation.KEPT),
    Claim("PT precision is lost with the selective mask", SELECTIVE, Target.PT, "lesion_precision", Expectation.LOWER),
)
