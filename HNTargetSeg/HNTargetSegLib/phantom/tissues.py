"""The tissues that the phantom knows."""

from __future__ import annotations

from enum import IntEnum


class Tissue(IntEnum):
    """What a voxel mostly holds."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    TONGUE = 4
    CORTEX = 5
    MARROW = 6
    DISC = 7
    CORD = 8
    CSF = 9
    BRAIN = 10
    MUCOSA = 11
    PAROTID = 12
    SUBMANDIBULAR = 13
    THYROID = 14
    CARTILAGE = 15
    ARTERY = 16
    VEIN = 17
    TONSIL = 18
    NODE = 19
    TUMOUR = 20
    FLUID = 21


# What a lesion cannot grow into.
BARRIERS = (Tissue.CORTEX, Tissue.MARROW, Tissue.DISC, Tissue.CORD, Tissue.CSF, Tissue.BRAIN, Tissue.SKIN)
