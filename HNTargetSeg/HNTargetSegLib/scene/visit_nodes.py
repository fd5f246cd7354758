"""The nodes of one visit: its volume, its segmentation, and which segment shows which lesion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.lesions.names import free_name
from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene import segments
from HNTargetSegLib.scene.history import VoxelHistory
from HNTargetSegLib.scene.numbering import free_id, lesions_of_segments
from HNTargetSegLib.scene.part_writing import write_part
from HNTargetSegLib.scene.reading import Reading, fingerprint, read_segments
from HNTargetSegLib.scene.tags import written
from HNTargetSegLib.scene.volumes import grid_of
from HNTargetSegLib.scene.window import robust_range


class VisitNodes:
    """The nodes of one visit under review.

    Parameters
    ----------
    visit
        Which.
    volume, segmentation
        Its nodes.
    review
        The review as the nodes show it, or shall show it.

    Attributes
    ----------
    review
        As it was when it was written or read last.
    lesions
        Lesion id by segment id, also of segments that have no voxel yet or any more.
    history
        States of its voxels.
    display
        Display node of the segmentation, also when that has left the scene.
    bounds
        Robust range of its grey values.
    overlap, outside
        Voxels that several segments claim, and beyond the image, as they were told to the user last.
    """

    def __init__(self, visit: Visit, volume: Any, segmentation: Any, review: VisitReview) -> None:
        self.visit, self.volume, self.segmentation, self.review = visit, volume, segmentation, review
        self.display = segmentation.GetDisplayNode()
        self.bounds = robust_range(review.image.image.array)
        self.history = VoxelHistory(segmentation.GetSegmentation())
        self.lesions: dict[str, int] = {}
        self.overlap = self.outside = 0
        self._begun, self._told_moved = grid_of(volume), False
        self._seen: tuple[object, ...] = ()
        self.number()

    def goes_on_with(self, review: VisitReview) -> bool:
        """Whether a review is the one that these nodes show, and they are still in the scene."""
        return review.image is self.review.image and review.lesions is self.review.lesions and not self.lost

    @property
    def lost(self) -> bool:
        """Whether a node has left the scene."""
        return self.volume.GetScene() is None or self.segmentation.GetScene() is None

    def number(self) -> dict[str, int]:
        """Lesion id by segment id, of the segments that are there now."""
        self.lesions = lesions_of_segments(self.segmentation.GetSegmentation(), self.lesions)
        return self.lesions

    def run_of_segments(self) -> str:
        """Name of the proposal that the segments are of, where all agree; empty otherwise."""
        found = {tags.run for name in self.lesions if (tags := written(self.segment(name))) is not None}
        return found.pop() if len(found) == 1 else ""

    def segment(self, name: str) -> Any:
        """``vtkSegment`` of an id, or None."""
        return self.segmentation.GetSegmentation().GetSegment(name)

    def segment_of(self, lesion_id: int) -> str:
        """Id of the segment of a lesion; empty where there is none."""
        return next((name for name, number in self.lesions.items() if number == lesion_id), "")

    @property
    def changed(self) -> bool:
        """Whether voxels may have changed since they were written or read last."""
        return self._seen != fingerprint(self.segmentation)

    def holds(self, review: VisitReview) -> bool:
        """Whether the segments hold the voxels of a review already."""
        try:
            reading = self.read()
        except BadInputError:
            return False
        ids = reading.ids(self.number())
        if not reading.filled <= self.lesions.keys():
            return False
        return np.array_equal(ids, review.lesions.ids.array) if review.lesions is not None else not ids.any()

    def read(self) -> Reading:
        """What the segments hold now; errors as :func:`~HNTargetSegLib.scene.reading.read_segments`."""
        return read_segments(self.segmentation, self.volume)

    def mark_seen(self) -> None:
        """Count the voxels as known from here on."""
        self._seen = fingerprint(self.segmentation)

    def write(self, review: VisitReview) -> None:
        """Show the lesions of a review, voxels and all."""
        known = {number: name for name, number in self.number().items()}
        segments.write_lesions(self.segmentation, self.volume, review, known, self.history.run)
        self.review = review
        self.number()
        self.mark_seen()

    def overwrite(self, review: VisitReview, *, new_run: bool) -> None:
        """Show another review in place of the one before, so that its voxels can be brought back.

        Parameters
        ----------
        new_run
            Whether the lesions are those of another proposal.
        """
        self.history.save()
        if new_run:
            self.history.next_run(self.review)
        self.write(review)

    def overwrite_part(self, review: VisitReview, ids: Iterable[int]) -> None:
        """Show a review of which a box has changed some lesions: one step to take back, and no other voxel written.

        Parameters
        ----------
        ids
            Of the lesions that have changed, are new or are gone.
        """
        self.history.save()
        before = self.review
        self.history.next_run(before)
        known = {number: name for name, number in self.number().items()}
        if write_part(self.segmentation, self.volume, before, review, frozenset(ids), known, self.history.run):
            self.review = review
            self.number()
            self.mark_seen()
        else:
            self.write(review)

    def refresh(self, review: VisitReview, ids: Iterable[int] = ()) -> None:
        """Show names, kinds, states and visibility of some lesions, or of all; the voxels stay."""
        self.review = review
        if self.lost:
            return
        wanted = frozenset(ids)
        names = {number: name for name, number in self.lesions.items()}
        segmentation = self.segmentation.GetSegmentation()
        with segments.modifying(self.segmentation, self.display), segments.no_new_state(segmentation) as changed:
            for lesion in review.records:
                name = names.get(lesion.id, "")
                segment = self.segment(name) if name else None
                if segment is not None and (not wanted or lesion.id in wanted):
                    segments.describe(segment, lesion, review, self.history.run)
                    segments.show(self.display, name, lesion, review)
            if changed:
                segments.tell_of_words(self.segmentation)

    def add_segment(self, label: Target) -> str:
        """Add an empty segment to draw a lesion into; returns its id."""
        taken = [lesion.name for lesion in self.review.records]
        taken += [self.segment(name).GetName() for name in self.lesions]
        number = free_id(self.review, self.number().values())
        name = segments.add_empty(self.segmentation, number, label, free_name(label, taken))
        self.number()
        return name

    def show_surfaces(self, shown: bool) -> None:
        """Show the segments in 3D views, or not."""
        segmentation = self.segmentation.GetSegmentation()
        with segments.no_new_state(segmentation):
            if shown and segmentation.GetNumberOfSegments():
                self.segmentation.CreateClosedSurfaceRepresentation()
            elif not shown:
                self.segmentation.RemoveClosedSurfaceRepresentation()
        self.display.SetVisibility3D(shown)

    def require_place(self) -> None:
        """Raise GeometryError, once, if the image is not where it was when the review began."""
        moved = not grid_of(self.volume).matches(self._begun)
        told, self._told_moved = self._told_moved, moved
        if moved and not told:
            raise GeometryError(
                f"The {self.visit.title} image was moved after it was opened; lesions are exported where it was",
                path=self.volume.GetName(),
                remedy="Take its transform away, or open the images again",
            )

    def dispose(self) -> None:
        """Let go of the nodes."""
        self.history.dispose()
