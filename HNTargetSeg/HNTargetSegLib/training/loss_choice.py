"""Which loss a training uses, with its options: the trainer that has it, what the trainer is told, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.losses.weights import Normalisation, VolumeAware

BASELINE = "baseline"

TRAINER_OF_LOSS = {
    BASELINE: "nnUNetTrainerHNTS",
    "dual": "nnUNetTrainerHNTSDual",
    "selective": "nnUNetTrainerHNTSSelective",
    "inverse": "nnUNetTrainerHNTSInverse",
    "blob": "nnUNetTrainerHNTSBlob",
    "cc-dice-ce": "nnUNetTrainerHNTSCCDiceCE",
}
"""Class name of the nnU-Net trainer of each loss."""

VOLUME_AWARE = ("dual", "selective")
"""Losses that take gamma, the normalisation and the largest weight."""

_WEIGHTED = (*VOLUME_AWARE, "inverse")
_BY_LESION = "nnU-Net's loss with a Dice weighted by lesion size"
_IN_WORDS = {
    BASELINE: "nnU-Net's loss (soft Dice and cross-entropy)",
    "dual": f"{_BY_LESION} on GTVp and GTVn (volume-aware Dice, a reconstruction: arXiv 2604.10130 prints no formula)",
    "selective": f"{_BY_LESION} on GTVn alone (volume-aware Dice, a reconstruction: arXiv 2604.10130 prints no "
    "formula)",
    "inverse": f"{_BY_LESION}, each lesion and the background alike (inverse weighting, arXiv 2007.10033)",
    "blob": "nnU-Net's loss twice and the blob loss once (our reading of it for several labels)",
    "cc-dice-ce": "nnU-Net's loss and CC-DiceCE (arXiv 2511.17146, our reading of it for several labels)",
}


@dataclass(frozen=True)
class LossChoice:
    """A loss and its options.

    Attributes
    ----------
    name
        A key of ``TRAINER_OF_LOSS``.
    gamma, normalisation, maximum
        Of the volume-aware losses, see :class:`~HNTargetSegLib.training.losses.weights.VolumeAware`.
    reference_cc
        Volume of a lesion that keeps its weight where the normalisation is ``reference``.
    whole_lesions
        Weigh by the size of whole lesions, and not by that of their parts in a patch.

    Raises
    ------
    BadInputError
        If there is no such loss, a value is out of its range, or the loss has no such option.
    """

    name: str = BASELINE
    gamma: float = 0.5
    normalisation: Normalisation = "mass"
    reference_cc: float | None = None
    maximum: float | None = 10.0
    whole_lesions: bool = False

    def __post_init__(self) -> None:
        if self.name not in TRAINER_OF_LOSS:
            raise BadInputError(f"There is no loss '{self.name}'", remedy=f"Choose one of {', '.join(TRAINER_OF_LOSS)}")
        if self.reference_cc is not None and not self.reference_cc > 0:
            raise BadInputError(f"The reference volume is {self.reference_cc:g} cc", remedy="Give more than 0")
        if self.reference_cc is None and self.normalisation == "reference":
            raise BadInputError(
                "The normalisation 'reference' needs the volume that keeps its weight", remedy="Add --reference-cc 2"
            )
        if self.reference_cc is not None and self.normalisation != "reference":
            raise BadInputError(
                f"The normalisation '{self.normalisation}' has no reference volume",
                remedy="Leave --reference-cc out, or add --normalisation reference",
            )
        if self.whole_lesions and self.name not in _WEIGHTED:
            raise BadInputError(
                f"The loss '{self.name}' does not weigh lesions by their size", remedy="Leave --whole-lesions out"
            )
        # Its ranges are checked there.
        VolumeAware((1,), self.gamma, self.normalisation, self.reference_cc, self.maximum)

    @property
    def trainer(self) -> str:
        """Class name of the nnU-Net trainer."""
        return TRAINER_OF_LOSS[self.name]

    def to_dict(self) -> dict[str, Any]:
        """The options that this loss has, JSON-ready, as the trainer reads them."""
        options: dict[str, Any] = {}
        if self.name in VOLUME_AWARE:
            options = {"gamma": self.gamma, "normalisation": self.normalisation, "maximum": self.maximum}
            if self.reference_cc is not None:
                options["reference_cc"] = self.reference_cc
        if self.whole_lesions:
            options["whole_lesions"] = True
        return options

    @property
    def in_words(self) -> str:
        """For a model's card."""
        said = []
        if self.name in VOLUME_AWARE:
            limit = "no largest weight" if self.maximum is None else f"weights of at most {self.maximum:g}"
            at = f" at {self.reference_cc:g} cc" if self.reference_cc is not None else ""
            said = [f"gamma {self.gamma:g}", f"normalised by {self.normalisation}{at}", limit]
        if self.name in _WEIGHTED:
            said.append("sizes of whole lesions" if self.whole_lesions else "sizes of the lesions' parts in the patch")
        return ", ".join([_IN_WORDS[self.name], *said])
