"""Files that a browser sends."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import PurePosixPath

import aiohttp
import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.web.access_options import AccessOptions
from HNTargetSegLib.web.access_uploads import UploadLimits, safe_name, unpack_archives


def _named_form(files):
    form = aiohttp.FormData(quote_fields=False)
    for name, content in files.items():
        form.add_field("files", io.BytesIO(content), filename=name)
    return form


def _zip(entries):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


async def _send(page, form, origin=None):
    headers = {"Origin": origin or page.address}
    async with page.client.post(page.address + "/uploads", data=form, headers=headers) as answer:
        return answer.status, await answer.json() if answer.content_type == "application/json" else {}


def _one_upload(serve, form, limits=None):
    """Send a form as the page does; status, answer, and what was received."""
    found = []

    async def play(page):
        await page.enter()
        found.extend(await _send(page, form))
        found.append(page.received)

    serve(play, AccessOptions(upload=limits or UploadLimits()))
    return found


def test_files_arrive_under_their_paths(serve):
    form = _named_form({"mid.nii.gz": b"x", "patient/pre/IM0001": b"y"})
    assert _one_upload(serve, form) == [200, {"files": 2}, [["mid.nii.gz", "patient/pre/IM0001"]]]


def test_a_zip_is_unpacked(serve):
    form = _named_form({"patient.zip": _zip({"pre/1.dcm": b"x", "mid/1.dcm": b"y"})})
    assert _one_upload(serve, form) == [200, {"files": 1}, [["patient/mid/1.dcm", "patient/pre/1.dcm"]]]


@pytest.mark.parametrize("name", ["../../evil", "a/../../evil", "..\\evil", "C:\\evil", "con"])
def test_a_file_that_would_lie_elsewhere_is_refused(serve, name):
    status, answer, received = _one_upload(serve, _named_form({name: b"x"}))
    assert (status, received) == (400, [])
    assert "name that cannot be used" in answer["error"]["message"]


def test_an_archive_that_leads_outside_is_refused(serve):
    status, answer, received = _one_upload(serve, _named_form({"a.zip": _zip({"../../evil": b"x"})}))
    assert (status, received) == (400, [])
    assert "outside its folder" in answer["error"]["message"]


def test_an_archive_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("way out")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadInputError, match="a link or device"):
        unpack_archives(tmp_path, UploadLimits())


def test_an_archive_that_unpacks_to_too_much_is_refused(serve):
    bomb = _zip({"zeros": bytes(80_000_000)})
    status, answer, received = _one_upload(serve, _named_form({"bomb.zip": bomb}), UploadLimits(size=1_000_000))
    assert (status, received) == (400, [])
    assert "would unpack to 80 MB" in answer["error"]["message"]


def test_an_upload_that_is_too_large_is_refused(serve):
    status, answer, received = _one_upload(serve, _named_form({"a": bytes(3000)}), UploadLimits(size=1000))
    assert (status, received) == (413, [])
    assert "more than 0.001 MB" in answer["error"]["message"]


def test_too_many_files_are_refused(serve):
    form = _named_form({f"{number}.dcm": b"x" for number in range(4)})
    status, answer, received = _one_upload(serve, form, UploadLimits(files=3))
    assert (status, received) == (413, [])
    assert "more than 3 files" in answer["error"]["message"]


def test_two_files_of_one_name_are_refused(serve):
    form = aiohttp.FormData()
    for content in (b"x", b"y"):
        form.add_field("files", content, filename="mid.nii.gz")
    assert _one_upload(serve, form)[0] == 400


def test_an_upload_of_nothing_is_refused(serve):
    form = aiohttp.FormData()
    form.add_field("text", "no file", content_type="text/plain")
    status, answer, _ = _one_upload(serve, form)
    assert status == 400
    assert "error" in answer


def test_an_upload_from_another_page_is_refused(serve):
    async def play(page):
        await page.enter()
        assert (await _send(page, _named_form({"a": b"x"}), "http://evil.example"))[0] == 403
        assert page.received == []

    serve(play)


def test_an_upload_without_the_cookie_is_refused(serve):
    async def play(page):
        assert (await _send(page, _named_form({"a": b"x"})))[0] == 403
        assert page.received == []

    serve(play)


def test_what_was_sent_is_gone_when_the_review_ends(serve, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def play(page):
        await page.enter()
        await _send(page, _named_form({"a": b"x"}))
        assert [path.name for path in tmp_path.rglob("a")] == ["a"]

    serve(play)
    assert list(tmp_path.rglob("a")) == []


def test_a_safe_name_keeps_folders_and_odd_letters():
    assert safe_name("Müller, A/prä RT/IM 1") == PurePosixPath("Müller, A/prä RT/IM 1")


@pytest.mark.parametrize(
    "name", ["", ".", "/", "a/" * 9 + "a", "x" * 201, "nul.txt", 'a"b', "a\0b", "a\x07b", "..", "/etc/evil"]
)
def test_a_name_that_no_disk_should_see_is_refused(name):
    with pytest.raises(BadInputError):
        safe_name(name)


def test_an_archive_beside_a_folder_of_its_name_does_not_mix_with_it(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "old").write_bytes(b"x")
    (tmp_path / "p.zip").write_bytes(_zip({"new": b"y"}))
    unpack_archives(tmp_path, UploadLimits())
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["p.zip unpacked/new", "p/old"]
