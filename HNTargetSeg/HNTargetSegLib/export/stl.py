"""Write the surfaces of lesions as binary STL files, one a lesion, in LPS millimetres."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from HNTargetSegLib.export.closed_surface import Surface, closed_surface
from HNTargetSegLib.export.dicom_lesion import exported
from HNTargetSegLib.files import replacing
from HNTargetSegLib.lesions.lesion import LesionSet

_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER_BYTES = 80


def write_stl(lesions: LesionSet, folder: Path) -> tuple[Path, ...]:
    """Write a file for each lesion that was not rejected; returns them.

    Raises
    ------
    BadInputError
        If there is no lesion.
    OutputError
        If a file cannot be written whole.
    """
    written = []
    for lesion, name in zip(exported(lesions), stl_names(lesions), strict=True):
        k, j, i = lesion.slices
        surface = closed_surface(lesions.mask(lesion), lesions.ids.geometry, (k.start, j.start, i.start))
        path = folder / name
        with replacing(path) as temporary:
            temporary.write_bytes(stl_bytes(surface, lesion.name))
        written.append(path)
    return tuple(written)


def stl_names(lesions: LesionSet) -> tuple[str, ...]:
    """File name of each lesion that was not rejected: its own name, as far as every file system allows it."""
    names: list[str] = []
    for lesion in lesions.present:
        name = re.sub(r"[^A-Za-z0-9_^-]", "_", lesion.name)
        if f"{name}.stl".lower() in (taken.lower() for taken in names):
            name = f"{name}_{lesion.id}"
        names.append(f"{name}.stl")
    return tuple(names)


def stl_bytes(surface: Surface, name: str) -> bytes:
    """A surface as binary STL; the header says ``SPACE=LPS``, which Slicer reads, and the unit."""
    header = f"HNTargetSeg {name} SPACE=LPS unit=mm".encode("ascii", "replace")[:_HEADER_BYTES].ljust(_HEADER_BYTES)
    facets: np.ndarray = np.zeros(len(surface.triangles), _TRIANGLE)
    facets["corners"] = surface.points[surface.triangles]
    normals = surface.normals
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    facets["normal"] = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    return header + np.uint32(len(facets)).astype("<u4").tobytes() + facets.tobytes()
