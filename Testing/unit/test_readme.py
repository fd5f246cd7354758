"""The README's shell and Python blocks run as they stand, in the order in which they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(r"(?P<note><!-- not run in the tests: .+? -->\n)?```(?P<language>sh|python)\n(?P<code>.*?)```", re.S)


def blocks(repository):
    return list(BLOCK.finditer((repository / "README.md").read_text(encoding="utf-8")))


def test_every_block_runs(repository, tmp_path):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    runners = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
    for block in blocks(repository):
        if block["note"]:
            continue
        command = [*runners[block["language"]], block["code"]]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=280
        )
        assert result.returncode == 0, f"{block['code']}\n{result.stdout}\n{result.stderr}"
    assert (tmp_path / "result" / "midRT" / "lesions.csv").exists()


def test_only_set_up_review_console_dicom_and_training_are_left_out(repository):
    left_out = [block["code"] for block in blocks(repository) if block["note"]]
    assert len(left_out) == 6
    assert "make demo" in left_out[0]
    assert "hntargetseg review" in left_out[1]
    assert "openPatient" in left_out[2]
    assert "hntargetseg send" in left_out[3]
    assert "hntargetseg train" in left_out[4]
    assert "hntargetseg reproduce" in left_out[5]


@pytest.mark.parametrize("path", ["Resources/screenshots/module.png", "Resources/screenshots/review-compare.png"])
def test_pictures_of_the_readme_exist(repository, path):
    assert path in (repository / "README.md").read_text(encoding="utf-8")
    assert (repository / path).stat().st_size > 20_000
