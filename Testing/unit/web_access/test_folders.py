"""Folders that the page may look into."""

from __future__ import annotations

import os
import sys

import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.web.access_folders import AllowedFolders

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@pytest.fixture
def place(tmp_path):
    """A folder that may be seen (``open``) beside one that may not (``secret``)."""
    for name in ("open/patient/mid.nii.gz", "open/.hidden/x", "secret/key", "open-too/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


@pytest.fixture
def allowed(place):
    return AllowedFolders.of([place / "open"])


def test_a_file_below_a_root_and_the_root_itself_may_be_opened(place, allowed):
    assert allowed.checked(place / "open" / "patient" / "mid.nii.gz").is_file()
    assert allowed.checked(str(place / "open")) == (place / "open").resolve()


@pytest.mark.parametrize(
    "path",
    [
        "{0}/secret/key",
        "{0}/open/../secret/key",
        "{0}/open/patient/../../secret",
        "{0}/open-too/x",
        "{0}",
        "/",
        "/etc/passwd",
        "",
        ".",
        "open/patient",
        "{0}/open/nothing",
        "{0}/open/\0/../../secret/key",
        "{0}/open/%2e%2e/secret/key",
        "~root",
        "x" * 5000,
    ],
)
def test_nothing_outside_the_roots_may_be_opened(place, allowed, path):
    with pytest.raises(BadInputError, match="no such file or folder among those"):
        allowed.checked(path.format(place))


def test_the_answer_does_not_tell_whether_a_file_elsewhere_exists(place, allowed):
    said = []
    for name in ("key", "nothing"):
        with pytest.raises(BadInputError) as caught:
            allowed.checked(place / "secret" / name)
        said.append(caught.value.what)
    assert said[0] == said[1]


@needs_links
def test_a_link_that_leads_outside_is_neither_opened_nor_listed(place, allowed):
    (place / "open" / "way out").symlink_to(place / "secret", target_is_directory=True)
    with pytest.raises(BadInputError):
        allowed.checked(place / "open" / "way out" / "key")
    assert [path.name for path in allowed.subfolders(place / "open")] == ["patient"]


@needs_links
def test_a_link_that_stays_inside_is_followed(place, allowed):
    (place / "open" / "same patient").symlink_to(place / "open" / "patient", target_is_directory=True)
    assert allowed.checked(place / "open" / "same patient" / "mid.nii.gz").name == "mid.nii.gz"


@needs_links
def test_links_that_lead_in_a_circle_are_refused(place, allowed):
    (place / "open" / "a").symlink_to(place / "open" / "b")
    (place / "open" / "b").symlink_to(place / "open" / "a")
    with pytest.raises(BadInputError):
        allowed.checked(place / "open" / "a")


def test_hidden_folders_are_not_listed_and_files_are_told_from_folders(place, allowed):
    assert [path.name for path in allowed.subfolders(place / "open")] == ["patient"]
    assert [path.name for path in allowed.files(place / "open" / "patient")] == ["mid.nii.gz"]


def test_the_way_up_ends_at_the_root(place, allowed):
    assert allowed.parent(place / "open" / "patient") == (place / "open").resolve()
    assert allowed.parent(place / "open") is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_an_error_with_a_remedy(place, allowed):
    (place / "open" / "patient").chmod(0)
    with pytest.raises(BadInputError, match="that you may read"):
        allowed.files(place / "open" / "patient")


def test_a_file_is_no_folder_to_list(place, allowed):
    with pytest.raises(BadInputError, match="cannot be listed"):
        allowed.files(place / "open" / "patient" / "mid.nii.gz")


def test_one_root_named_twice_counts_once(place):
    assert len(AllowedFolders.of([place / "open", str(place / "secret" / ".." / "open")]).roots) == 1
