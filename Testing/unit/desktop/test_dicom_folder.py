"""Where the series of a volume lies that Slicer's DICOM module has loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from HNTargetSegLib.desktop.dicom_folder import series_folder


class Node:
    """What is asked of a volume node."""

    def __init__(self, uids: str | None) -> None:
        self.uids = uids

    def GetAttribute(self, name: str) -> str | None:
        return self.uids if name == "DICOM.instanceUIDs" else None


class Database:
    """What is asked of Slicer's DICOM database."""

    def __init__(self, files: dict[str, Path]) -> None:
        self.files = files

    def fileForInstance(self, uid: str) -> str:
        return str(self.files.get(uid, ""))


def test_the_folder_of_all_slices_is_found(tmp_path: Path) -> None:
    database = Database({"1.2": tmp_path / "a.dcm", "1.3": tmp_path / "b.dcm"})
    assert series_folder(Node("1.2 1.3"), database) == str(tmp_path)


@pytest.mark.parametrize("uids", [None, "", "1.2 1.9", "1.2 1.4"])
def test_slices_that_are_unknown_or_lie_apart_have_no_folder(tmp_path: Path, uids: str | None) -> None:
    database = Database({"1.2": tmp_path / "a.dcm", "1.4": tmp_path / "other" / "b.dcm"})
    assert series_folder(Node(uids), database) == ""


def test_without_a_node_or_a_database_there_is_none(tmp_path: Path) -> None:
    assert series_folder(None, Database({})) == ""
    assert series_folder(Node("1.2"), None) == ""
