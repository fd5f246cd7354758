"""Turn a volume's axes into those of an axial series (left, posterior, superior), and turn results back.

Nothing is interpolated: axes are swapped and flipped only, so that a sagittal or coronal acquisition reaches a
network that was trained on axial ones in the way it knows. An oblique volume keeps its tilt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.volume import Geometry, Volume

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class AxialTurn:
    """Swap and flip of array axes from a grid to its axial order.

    Attributes
    ----------
    order
        Which array axis (k, j, i as 0, 1, 2) of the source becomes the first, second and third of the axial array.
    flipped
        Which axes of the axial array run against the source's.
    """

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @property
    def changes_nothing(self) -> bool:
        """Whether the grid is axial already."""
        return self.order == (0, 1, 2) and not any(self.flipped)

    def array(self, source: np.ndarray) -> np.ndarray:
        """The source array in axial order (a view)."""
        return source.transpose(self.order)[self._steps]

    def back(self, axial: np.ndarray) -> np.ndarray:
        """An axial array in the source's order (a view)."""
        return axial[self._steps].transpose(np.argsort(self.order))

    def box(self, source_box: Box, source_shape: tuple[int, int, int]) -> Box:
        """The box in the axial array that holds the voxels of a box in the source array.

        Both boxes are slices with start and stop inside the array.
        """
        turned = []
        for axis, flip in zip(self.order, self.flipped, strict=True):
            start, stop, _ = source_box[axis].indices(source_shape[axis])
            length = source_shape[axis]
            turned.append(slice(length - stop, length - start) if flip else slice(start, stop))
        return turned[0], turned[1], turned[2]

    @property
    def _steps(self) -> Box:
        steps = [slice(None, None, -1 if flip else 1) for flip in self.flipped]
        return steps[0], steps[1], steps[2]


def axial_turn(geometry: Geometry) -> AxialTurn:
    """The turn that brings a grid's axes nearest to superior, posterior and left (array order k, j, i)."""
    # Rows: array axes k, j, i of the source; columns: S, P, L.
    towards = geometry.axes.T[::-1, ::-1]
    order: list[int] = []
    for column in range(3):
        strength = [abs(towards[axis, column]) if axis not in order else -1.0 for axis in range(3)]
        order.append(int(np.argmax(strength)))
    flipped = [bool(towards[axis, column] < 0) for column, axis in enumerate(order)]
    return AxialTurn((order[0], order[1], order[2]), (flipped[0], flipped[1], flipped[2]))


def turned_geometry(geometry: Geometry, turn: AxialTurn) -> Geometry:
    """The same grid with its axes in axial order."""
    first = [geometry.shape[axis] - 1 if flip else 0 for axis, flip in zip(turn.order, turn.flipped, strict=True)]
    corner = np.zeros(3)
    corner[list(turn.order)] = first
    axes_kji = geometry.axes[:, ::-1][:, list(turn.order)] * np.where(turn.flipped, -1.0, 1.0)
    spacing_kji = [geometry.spacing_kji[axis] for axis in turn.order]
    size_kji = [geometry.shape[axis] for axis in turn.order]
    origin = geometry.to_lps(corner)
    return Geometry(
        (size_kji[2], size_kji[1], size_kji[0]),
        (spacing_kji[2], spacing_kji[1], spacing_kji[0]),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        tuple(float(value) for value in axes_kji[:, ::-1].reshape(-1)),
    )


def to_axial(volume: Volume) -> tuple[Volume, AxialTurn]:
    """A volume in axial order with the turn that was made."""
    turn = axial_turn(volume.geometry)
    return axial_volume(volume, turn), turn


def axial_volume(volume: Volume, turn: AxialTurn) -> Volume:
    """A volume in axial order by a turn that is known."""
    geometry = turned_geometry(volume.geometry, turn)
    return Volume(np.ascontiguousarray(turn.array(volume.array)), geometry, volume.name)
