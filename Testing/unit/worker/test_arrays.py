"""Volumes survive the way through files, and files survive nothing that they should not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.worker.arrays import file_in, read_array, volume_from_json, volume_to_json, write_array

AXES = np.linalg.qr(np.arange(9).reshape(3, 3) + np.eye(3))[0]
GEOMETRY = Geometry((5, 4, 3), (0.1, 1 / 3, 2.0), (-1.5, 1e-9, 300.0), tuple(AXES.ravel().tolist()))


def through(volume: Volume, folder: Path) -> Volume:
    return volume_from_json(json.loads(json.dumps(volume_to_json(volume, folder, "job-1/image.npy"))), folder)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint16", "uint8", "bool", ">i2"])
def test_a_volume_comes_back_with_every_bit_and_its_grid(tmp_path: Path, dtype: str) -> None:
    array = (np.arange(60).reshape(3, 4, 5) * 1.7).astype(dtype)
    back = through(Volume(array, GEOMETRY, "Größe 2/T2 scan.nii"), tmp_path)
    assert back.array.dtype == array.dtype
    assert np.array_equal(back.array, array)
    assert back.geometry == GEOMETRY
    assert back.name == "Größe 2/T2 scan.nii"
    assert back.stated is None


def test_the_grid_that_the_file_stated_comes_along(tmp_path: Path) -> None:
    volume = Volume(np.zeros((3, 4, 5), np.int16), GEOMETRY, stated=Geometry((5, 4, 3)))
    assert through(volume, tmp_path).stated == Geometry((5, 4, 3))


def test_a_view_in_another_order_of_memory_comes_back_equal(tmp_path: Path) -> None:
    array = np.arange(60, dtype=np.int16).reshape(5, 4, 3).transpose(2, 1, 0)[:, ::-1]
    assert np.array_equal(through(Volume(array, GEOMETRY), tmp_path).array, array)


def test_numbers_of_numpy_in_a_grid_are_written_as_plain_ones(tmp_path: Path) -> None:
    grid = Geometry(tuple(np.array([5, 4, 3])), tuple(np.array([1.0, 2.0, 3.0])))  # type: ignore[arg-type]
    assert through(Volume(np.zeros((3, 4, 5)), grid), tmp_path).geometry == Geometry((5, 4, 3), (1.0, 2.0, 3.0))


def test_a_read_only_disk_is_said(small_disk: Callable[[int], Path]) -> None:
    with pytest.raises(OutputError, match=r"Read-only file system"):
        write_array(small_disk(0) / "image.npy", np.ones(5, np.uint8))


def test_a_full_disk_is_said_and_leaves_no_file(small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(100_000)
    with pytest.raises(OutputError, match=r"1 MB could not be handed over \(the disk is full\).*TMPDIR"):
        write_array(disk / "job-1" / "image.npy", np.ones(1_000_000, np.uint8))
    assert not list((disk / "job-1").iterdir())


@pytest.mark.parametrize(
    "name", ["../x.npy", "/etc/x.npy", "a/../x.npy", "a/b/c.npy", "x.txt", "", None, 3, "a\\x.npy"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: Any) -> None:
    with pytest.raises(BadInputError, match="no array file"):
        file_in(tmp_path, name)


@pytest.mark.parametrize("content", [b"", b"no numpy", b"\x93NUMPY\x01\x00v\x00{'descr'"])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.npy"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"damaged\.npy"):
        read_array(path)


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "texts.npy", np.array(["a"]))
    for name in ("objects", "texts"):
        with pytest.raises(BadInputError, match=name):
            read_array(tmp_path / f"{name}.npy")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), None),
        (("file",), "other.npy"),
        (("geometry",), None),
        (("geometry", "size"), [5, 4]),
        (("geometry", "size"), [5, 4, 3.0]),
        (("geometry", "size"), [5, 4, 4]),
        (("geometry", "spacing"), [1, 1, True]),
        (("geometry", "spacing"), [1, 1, 0]),
        (("geometry", "origin"), [1, 1, 10**400]),
        (("geometry", "direction"), [1] * 9),
        (("stated",), {}),
    ],
)
def test_a_wrong_description_of_a_volume_is_refused(tmp_path: Path, path: tuple[str, ...], value: Any) -> None:
    content: Any = volume_to_json(Volume(np.zeros((3, 4, 5)), GEOMETRY), tmp_path, "image.npy")
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BadInputError):
        volume_from_json(content, tmp_path)
