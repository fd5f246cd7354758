"""What the page answers to whom."""

from __future__ import annotations

import argparse
import asyncio

import aiohttp
import msgpack
import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.web.access_options import AccessOptions, access_options, add_access_arguments


async def _call(socket, method, *args):
    """One remote call of wslink on an open websocket; its answer."""
    number = "system:c0:0" if method == "wslink.hello" else "rpc:c0:1"
    message = msgpack.packb({"wslink": "1.0", "id": number, "method": method, "args": list(args), "kwargs": {}})
    # One chunk: id, offset and whole size, as wslink's own client sends it.
    await socket.send_bytes(_chunk(message))
    return await socket.receive(timeout=5)


def _chunk(message):
    from wslink.chunking import generate_chunks

    return next(iter(generate_chunks(message, 0)))


PATHS = ("/", "/index.html", "/vue.global.js", "/nothing", "/ws", "/uploads")


def test_nothing_is_served_without_the_token(serve):
    async def play(page):
        assert [await page.status(path) for path in PATHS] == [403] * len(PATHS)
        assert await page.status("/?token=") == 403
        assert await page.status(f"/?token={page.access.token[:-1]}") == 403
        assert await page.status(f"/?token={page.access.token.swapcase()}") == 403

    serve(play)


def test_the_refusal_is_a_plain_page_that_says_what_to_do_and_gives_nothing_away(serve):
    async def play(page):
        async with page.client.get(page.address + "/?token=wrong") as answer:
            text = await answer.text()
            assert "Open the whole link that was printed" in text
            assert answer.content_type == "text/html"
            assert page.access.token not in text
            assert not answer.cookies

    serve(play)


def test_the_link_opens_the_page_and_the_cookie_keeps_it_open(serve):
    async def play(page):
        await page.enter()
        assert [await page.status(path) for path in ("/index.html", "/vue.global.js", "/")] == [200, 200, 302]

    serve(play)


def test_the_answer_to_the_link_goes_on_without_the_token(serve):
    async def play(page):
        async with page.client.get(page.access.link(page.server.port)) as answer:
            text = await answer.text()
            assert 'content="0;url=./index.html"' in text
            assert page.access.token not in text
            assert answer.headers["Referrer-Policy"] == "no-referrer"

    serve(play)


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(serve):
    async def play(page):
        async with page.client.get(page.access.link(page.server.port)) as answer:
            (cookie,) = answer.cookies.values()
            assert cookie["httponly"]
            assert cookie["samesite"] == "Strict"
            assert cookie.key == f"hntargetseg-{page.server.port}"
            assert page.access.token not in cookie.value

    serve(play)


def test_the_cookie_of_another_run_opens_nothing(serve):
    async def play(page):
        stale = {"Cookie": f"hntargetseg-{page.server.port}={'x' * 43}"}
        assert await page.status("/index.html", headers=stale) == 403

    serve(play)


def test_a_link_for_one_use_opens_the_page_once(serve):
    async def play(page):
        link = page.access.one_use_link(page.server.port).removeprefix(page.address)
        assert [await page.status(link), await page.status(link)] == [200, 403]
        assert await page.status(f"/?token={page.access.token}") == 200

    serve(play)


def test_a_strangers_host_name_is_refused_even_with_the_cookie(serve):
    async def play(page):
        await page.enter()
        cookie = "; ".join(f"{kept.key}={kept.value}" for kept in page.client.cookie_jar)
        for host, status in (("evil.example", 403), (f"localhost:{page.server.port}", 200)):
            assert await page.status("/index.html", headers={"Host": host, "Cookie": cookie}) == status

    serve(play)


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200)])
def test_what_another_site_asks_for_is_refused_even_with_the_cookie(serve, site, status):
    async def play(page):
        await page.enter()
        assert await page.status("/vue.global.js", headers={"Sec-Fetch-Site": site}) == status

    serve(play)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null", None])
def test_a_websocket_from_another_page_is_refused_even_with_the_cookie(serve, origin):
    async def play(page):
        await page.enter()
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await page.connect(origin)
        assert caught.value.status == 403

    serve(play)


def test_a_websocket_without_the_cookie_is_refused(serve):
    async def play(page):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await page.connect()
        assert caught.value.status == 403

    serve(play)


def test_the_pages_own_websocket_is_answered(serve):
    async def play(page):
        await page.enter()
        socket = await page.connect()
        answer = await _call(socket, "wslink.hello", {"secret": page.access.greeting})
        assert answer.type is aiohttp.WSMsgType.BINARY
        assert b"clientID" in answer.data
        await socket.close()

    serve(play)


def test_the_page_learns_its_greeting_and_the_common_one_is_refused(serve):
    async def play(page):
        await page.enter()
        async with page.client.post(page.address + "/paraview/", headers={"Origin": page.address}) as answer:
            assert (await answer.json())["secret"] == page.access.greeting
        socket = await page.connect()
        answer = await _call(socket, "wslink.hello", {"secret": "wslink-secret"})
        assert b"Authentication failed" in answer.data
        await socket.close()

    serve(play)


def test_a_later_tab_takes_over_and_the_earlier_one_is_told(serve):
    async def play(page):
        await page.enter()
        first = await page.connect()
        await _call(first, "wslink.hello", {"secret": page.access.greeting})
        second = await page.connect()
        told = await first.receive(timeout=5)
        assert b"review_open_elsewhere" in told.data
        assert (await first.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE)
        answer = await _call(second, "wslink.hello", {"secret": page.access.greeting})
        assert b"clientID" in answer.data
        await second.close()

    serve(play)


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/assets/..%5c..%5c..%5cetc/passwd",
        "/%252e%252e/etc/passwd",
        "//etc/passwd",
        "/assets//etc/passwd",
        "/file:///etc/passwd",
        "/index.html%00/../../etc/passwd",
        "/../core.py",
    ],
)
def test_no_file_beside_the_page_can_be_read(serve, path):
    async def play(page):
        await page.enter()
        cookie = "; ".join(f"{kept.key}={kept.value}" for kept in page.client.cookie_jar)
        # A client would tidy the path up: it is sent as it stands.
        reader, writer = await asyncio.open_connection("127.0.0.1", page.server.port)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
        writer.close()
        assert answer.split()[1] in (b"400", b"403", b"404"), answer[:200]
        assert b"root:" not in answer

    serve(play)


def test_every_answer_forbids_other_hosts_frames_and_sniffing(serve):
    async def play(page):
        await page.enter()
        for path in ("/index.html", "/nothing", "/vue.global.js"):
            async with page.client.get(page.address + path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy
                assert "frame-ancestors 'none'" in policy
                assert "http" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"

    serve(play)


def test_pages_are_not_kept_by_the_browser_but_scripts_are(serve):
    async def play(page):
        await page.enter()
        async with page.client.get(page.address + "/index.html") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
        async with page.client.get(page.address + "/vue.global.js") as answer:
            assert "Cache-Control" not in answer.headers

    serve(play)


def test_an_unused_review_is_saved_and_ends(serve):
    async def play(page):
        await page.enter()
        for _ in range(100):
            if page.ended:
                break
            await asyncio.sleep(0.05)
        assert page.ended == [True]
        await asyncio.sleep(0.2)
        with pytest.raises(aiohttp.ClientConnectionError):
            await page.status("/")

    serve(play, AccessOptions(idle_minutes=0.5 / 60))


def test_a_refused_request_does_not_keep_a_review_alive(serve):
    async def play(page):
        for _ in range(100):
            if page.ended:
                break
            try:
                await page.status("/index.html")
            except aiohttp.ClientConnectionError:
                break
            await asyncio.sleep(0.05)
        assert page.ended == [True]

    serve(play, AccessOptions(idle_minutes=0.5 / 60))


def test_the_link_names_this_machine_only_unless_it_is_asked_for():
    assert not AccessOptions().on_network
    assert AccessOptions().warnings() == ()


def test_the_network_is_warned_of_twice_without_tls(tmp_path):
    plain = AccessOptions(host="0.0.0.0")
    assert any("not encrypted" in line for line in plain.warnings())
    encrypted = AccessOptions(host="0.0.0.0", certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")
    assert not any("not encrypted" in line for line in encrypted.warnings())
    assert encrypted.warnings()


def _options(*arguments):
    parser = argparse.ArgumentParser()
    add_access_arguments(parser)
    return access_options(parser.parse_args(arguments))


def test_the_options_of_the_command_line_arrive():
    options = _options("--host", "::1", "--port", "8081", "--public-name", "a.example", "--idle-minutes", "0")
    assert options == AccessOptions(host="::1", port=8081, names=("a.example",), idle_minutes=0.0)


def test_a_certificate_without_its_key_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="--tls-key"):
        _options("--tls-cert", str(tmp_path / "c.pem"))


def test_a_certificate_that_is_none_is_refused(tmp_path):
    (tmp_path / "c.pem").write_text("no certificate")
    with pytest.raises(BadInputError, match="PEM"):
        _options("--tls-cert", str(tmp_path / "c.pem"), "--tls-key", str(tmp_path / "c.pem"))


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--port", "x"), ("--idle-minutes", "-1")])
def test_impossible_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        _options(*arguments)
    assert "argument" in capsys.readouterr().err
