"""What is found inside the reach of a prompt: from probabilities to the voxels that hang together with the box."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.prompts.extent import Extent
from HNTargetSegLib.prompts.prompt import Kind, Prompt, Slices

GUIDED_THRESHOLD = 0.5
"""Probability of a target that counts where the network has read the box as a channel."""

REGION_THRESHOLD = 0.1
"""The same for a network that cannot read boxes. Who draws a box says that odds of 1 to 9 are even there: a lesion that
the automatic pass has missed has some probability, which is under one half. On 77 lesions of 16 generated patients
never seen by the shipped model, of 33 that it had missed 0 are found (DSC in the box at least 0.5) at 0.5, 3 at 0.3, 4
at 0.1 and at 0.05, and 1 with Otsu's threshold; their mean DSC is .12, .14, .19, .22 and .17. Of 197 boxes on benign
nodes 64 % stay empty at 0.5, 55 % at 0.1 and 51 % at 0.05; of 128 on muscle 98 % at each. A reconstruction."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What one prompt gives, in the image's axis order.

    Attributes
    ----------
    prompt
        What was asked.
    extent
        Where: the box as voxels (enlarged where it has grown) and its reach.
    labels
        uint8, shape of the reach: 0, 1 (PT), 2 (LN).
    probability
        p(PT) + p(LN), float16, shape of the reach.
    touches
        Whether what was found goes on at the border of the reach.
    notes
        What the user should know, in sentences.
    seconds
        Wall time by stage.
    """

    prompt: Prompt
    extent: Extent
    labels: np.ndarray
    probability: np.ndarray
    touches: bool = False
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


def found_in(prompt: Prompt, extent: Extent, targets: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Decide about the voxels of a reach.

    Where p(PT) + p(LN) reaches the threshold, and hangs together with the box inside the reach, is target. Its label is
    the prompt's; where that leaves it open, each connected piece has the label of which there is more.

    Parameters
    ----------
    targets
        Probabilities of PT and of LN, shape (2, *reach).

    Returns
    -------
    labels, probability
        uint8 and float32, both of the shape of the reach.
    """
    from scipy import ndimage

    both = targets.sum(axis=0, dtype=np.float32)
    labels: np.ndarray = np.zeros(both.shape, np.uint8)
    if prompt.kind is Kind.NOTHING:
        return labels, both
    pieces, _ = ndimage.label(both >= threshold, np.ones((3, 3, 3)))
    for piece in np.unique(pieces[extent.box_in_reach]):
        if not piece:
            continue
        mask = pieces == piece
        likelier = Target.PT if targets[0][mask].sum() > targets[1][mask].sum() else Target.LN
        labels[mask] = prompt.kind.label or likelier
    return labels, both


def touches_border(labels: np.ndarray, reach: Slices, shape: tuple[int, int, int]) -> bool:
    """Whether what was found lies at a border of the reach that is none of the volume."""
    for axis, (part, size) in enumerate(zip(reach, shape, strict=True)):
        ends = [end for end, inside in ((0, part.start > 0), (-1, part.stop < size)) if inside]
        if any(np.take(labels, end, axis).any() for end in ends):
            return True
    return False


def bounds_of(labels: np.ndarray, reach: Slices) -> Slices:
    """Bounding box, in the volume, of what was found; there is something."""
    inside = np.argwhere(labels)
    low, high = inside.min(axis=0), inside.max(axis=0) + 1
    k, j, i = (slice(part.start + int(a), part.start + int(b)) for part, a, b in zip(reach, low, high, strict=True))
    return k, j, i
