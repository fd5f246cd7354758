"""Lesions as a model left them: what edits are measured against, each with the model that proposed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet


@dataclass(frozen=True, eq=False)
class ProposedLesion:
    """One lesion of a proposal.

    Attributes
    ----------
    lesion
        Its record, under the id that the review gave it.
    mask
        Boolean crop to ``lesion.slices``.
    model
        Who proposed it.
    """

    lesion: Lesion
    mask: np.ndarray
    model: ModelRecord


def proposed_lesions(
    lesions: LesionSet, model: ModelRecord, before: Mapping[int, ProposedLesion]
) -> dict[int, ProposedLesion]:
    """What was proposed, by lesion id, once a run was taken over.

    Parameters
    ----------
    lesions
        The new lesions beside those that the reviewer had finished: these keep what was proposed of them, and by whom.
    model
        Of the run.
    before
        What was proposed before it.
    """
    found = {}
    for lesion in lesions:
        if lesion.state.reviewed:
            if lesion.id in before:
                found[lesion.id] = before[lesion.id]
        elif lesion.voxels:
            found[lesion.id] = ProposedLesion(lesion, lesions.mask(lesion), model)
    return found
