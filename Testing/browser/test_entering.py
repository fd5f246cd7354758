"""Who gets in, and how the page begins and ends."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from Testing.browser.chromium import watch
from Testing.browser.driver import PATIENCE
from Testing.browser.review_process import start_review


@pytest.fixture(scope="module")
def served(serve, tmp_path_factory):
    """A review without a patient that may look into one folder only."""
    return serve("--root", tmp_path_factory.mktemp("root"))


def test_the_link_leads_to_the_first_screen_and_loses_its_token_on_the_way(served, visit):
    tab = visit(served)
    tab.open()
    tab.page.get_by_text("Sample patient").wait_for()
    assert "token" not in tab.page.url
    tab.page.go_back()
    assert "token" not in tab.page.url


def test_the_page_can_be_loaded_again_without_the_token(served, visit):
    tab = visit(served)
    tab.open()
    tab.page.reload()
    tab.page.get_by_text("Sample patient").wait_for()


def test_no_script_of_the_page_can_read_the_cookie(served, visit):
    tab = visit(served)
    tab.open()
    assert tab.page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong"])
def test_a_wrong_token_gets_a_plain_page_that_says_what_to_do(served, visit, query):
    tab = visit(served)
    answer = tab.page.goto(f"http://127.0.0.1:{served.port}/{query}")
    assert answer.status == 403
    assert tab.page.get_by_text("Open the whole link that was printed").is_visible()


def test_the_page_asks_no_other_host_for_anything(served, visit):
    tab = visit(served)
    tab.open()
    tab.page.get_by_text("Sample patient").wait_for()
    tab.page.wait_for_timeout(500)
    assert any(urlsplit(address).scheme == "ws" for address in tab.watched.requests)
    assert tab.watched.foreign(served.port) == []
    assert tab.watched.errors == []


def test_a_page_of_another_origin_reaches_neither_websocket_nor_picture_nor_upload(served, visit):
    tab = visit(served)
    tab.open()
    # Another program of this machine: its pages are of the same site, so that the cookie comes along.
    with _stranger() as address:
        tab.page.goto(address)
        found = tab.page.evaluate(_KNOCK, f"127.0.0.1:{served.port}")
    assert found == {"socket": "refused", "picture": "refused", "upload": "refused"}
    assert any("response code: 403" in line for line in tab.watched.errors)


@contextmanager
def _stranger():
    """Address of a page that another program of this machine serves."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>stranger</p>")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


_KNOCK = """async (host) => {
  const socket = await new Promise((resolve) => {
    const socket = new WebSocket(`ws://${host}/ws`);
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
  });
  const picture = await new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve("shown");
    image.onerror = () => resolve("refused");
    image.src = `http://${host}/logo.png`;
  });
  const form = new FormData();
  form.append("files", new Blob(["x"]), "x.nii");
  const upload = await fetch(`http://${host}/uploads`, { method: "POST", body: form, mode: "no-cors" })
    .then(() => "taken", () => "refused");
  return { socket, picture, upload };
}"""


def test_the_folder_dialog_shows_nothing_outside_its_roots(served, visit):
    tab = visit(served)
    tab.open()
    tab.page.get_by_text("Open a folder").click()
    field = tab.page.get_by_label("Folder", exact=True)
    for place in ("/etc", "/", "../..", "%2fetc"):
        field.fill(place)
        field.press("Enter")
        tab.page.get_by_text("There is no such file or folder among those").first.wait_for()
        assert not tab.page.get_by_text("passwd").is_visible()
        tab.page.get_by_label("Close the message").click()
    tab.page.keyboard.press("Escape")


def test_an_earlier_tab_is_told_of_a_later_one_and_can_take_the_review_back(served, visit):
    first, second = visit(served), visit(served)
    first.open()
    second.open()
    first.page.get_by_text("The review is open in another tab").wait_for()
    assert second.page.get_by_text("Sample patient").is_visible()
    first.page.get_by_text("Use it in this tab").click()
    first.page.get_by_text("Sample patient").wait_for()
    second.page.get_by_text("The review is open in another tab").wait_for()


def test_a_page_says_so_when_the_program_has_ended_and_the_program_ends_cleanly(tmp_path, visit):
    served = start_review(tmp_path)
    tab = visit(served)
    tab.open()
    assert served.stop() in (0, 4)
    tab.page.get_by_text("The review has ended").wait_for()
    assert "Traceback" not in served.text()


def test_a_review_that_nobody_uses_ends_although_its_tab_is_open(tmp_path, visit):
    served = start_review(tmp_path, "--idle-minutes", "0.1")
    tab = visit(served)
    try:
        tab.open()
        tab.page.get_by_text("The review has ended").wait_for()
        assert served.process.wait(30) == 0
    finally:
        served.stop()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")
def test_the_page_works_over_tls(tmp_path, browser):
    made, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", made], check=True, capture_output=True)
    served = start_review(tmp_path / "review", "--tls-cert", made, "--tls-key", key)
    context = browser.new_context(ignore_https_errors=True)
    try:
        page = context.new_page()
        watched = watch(page)
        page.goto(served.url)
        page.get_by_text("Sample patient").wait_for(timeout=PATIENCE)
        assert {urlsplit(address).scheme for address in watched.requests} <= {"https", "wss", "data", "blob"}
        assert f"wss://127.0.0.1:{served.port}/ws" in watched.requests
    finally:
        context.close()
        served.stop()
