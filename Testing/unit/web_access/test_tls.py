"""The page over https."""

from __future__ import annotations

import shutil
import ssl
import subprocess

import aiohttp
import pytest

from HNTargetSegLib.web.access_options import AccessOptions


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing")
    made, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


def test_with_a_certificate_the_page_is_served_encrypted_and_the_cookie_travels_only_so(serve, certificate):
    made, key = certificate
    trusted = ssl.create_default_context(cafile=str(made))

    async def play(page):
        link = page.access.link(page.server.port)
        assert link.startswith("https://127.0.0.1:")
        async with page.client.get(link, ssl=trusted) as answer:
            assert answer.status == 200
            (cookie,) = answer.cookies.values()
            assert cookie["secure"]
        async with page.client.get(page.address + "/index.html", ssl=trusted) as answer:
            assert answer.status == 200
        socket = await page.client.ws_connect(page.address + "/ws", headers={"Origin": page.address}, ssl=trusted)
        await socket.close()
        with pytest.raises(aiohttp.ClientError):
            await page.client.get(link.replace("https", "http"))

    serve(play, AccessOptions(certificate=made, key=key))
