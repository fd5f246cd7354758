"""The addresses: in one file, the same everywhere, and checked when they are real."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from Testing.check_links import ADDRESSES, check

from HNTargetSegLib import links

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("name", "address"),
    [("HOMEPAGE", links.HOMEPAGE), ("ICONURL", links.ICON), ("SCREENSHOTURLS", " ".join(links.SCREENSHOTS))],
)
def test_cmake_has_the_addresses_of_the_one_file(repository: Path, name: str, address: str) -> None:
    text = (repository / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"\)', text) == [address]


def test_the_index_entry_has_the_repository_of_the_one_file(repository: Path) -> None:
    entry = json.loads((repository / "HNTargetSeg.json").read_text(encoding="utf-8"))
    assert entry["scm_url"] == links.REPOSITORY


def test_no_other_module_file_names_an_example_address(repository: Path) -> None:
    module = repository / "HNTargetSeg"
    naming = [path for path in module.rglob("*.py") if "example.org" in path.read_text(encoding="utf-8")]
    assert naming == [module / "HNTargetSegLib" / "links.py"]


def test_the_pictures_behind_the_addresses_are_in_the_repository(repository: Path) -> None:
    for file in (links.ICON_FILE, *links.SCREENSHOT_FILES):
        assert (repository / file).read_bytes().startswith(PNG), file


def test_every_address_of_the_file_is_checked() -> None:
    named = {value for name, value in vars(links).items() if name.isupper() and str(value).startswith("https://")}
    assert named | set(links.SCREENSHOTS) == set(ADDRESSES.values())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://example.org/a", True),
        ("https://www.example.com", True),
        ("https://seg.example/a", True),
        ("https://notexample.org/a", False),
        ("https://slicer.org/example.org", False),
    ],
)
def test_only_reserved_domains_are_examples(address: str, expected: bool) -> None:
    assert links.is_example(address) is expected


def test_example_addresses_are_reported_as_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert check({"homepage": "https://example.org/hntargetseg"}) == 0
    assert "not run: the addresses are examples" in capsys.readouterr().out


def test_real_addresses_are_asked_for(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check({"homepage": f"{server}/page", "icon": f"{server}/icon.png"}) == 0
    assert "not run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [("homepage", "nothing", "404"), ("icon", "page", "is text/html, not a picture")],
)
def test_an_address_that_leads_nowhere_fails_the_check(
    server: str, capsys: pytest.CaptureFixture[str], name: str, path: str, expected: str
) -> None:
    assert check({name: f"{server}/{path}", "issues": "https://example.org/issues"}) == 1
    assert expected in capsys.readouterr().out


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a server of this machine with one page and one picture."""
    kinds = {"/page": "text/html", "/icon.png": "image/png"}

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in kinds else 404)
            self.send_header("Content-Type", kinds.get(self.path, "text/plain"))
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
