"""A small volume with a bright lesion and its segmentation, for tests that need something to look at."""

from __future__ import annotations

from typing import Any

import numpy as np

SHAPE = (24, 48, 56)
SPACING = (2.0, 2.0, 3.0)
CENTRE_RAS = (-10.0, 12.0, 6.0)
RADIUS = 14.0
GREEN = (0.0, 0.78, 0.31)


def add_volume(name: str = "T2") -> Any:
    """A volume node whose brightness grows with each axis; the lesion is a ball round ``CENTRE_RAS``."""
    import slicer

    size = [count * step for count, step in zip(reversed(SHAPE), SPACING, strict=True)]
    # RAS axes against the voxel axes i and j, as in an axial image of a patient who lies on the back.
    ijk_to_ras = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    ijk_to_ras[:3, 3] = size[0] / 2, size[1] / 2, -size[2] / 2
    k, j, i = np.indices(SHAPE)
    background = 100 + 8 * k + 2 * j + 2 * i
    voxels = np.where(lesion(ijk_to_ras), 900, background).astype(np.int16)
    return slicer.util.addVolumeFromArray(voxels, ijkToRAS=ijk_to_ras, name=name)


def lesion(ijk_to_ras: Any) -> Any:
    """The ball's voxels, boolean (k, j, i)."""
    k, j, i = np.indices(SHAPE)
    places = np.stack([i, j, k, np.ones(SHAPE)], axis=-1) @ ijk_to_ras.T
    return ((places[..., :3] - np.array(CENTRE_RAS)) ** 2).sum(axis=-1) <= RADIUS**2


def add_segmentation(volume: Any, name: str = "Targets") -> Any:
    """A segmentation of ``volume`` with the lesion as segment "PT" in green, and its surface."""
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    identifier = node.GetSegmentation().AddEmptySegment("PT", "PT", GREEN)
    array = slicer.util.arrayFromVolume(volume) == 900
    slicer.util.updateSegmentBinaryLabelmapFromArray(array.astype(np.uint8), node, identifier, volume)
    node.CreateClosedSurfaceRepresentation()
    return node


def show(volume: Any) -> None:
    """Show ``volume`` in all slice views, fitted."""
    import slicer

    slicer.util.setSliceViewerLayers(background=volume, fit=True)
