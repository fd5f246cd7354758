"""What a reviewer can say about a lesion, as functions on its record."""

from __future__ import annotations

from dataclasses import replace

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Fate, Lesion, LesionSet, Origin, State
from HNTargetSegLib.lesions.names import free_name

LONGEST_NAME = 64
"""A DICOM ROI Name (3006,0026) is a long string (LO) of at most 64 characters."""


def accepted(lesion: Lesion, *, touched: bool) -> Lesion:
    """The lesion as one that leaves with the export.

    Its state keeps saying who drew it: a lesion drawn by hand is ``added``, one that was changed by hand ``edited``.
    """
    if lesion.origin is Origin.HAND:
        return replace(lesion, state=State.ADDED)
    return replace(lesion, state=State.EDITED if touched else State.ACCEPTED)


def rejected(lesion: Lesion) -> Lesion:
    """The lesion as one that never leaves."""
    return replace(lesion, state=State.REJECTED)


def undecided(lesion: Lesion) -> Lesion:
    """The lesion as one that the reviewer has yet to decide about."""
    return replace(lesion, state=State.PROPOSED)


def renamed(lesions: LesionSet, lesion: Lesion, name: str) -> Lesion:
    """The lesion under another name.

    Raises
    ------
    BadInputError
        If the name is empty, too long for DICOM, holds a backslash or control character, or is taken.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise BadInputError(
            f"'{name}' is no name for a lesion", remedy=f"Give 1 to {LONGEST_NAME} characters, such as GTVn1"
        )
    if "\\" in name or not name.isprintable():
        raise BadInputError(
            "The name holds a character that DICOM does not allow",
            remedy="Leave out backslashes and control characters",
        )
    if any(other.name == name and other.id != lesion.id for other in lesions):
        raise BadInputError(f"Another lesion is called {name}", remedy="Choose another name")
    return replace(lesion, name=name)


def relabelled(lesions: LesionSet, lesion: Lesion, label: Target) -> Lesion:
    """The lesion as primary tumour or lymph node, under the next free name of that kind."""
    if label is lesion.label:
        return lesion
    taken = (other.name for other in lesions if other.id != lesion.id)
    return replace(lesion, label=label, name=free_name(label, taken), p_mean=None, p_max=None)


def with_fate(lesion: Lesion, fate: Fate) -> Lesion:
    """The lesion with what the reviewer holds for its fate since the prior visit.

    Raises
    ------
    BadInputError
        If that contradicts its voxels: one that has voxels has not vanished, and one that has none has.
    """
    if (fate is Fate.VANISHED) != (lesion.voxels == 0):
        raise BadInputError(
            f"{lesion.name} has {lesion.voxels} voxels, which contradicts '{fate.value}'",
            remedy="Reject the lesion if it has vanished, draw it if it has not",
        )
    return replace(lesion, fate=fate)
