"""STL files: what a reader of the format finds in them, and their names."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.export.stl import stl_names, write_stl
from HNTargetSegLib.lesions.lesion import LesionSet, State


def corners(content: bytes) -> np.ndarray:
    """Corners of the triangles of a binary STL file, shape (n, 3, 3)."""
    (count,) = struct.unpack_from("<I", content, 80)
    assert len(content) == 84 + 50 * count
    return np.array([struct.unpack_from("<9f", content, 84 + 50 * n + 12) for n in range(count)]).reshape(-1, 3, 3)


def test_a_file_holds_the_lesions_surface_in_lps_millimetres(lesions: LesionSet, tmp_path) -> None:
    for path, lesion in zip(write_stl(lesions, tmp_path), lesions, strict=True):
        content = path.read_bytes()
        assert not content.startswith(b"solid")
        assert b"SPACE=LPS" in content[:80]
        a, b, c = corners(content).transpose(1, 0, 2)
        volume_cc = np.einsum("ij,ij->", a, np.cross(b, c)) / 6000
        assert volume_cc == pytest.approx(lesion.volume_cc, rel=0.03)
        assert np.allclose((a + b + c).mean(axis=0) / 3, lesion.centroid, atol=2)


def test_rejected_lesions_have_no_file(lesions: LesionSet, tmp_path) -> None:
    write_stl(lesions.with_lesions(replace(lesions.lesions[0], state=State.REJECTED)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["GTVn1.stl"]


def test_names_are_such_that_every_file_system_keeps_them_apart(lesions: LesionSet) -> None:
    first, second = lesions
    named = lesions.with_lesions(replace(first, name="../GTV:p"), replace(second, name="..?gtv/P"))
    assert stl_names(named) == ("___GTV_p.stl", "___gtv_P_2.stl")
