"""Zip archives: honest ones unpack, hostile ones leave nothing behind."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.archive import Limits, unpacked


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def _refused(archive: Path, store: Path, limits: Limits | None = None) -> str:
    """Message of the refusal; nothing may have been written, inside or outside the store."""
    before = sorted(path for path in store.parent.rglob("*") if path != store)
    with pytest.raises(ModelError) as caught, unpacked(archive, store, limits or Limits()):
        pytest.fail("it was unpacked")
    assert sorted(path for path in store.parent.rglob("*") if path != store) == before
    return str(caught.value)


def test_an_honest_archive_is_there_inside_the_block_and_gone_after_it(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "é è.zip", {"Dataset 1/été/plans.json": b"{}", "a.txt": b"x" * 3_000_000})
    with unpacked(archive, tmp_path / "store") as folder:
        assert (folder / "Dataset 1" / "été" / "plans.json").read_bytes() == b"{}"
        assert (folder / "a.txt").stat().st_size == 3_000_000
    assert list((tmp_path / "store").iterdir()) == []


def test_backslashes_of_windows_archives_are_separators(tmp_path: Path) -> None:
    with unpacked(_zip(tmp_path / "a.zip", {"a\\b.txt": b"x"}), tmp_path / "store") as folder:
        assert (folder / "a" / "b.txt").read_bytes() == b"x"


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:\\evil", "C:evil", "\\\\host\\evil", "a\nb"]
)
def test_a_path_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = _zip(tmp_path / "a.zip", {"good.txt": b"x", name: b"x"})
    assert "outside its folder" in _refused(archive, tmp_path / "store")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("link")
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good.txt", b"x")
        archive.writestr(entry, b"/etc/passwd")
    assert "a link or device" in _refused(tmp_path / "a.zip", tmp_path / "store")


def test_an_archive_that_declares_too_much_is_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"zeros": bytes(80 << 20)})
    assert "would unpack to 84 MB" in _refused(archive, tmp_path / "store")


def test_many_small_bombs_are_refused_by_their_sum(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {f"zeros{number}": bytes(1 << 20) for number in range(5)})
    limits = Limits(free=4 << 20, ratio=50)
    assert "would unpack to 5 MB" in _refused(archive, tmp_path / "store", limits)


def test_an_archive_that_unpacks_to_more_than_it_declares_is_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"zeros": bytes(1 << 20)})
    content = archive.read_bytes()
    lying = content.replace((1 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != content
    archive.write_bytes(lying)
    assert "not a readable zip" in _refused(archive, tmp_path / "store")


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {str(number): b"" for number in range(11)})
    assert "11 entries, more than 10" in _refused(archive, tmp_path / "store", Limits(files=10))


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"Plans.json": b"1", "plans.json": b"2"})
    assert "two entries of one name" in _refused(archive, tmp_path / "store")
    archive = _zip(tmp_path / "b.zip", {"a": b"1", "a/b": b"2"})
    assert "two entries of one name" in _refused(archive, tmp_path / "store")


@pytest.mark.parametrize("damage", ["no zip", "truncated", "flipped", "missing"])
def test_a_damaged_archive_is_refused(tmp_path: Path, damage: str) -> None:
    archive = _zip(tmp_path / "a.zip", {"a": bytes(range(256)) * 99})
    content = bytearray(archive.read_bytes())
    if damage == "flipped":
        content[60] ^= 255
    archive.write_bytes({"no zip": b"x" * 99, "truncated": bytes(content[:-30])}.get(damage, bytes(content)))
    if damage == "missing":
        archive.unlink()
    assert "a.zip" in _refused(archive, tmp_path / "store")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"a": b"x"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    assert "encrypted" in _refused(archive, tmp_path / "store")


def test_an_error_inside_the_block_is_passed_on(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"a": b"x"})
    with pytest.raises(FileNotFoundError, match="mine"), unpacked(archive, tmp_path / "store"):
        raise FileNotFoundError("mine")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED, 9, 99])
def test_a_damaged_stream_of_any_compression_is_refused(tmp_path: Path, method: int) -> None:
    archive = tmp_path / "a.zip"
    known = method if method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2) else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w", known) as stream:
        stream.writestr("a", bytes(range(256)) * 99)
    content = bytearray(archive.read_bytes())
    if method == known:
        content[40:100] = bytes([255]) * 60
    else:
        for header, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            content[content.index(header) + offset] = method
    archive.write_bytes(content)
    assert "not a readable zip" in _refused(archive, tmp_path / "store")


@pytest.mark.parametrize("place", range(0, 240, 3))
@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_changed_byte_anywhere_is_refused_or_harmless(tmp_path: Path, method: int, place: int) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", method) as stream:
        stream.writestr("a", b"plans")
    content = bytearray(archive.read_bytes())
    content[place % len(content)] ^= 0xFF
    archive.write_bytes(content)
    try:
        with unpacked(archive, tmp_path / "store") as folder:
            assert [path.read_bytes() for path in folder.rglob("*") if path.is_file()] in ([b"plans"], [])
    except ModelError:
        assert list((tmp_path / "store").iterdir()) == []
