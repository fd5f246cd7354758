"""Lesions of the pre-RT visit on the grid of the mid-RT visit, with the ids that they had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.lesions.find import find_lesions, remeasure
from HNTargetSegLib.lesions.lesion import LesionSet


@dataclass(frozen=True, eq=False)
class RegisteredLesions:
    """What :func:`~HNTargetSegLib.lesions.match.match_lesions` needs to know of the pre-RT visit.

    Attributes
    ----------
    lesions
        On the mid-RT grid; ids, names and labels are those of the pre-RT visit.
    native_cc
        Volume by id before registration, which changes volumes.
    lost
        Names of lesions that lie outside the mid-RT field of view; nothing can be said about them.
    """

    lesions: LesionSet
    native_cc: dict[int, float]
    lost: tuple[str, ...]


def carry_lesions(
    native: LesionSet, carry: Callable[[Volume], Volume], *, midline_mm: float | None = None
) -> RegisteredLesions:
    """Bring lesions onto the grid of another visit by their id map, so that touching ones stay apart.

    Parameters
    ----------
    native
        Lesions of the pre-RT visit; rejected ones are left out.
    carry
        Brings a map of ids onto the other grid, such as
        :meth:`~HNTargetSegLib.prior.registration.Registration.labels`.
    midline_mm
        LPS x of the other visit's mid-sagittal plane.
    """
    present = native.without_rejected()
    lesions = remeasure(carry(present.ids), present.present, midline_mm=midline_mm)
    native_cc = {lesion.id: lesion.volume_cc for lesion in present.present}
    found = {lesion.id for lesion in lesions}
    lost = tuple(lesion.name for lesion in present.present if lesion.id not in found)
    return RegisteredLesions(lesions, {i: cc for i, cc in native_cc.items() if i in found}, lost)


def carry_mask(
    mask: Volume, carry: Callable[[Volume], Volume], *, midline_mm: float | None = None
) -> RegisteredLesions:
    """The same for a delineation: each connected piece of a label is a lesion, as :func:`find_lesions` numbers them."""
    return carry_lesions(find_lesions(mask), carry, midline_mm=midline_mm)
