"""Settings of the module: reviewer, interpreter, models, storage; and what is shown where packages are missing."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pytest
from PySide6 import QtWidgets
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import OpenModule, opened, small_patient
from Testing.slicerhost.standins import packaging

CHECK_SECONDS = 90
PACKAGES = (
    "numpy",
    "scipy",
    "SimpleITK",
    "torch",
    "nnunetv2",
    "safetensors",
    "pydicom",
    "matplotlib",
    "psutil",
    "tqdm",
)


@pytest.mark.dialect("attributes")
def test_reviewer_is_kept_and_stands_in_the_export(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _write_name(module, "Reader 1")
    host.begin()
    with opened(host, tmp_path) as module:
        assert host.find("reviewerEdit").text() == "Reader 1"
        module.open_folder(small_patient())
        module.tab("Export")
        host.write("folderEdit", str(tmp_path / "out"))
        host.press("exportButton")
        assert json.loads((tmp_path / "out" / "manifest.json").read_text())["reviewer"] == "Reader 1", module.messages()


@pytest.mark.dialect("methods")
def test_interpreter_that_works_is_described(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        text = _checked(module, sys.executable)
        assert "It can run the models." in text
        assert "torch" in text


@pytest.mark.skipif(sys.platform == "win32", reason="made with a shell script")
@pytest.mark.dialect("attributes")
@pytest.mark.parametrize(("content", "said"), [("just text\n", "is no Python"), (None, "does not exist")])
def test_interpreter_that_is_no_python_is_refused(host: Host, tmp_path: Path, content: str | None, said: str) -> None:
    program = tmp_path / "program"
    if content is not None:
        program.write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with opened(host, tmp_path) as module:
        assert said in _checked(module, str(program))
        assert said in module.messages()


@pytest.mark.skipif(sys.platform == "win32", reason="made with a shell script")
@pytest.mark.dialect("methods")
def test_interpreter_without_torch_is_told_of_by_check_and_by_a_run(host: Host, tmp_path: Path) -> None:
    bare = tmp_path / "bare python"
    # Isolated and without site-packages: a Python that has nothing installed.
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', encoding="utf-8")
    bare.chmod(bare.stat().st_mode | stat.S_IXUSR)
    with opened(host, tmp_path) as module:
        text = _checked(module, str(bare))
        assert "It cannot run the models." in text
        assert "torch" in text
        module.open_folder(small_patient())
        module.begin_run("mid")
        module.end_run()
        assert module.cells("Lesion") == []
        assert module.messages()


@pytest.mark.dialect("attributes")
def test_model_is_added_verified_and_removed(host: Host, tmp_path: Path) -> None:
    from HNTargetSegLib.models.store import InstallOptions, ModelStore

    shipped = ModelStore.default_store().default().folder
    source = ModelStore(tmp_path / "elsewhere").install(shipped, InstallOptions(name="mine")).folder
    with opened(host, tmp_path) as module:
        module.tab("Settings")
        host.answers.expect("Folder of a model", str(source))
        host.press("installFolderButton")
        assert _models(host) == ["phantom-baseline", "mine"]
        host.click_row("modelTable", 1)
        host.press("verifyButton")
        assert "Every file of mine is as its card says" in module.messages()
        (tmp_path / "models" / "mine" / "plans.json").write_text("{}", encoding="utf-8")
        shutil.copy(source / "plans.json", tmp_path / "models" / "mine" / "more.json")
        host.press("verifyButton")
        host.answers.expect("Delete the model mine", QtWidgets.QMessageBox.StandardButton.Ok)
        host.press("removeButton")
        assert _models(host) == ["phantom-baseline"]
        host.click_row("modelTable", 0)
        host.answers.expect("Delete the model phantom-baseline", QtWidgets.QMessageBox.StandardButton.Ok)
        host.press("removeButton")
        assert "came with HNTargetSeg and stays" in module.messages()


@pytest.mark.dialect("methods")
def test_cache_is_deleted_when_asked(host: Host, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "sample").mkdir(parents=True)
    (cache / "sample" / "image").write_bytes(bytes(3_000_000))
    with opened(host, tmp_path, HNTARGETSEG_CACHE=str(cache)) as module:
        module.tab("Settings")
        assert "3.0 MB" in host.find("cacheLabel").text()
        host.answers.expect("Delete converted networks", QtWidgets.QMessageBox.StandardButton.Cancel)
        host.press("cacheButton")
        assert (cache / "sample").is_dir()
        host.answers.expect("Delete converted networks", QtWidgets.QMessageBox.StandardButton.Ok)
        host.press("cacheButton")
        assert list(cache.iterdir()) == []


@pytest.mark.dialect("attributes")
def test_missing_packages_are_named_and_installed_only_when_agreed(host: Host, tmp_path: Path) -> None:
    with _without("nnunetv2", "safetensors"), opened(host, tmp_path):
        assert "nnunetv2, safetensors" in host.find("missingLabel").text()
        assert packaging.host_installs == []
        host.answers.expect("Install Python Packages", QtWidgets.QMessageBox.StandardButton.Cancel)
        host.press("installButton")
        assert packaging.host_installs == []
        host.answers.expect("Install Python Packages", QtWidgets.QMessageBox.StandardButton.Ok)
        host.press("installButton")
        assert [[re.split("[<>]", one)[0] for one in asked] for asked in packaging.host_installs] == [
            ["nnunetv2", "safetensors"]
        ]
        host.press("laterButton")
        assert not host.find("Missing").isVisible()


@pytest.mark.dialect("methods")
def test_missing_torch_is_left_to_the_pytorch_extension(host: Host, tmp_path: Path) -> None:
    with _without("torch"), opened(host, tmp_path):
        assert "install it in the Extensions Manager" in host.find("missingLabel").text()
        host.press("installButton")
        assert packaging.host_installs == []


@pytest.mark.dialect("attributes")
def test_module_opens_where_python_has_nothing_and_comes_to_life_when_it_has(host: Host, tmp_path: Path) -> None:
    from HNTargetSegLib.desktop.reloading import forget_library

    forget_library()  # or what was imported before would hide what an import needs
    with _without(*PACKAGES) as blocked, opened(host, tmp_path) as module:
        assert module.logic is None
        assert "SimpleITK should have come with Slicer" in host.find("missingLabel").text()
        blocked.release()
        module.widget.screen.try_again()
        host.process()
        assert host.find("tabs").isVisible()


class _Blocked(MetaPathFinder):
    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = set(names)
        self.hidden = {name: module for name, module in sys.modules.items() if name.split(".")[0] in names}

    def release(self) -> None:
        """From now on the packages are there."""
        self.names.clear()
        sys.modules.update(self.hidden)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named '{fullname}'", name=fullname)


@contextmanager
def _without(*names: str) -> Iterator[_Blocked]:
    """Python as it is where these packages are not installed."""
    known = importlib.metadata.version

    def version(name: str) -> str:
        if name in finder.names:
            raise importlib.metadata.PackageNotFoundError(name)
        return known(name)

    finder = _Blocked(names)
    for name in finder.hidden:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    importlib.metadata.version = version
    try:
        yield finder
    finally:
        importlib.metadata.version = known
        sys.meta_path.remove(finder)
        finder.release()


def _write_name(module: OpenModule, name: str) -> None:
    module.tab("Settings")
    module.host.write("reviewerEdit", name)
    module.host.press_key("Return", module.host.find("reviewerEdit"))


def _checked(module: OpenModule, interpreter: str) -> str:
    """Name an interpreter and press "Check"."""
    module.tab("Settings")
    module.host.write("interpreterEdit", interpreter)
    module.host.press("checkButton")
    label = module.host.find("interpreterLabel")
    module.host.wait_until(module.host.find("checkButton").isEnabled, CHECK_SECONDS, "the check")
    return str(label.text())


def _models(host: Host) -> list[str]:
    table = host.find("modelTable")
    return [table.item(row, 0).text() for row in range(table.rowCount())]
