"""Downloads over a loopback server that answers well, badly, or half."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from HNTargetSegLib.errors import ModelError, OutputError
from HNTargetSegLib.models.download import download, is_address, local_file

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Sends CONTENT.

    ``breaks`` lists after how many bytes of the file the next answers break off.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.breaks: list[int] = []
        self.starts: list[int] = []
        self.ranges = True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.zip"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/page":
            self._send(200, b"<html>", "text/html")
        elif self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        elif self.path != "/model.zip":
            self.send_error(404)
        else:
            asked = self.headers.get("Range", "bytes=0-")
            start = int(asked[6:-1]) if self.server.ranges else 0
            self.server.starts.append(start)
            if start >= len(CONTENT):
                self.send_error(416)
            else:
                self._send(206 if start else 200, CONTENT[start:], "application/zip", start)

    def _send(self, status: int, body: bytes, kind: str, start: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        until = self.server.breaks.pop(0) - start if self.server.breaks else len(body)
        self.wfile.write(body[:until])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_file_with_the_right_hash_arrives_with_progress(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = download(server.address, tmp_path, DIGEST.upper(), lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_connection_that_breaks_is_continued_in_the_same_call(server: Server, tmp_path: Path) -> None:
    server.breaks = [300_000, 700_000]
    assert download(server.address, tmp_path, DIGEST).read_bytes() == CONTENT
    assert server.starts == [0, 300_000, 700_000]


def test_a_download_that_was_given_up_goes_on_in_the_next_call(server: Server, tmp_path: Path) -> None:
    server.breaks = [100_000, 200_000, 300_000]
    with pytest.raises(ModelError, match=r"broke off after 0\.3 MB.*goes on where it stopped"):
        download(server.address, tmp_path, DIGEST)
    assert download(server.address, tmp_path, DIGEST).read_bytes() == CONTENT
    assert server.starts[-1] == 300_000


def test_a_server_that_cannot_continue_starts_again(server: Server, tmp_path: Path) -> None:
    server.breaks, server.ranges = [300_000], False
    assert download(server.address, tmp_path, DIGEST).read_bytes() == CONTENT


def test_a_partial_file_that_is_too_long_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{DIGEST}.part").write_bytes(CONTENT + b"x")
    assert download(server.address, tmp_path, DIGEST).read_bytes() == CONTENT


def test_a_wrong_hash_names_both_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"SHA-256 is {DIGEST}, not {'0' * 64}"):
        download(server.address, tmp_path, "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("digest", "message"), [(None, "No SHA-256 is given"), ("abc", "is not a SHA-256")])
def test_without_a_hash_nothing_is_asked_for(server: Server, tmp_path: Path, digest: str | None, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        download(server.address, tmp_path, digest)
    assert server.starts == []


def test_a_page_instead_of_a_file_is_called_a_page(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a web page"):
        download(server.address.replace("model.zip", "page"), tmp_path, DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_server_is_passed_on(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="answers 404"):
        download(server.address + "x", tmp_path, DIGEST)


def test_a_redirection_to_a_local_file_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="answers 302"):
        download(server.address.replace("model.zip", "away"), tmp_path, DIGEST)


def test_an_address_without_server_is_unreachable(server: Server, tmp_path: Path) -> None:
    server.server_close()
    with pytest.raises(ModelError, match="cannot be reached"):
        download(server.address, tmp_path, DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_output_error(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Could not be made"):
        download(server.address, tmp_path / "file" / "downloads", DIGEST)


def test_addresses_are_told_from_names_and_paths() -> None:
    assert all(is_address(text) for text in ("https://a/b.zip", "HTTP://a/b", "file:///a/b.zip"))
    assert not any(is_address(text) for text in ("elitap-mid", "C:\\models\\a.zip", "/a/b.zip", "ftp://a/b"))


def test_a_file_address_is_a_path_on_this_machine() -> None:
    assert local_file("file:///a/b%20c.zip") == Path("/a/b c.zip")
    with pytest.raises(ModelError, match="another machine"):
        local_file("file://host/a.zip")
