"""Some lesions of a visit written into the labelmap that its segments share; all other voxels stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene import segments
from HNTargetSegLib.scene.segments import LABELMAP, SURFACE, segment_name
from HNTargetSegLib.scene.voxels import array_view, extent_of

Slices = tuple[slice, slice, slice]


def write_part(
    node: Any,
    volume: Any,
    before: VisitReview,
    review: VisitReview,
    ids: frozenset[int],
    names: Mapping[int, str],
    run: str,
) -> bool:
    """Write lesions whose voxels have changed, and leave the rest of the labelmap alone.

    Parameters
    ----------
    node, volume
        Segmentation and volume node of the visit.
    before, review
        As the segments show it, and as they shall.
    ids
        Of lesions that differ between the two.
    names
        Segment id by lesion id.
    run
        Which proposal the lesions are of.

    Returns
    -------
    bool
        False where the segments do not share one labelmap with room for the change, as after a hand has drawn segments
        that overlap; nothing was written then.
    """
    image = _shared(node, before, names)
    region = _region(before, review, ids)
    if image is None or region is None or review.lesions is None:
        return False
    i0, i1, j0, j1, k0, k1 = extent_of(image)
    extent = (slice(k0, k1 + 1), slice(j0, j1 + 1), slice(i0, i1 + 1))
    view = array_view(image)
    highest = max((lesion.id for lesion in review.lesions), default=0)
    inside = all(a.start <= b.start and b.stop <= a.stop for a, b in zip(extent, region, strict=True))
    if not inside or highest > np.iinfo(view.dtype).max or not _same_place(node, volume, image):
        return False
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    with segments.modifying(node, display):
        if segmentation.ContainsRepresentation(SURFACE):
            segmentation.RemoveRepresentation(SURFACE)
        _overwrite(image, view, region, extent, review)
        shown = {lesion.id: lesion for lesion in review.lesions if lesion.voxels}
        for lesion_id, lesion in shown.items():
            name = names.get(lesion_id, segment_name(lesion_id))
            if lesion_id in names:
                segments.describe(segmentation.GetSegment(name), lesion, review, run)
            else:
                segments.put(segmentation, name, image, lesion, review, run)
            segments.show(display, name, lesion, review)
        segments.remove_segments(segmentation, [names[x] for x in ids if x in names and x not in shown])
    return True


def _overwrite(
    image: Any,
    view: np.ndarray,
    region: Slices,
    extent: Slices,
    review: VisitReview,
) -> None:
    """Change the voxels of a box, in the memory that all segments share."""
    assert review.lesions is not None, "there are lesions"
    k, j, i = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(region, extent, strict=True))
    view[k, j, i] = review.lesions.ids.array[region]
    image.GetPointData().GetScalars().Modified()
    image.Modified()


def _shared(node: Any, before: VisitReview, names: Mapping[int, str]) -> Any | None:
    """The labelmap of all segments, where it is one, and each has its lesion's id as value."""
    segmentation = node.GetSegmentation()
    shown = {lesion.id for lesion in before.records if lesion.voxels}
    if not shown or len(names) != segmentation.GetNumberOfSegments() or set(names) != shown:
        return None
    found = None
    for lesion_id, name in names.items():
        segment = segmentation.GetSegment(name)
        image = None if segment is None else segment.GetRepresentation(LABELMAP)
        if image is None or segment.GetLabelValue() != lesion_id or (found is not None and image is not found):
            return None
        found = image
    return found


def _region(before: VisitReview, review: VisitReview, ids: frozenset[int]) -> Slices | None:
    """Box round the lesions concerned, as they were and as they are."""
    boxes = [x.box for some in (before, review) for x in some.records if x.id in ids and x.voxels]
    if not boxes:
        return None
    bounds = np.array(boxes)
    low, high = bounds[..., 0].min(axis=0).tolist(), bounds[..., 1].max(axis=0).tolist()
    k, j, i = (slice(a, b) for a, b in zip(low, high, strict=True))
    return k, j, i


def _same_place(node: Any, volume: Any, image: Any) -> bool:
    """Whether the labelmap lies on the voxels of the volume."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    matrix = vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    held = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    return bool(np.allclose(held, segments.voxel_to_segmentation(node, volume), atol=1e-6))
