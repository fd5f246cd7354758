"""`hntargetseg review` and what `hntargetseg demo` ends in."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from Testing.conftest import REPOSITORY

from HNTargetSegLib.cli.main import main


def test_a_folder_that_is_not_there_is_said_before_anything_is_loaded(capsys, tmp_path):
    assert main(["review", str(tmp_path / "none"), "--no-browser"]) == 2
    assert "There is no such folder" in capsys.readouterr().err


def test_only_a_certificate_is_refused(capsys, tmp_path):
    assert main(["review", "--no-browser", "--tls-cert", str(tmp_path / "a.pem")]) == 2
    assert "--tls-key" in capsys.readouterr().err


def test_without_trame_slicer_it_says_how_to_get_it(capsys, monkeypatch):
    # How Python marks a package that must not be imported.
    monkeypatch.setitem(sys.modules, "trame_slicer", None)
    assert main(["review", "--no-browser"]) == 5
    assert "pip install hntargetseg[web]" in capsys.readouterr().err


@pytest.mark.needs("egl")
def test_a_port_in_use_is_said_with_what_to_do(tmp_path):
    command = [sys.executable, "-m", "HNTargetSegLib.cli.main", "review", "--no-browser", "--port"]
    environment = {**os.environ, "HNTARGETSEG_SETTINGS": str(tmp_path), "HNTARGETSEG_CACHE": str(tmp_path)}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [*command, port], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    assert result.returncode == 2
    assert f"port {port}" in result.stderr
    assert "another --port" in result.stderr


@pytest.mark.needs("egl")
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process")
def test_the_link_opens_the_page_and_ctrl_c_ends_it_without_complaint(tmp_path):
    command = [sys.executable, "-m", "HNTargetSegLib.cli.main", "review", "--no-browser", "--json"]
    environment = {**os.environ, "HNTARGETSEG_SETTINGS": str(tmp_path), "HNTARGETSEG_CACHE": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            assert f":{said['port']}/?token=" in said["url"]
            assert urllib.request.urlopen(said["url"], timeout=20).status == 200
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(said["url"].split("?")[0], timeout=20)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, output, errors) == (0, "", "")
