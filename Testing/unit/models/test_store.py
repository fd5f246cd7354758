"""The model store: install from every kind of source, and all that is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from HNTargetSegLib.errors import ModelError, OutputError
from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import store_from_results
from HNTargetSegLib.models.store import InstallOptions, ModelStore, user_models_folder

TINY = "Dataset777_Tiny"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    (tmp_path / "shipped").mkdir()
    return ModelStore(tmp_path / "Benutzer äöü" / "my models", tmp_path / "shipped")


def zipped(folder: Path, root: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(root))
    return path


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve a folder without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def ship(store: ModelStore, results: Callable[..., Path], name: str, *, default: bool = False) -> None:
    assert store.shipped_folder is not None
    card = replace(unknown_card(name, Recipe.T2), default=default)
    store_from_results(results(f"for {name}"), store.shipped_folder / name, card)


def left_over(store: ModelStore) -> list[str]:
    return sorted(path.name for path in store.user_folder.iterdir()) if store.user_folder.is_dir() else []


def test_a_results_folder_becomes_a_model_with_a_card_that_says_unknown(
    store: ModelStore, results: Callable[..., Path]
) -> None:
    model = store.install(results(folds=("0", "2")))
    assert model.folder == store.user_folder / TINY
    assert model.folds == ("0", "2")
    assert model.card.recipe is Recipe.T2
    assert model.card.storage == "fp32"
    assert model.card.licence == "unknown"
    assert "Not tested by HNTargetSeg" in model.card.limits[0]
    assert store.list() == (model,)
    assert store.verify(TINY) == model
    assert left_over(store) == [TINY]
    assert not list(store.user_folder.rglob("*.pth"))


def test_half_precision_is_written_into_the_card(store: ModelStore, results: Callable[..., Path]) -> None:
    model = store.install(results(), InstallOptions(half=True))
    assert model.card.storage == "fp16"
    assert all(tensor.dtype == torch.float32 for tensor in model.weights("0").values())


def test_nnunets_own_export_installs(
    store: ModelStore, results: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nnunetv2.model_sharing.model_export as model_export
    import nnunetv2.utilities.file_path_utilities as paths

    root = tmp_path / "nnUNet results"
    folder = results(f"nnUNet results/{TINY}/nnUNetTrainer__nnUNetPlans__3d_fullres")
    (folder / "fold_0" / "validation").mkdir()
    (folder / "fold_0" / "validation" / "summary.json").write_text("{}")
    (folder / "fold_0" / "progress.png").write_bytes(b"")
    for module in (model_export, paths):
        monkeypatch.setattr(module, "nnUNet_results", str(root))
    monkeypatch.setattr(model_export, "maybe_convert_to_dataset_name", lambda name: name)
    monkeypatch.setattr(paths, "maybe_convert_to_dataset_name", lambda name: name)
    model_export.export_pretrained_model(TINY, str(tmp_path / "é.zip"), ("3d_fullres",), folds=(0,))
    with zipfile.ZipFile(tmp_path / "é.zip") as archive:
        assert f"{TINY}/nnUNetTrainer__nnUNetPlans__3d_fullres/plans.json" in archive.namelist()
    model = store.install(tmp_path / "é.zip")
    assert model.card.name == TINY
    assert model.card.metadata["origin"].startswith("file é.zip, SHA-256 ")
    assert left_over(store) == [TINY]


def test_a_zip_of_a_stored_model_keeps_the_card(
    store: ModelStore, results: Callable[..., Path], tmp_path: Path
) -> None:
    ship(store, results, "shipped one")
    original = store.get("shipped one")
    archive = zipped(original.folder, original.folder.parent, tmp_path / "a.zip")
    model = store.install(archive, InstallOptions(name="copy"))
    assert model.card == replace(original.card, name="copy")
    assert store.verify("copy").card.name == "copy"


def test_a_stored_model_with_a_changed_file_is_not_installed(
    store: ModelStore, results: Callable[..., Path], tmp_path: Path
) -> None:
    ship(store, results, "shipped one")
    copied = Path(shutil.copytree(store.get("shipped one").folder, tmp_path / "copied"))
    (copied / "dataset_fingerprint.json").write_text("{ }")
    with pytest.raises(ModelError, match=r"dataset_fingerprint\.json was changed"):
        store.install(copied, InstallOptions(name="copy"))
    assert left_over(store) == []


def test_a_file_address_needs_its_hash(store: ModelStore, results: Callable[..., Path], tmp_path: Path) -> None:
    archive = zipped(results(), tmp_path, tmp_path / "a b.zip")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    with pytest.raises(ModelError, match="No SHA-256"):
        store.install(archive.as_uri())
    with pytest.raises(ModelError, match=f"SHA-256 is {digest}"):
        store.install(archive.as_uri(), InstallOptions(sha256="0" * 64))
    assert left_over(store) == []
    assert store.install(archive.as_uri(), InstallOptions(sha256=digest)).card.name == TINY
    assert archive.exists()


def test_an_http_address_installs_and_leaves_no_download(
    store: ModelStore, results: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    archive = zipped(results(), tmp_path, tmp_path / "a.zip")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    seen: list[int] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/a.zip"
        model = store.install(address, InstallOptions(sha256=digest), lambda done, _: seen.append(done))
        server.shutdown()
        thread.join()
    assert model.card.metadata["origin"] == address
    assert seen[-1] == archive.stat().st_size
    assert [path for path in store.user_folder.rglob("*") if path.is_file() and TINY not in path.parts] == []


def test_a_local_zip_is_compared_with_the_hash_that_is_given(
    store: ModelStore, results: Callable[..., Path], tmp_path: Path
) -> None:
    archive = zipped(results(), tmp_path, tmp_path / "a.zip")
    with pytest.raises(ModelError, match="SHA-256 is"):
        store.install(archive, InstallOptions(sha256="0" * 64))


def test_a_hostile_zip_leaves_nothing_behind(store: ModelStore, results: Callable[..., Path], tmp_path: Path) -> None:
    archive = zipped(results(), tmp_path, tmp_path / "a.zip")
    with zipfile.ZipFile(archive, "a") as stream:
        stream.writestr("../../evil.txt", "x")
    with pytest.raises(ModelError, match="outside its folder"):
        store.install(archive)
    assert left_over(store) == []
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_model_that_fails_halfway_leaves_nothing(store: ModelStore, results: Callable[..., Path]) -> None:
    folder = results(folds=("0", "1"))
    (folder / "fold_1" / "checkpoint_final.pth").write_bytes(b"broken")
    with pytest.raises(ModelError, match="fold_1"):
        store.install(folder)
    assert left_over(store) == []


def test_two_channels_need_the_recipe(store: ModelStore, results: Callable[..., Path]) -> None:
    folder = results(channels=("T2", "gradient"))
    with pytest.raises(ModelError, match=r"--recipe t2\+gradient"):
        store.install(folder)
    assert store.install(folder, InstallOptions(recipe=Recipe.T2_GRADIENT)).card.recipe is Recipe.T2_GRADIENT


def test_a_name_in_use_is_refused_unless_replaced(store: ModelStore, results: Callable[..., Path]) -> None:
    folder = results()
    first = store.install(folder)
    with pytest.raises(ModelError, match=r"already.*--name.*--replace"):
        store.install(folder, InstallOptions(name=TINY.upper()))
    second = store.install(folder, InstallOptions(replace=True, half=True))
    assert second.folder == first.folder
    assert second.card.storage == "fp16"
    assert left_over(store) == [TINY]


def test_a_shipped_model_is_neither_replaced_nor_removed(store: ModelStore, results: Callable[..., Path]) -> None:
    ship(store, results, "demo")
    with pytest.raises(ModelError, match="already"):
        store.install(results("other"), InstallOptions(name="demo", replace=True))
    with pytest.raises(ModelError, match="came with HNTargetSeg"):
        store.remove("demo")
    assert store.is_shipped(store.get("demo"))


def test_removing_takes_the_folder_away(store: ModelStore, results: Callable[..., Path]) -> None:
    folder = store.install(results()).folder
    assert store.remove(TINY) == folder
    assert left_over(store) == []
    with pytest.raises(ModelError, match="no model"):
        store.remove(TINY)


@pytest.mark.parametrize("name", ["..", "../shipped", "", "."])
def test_nothing_outside_the_store_can_be_removed(store: ModelStore, results: Callable[..., Path], name: str) -> None:
    ship(store, results, "demo")
    store.install(results())
    with pytest.raises(ModelError, match="no model"):
        store.remove(name)
    assert len(store.list()) == 2


def test_a_broken_model_is_told_apart_and_can_be_removed(store: ModelStore, results: Callable[..., Path]) -> None:
    store.install(results(), InstallOptions(name="good"))
    broken = store.install(results("other"), InstallOptions(name="broken")).folder
    (broken / "plans.json").unlink()
    assert [model.card.name for model in store.list()] == ["good"]
    assert [str(error).split(": ")[0] for error in store.unreadable()] == [str(broken / "plans.json")]
    with pytest.raises(ModelError, match=r"plans\.json"):
        store.get("broken")
    store.remove("broken")
    assert store.unreadable() == ()


def test_verify_names_the_file_that_was_changed(store: ModelStore, results: Callable[..., Path]) -> None:
    model = store.install(results())
    weights = model.weights_file("0")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match=r"fold_0/weights\.safetensors was changed"):
        store.verify(TINY)


def test_an_unknown_name_names_the_nearest_and_all(store: ModelStore, results: Callable[..., Path]) -> None:
    store.install(results(), InstallOptions(name="hnts-demo"))
    with pytest.raises(ModelError, match=r"no model 'hnts-dmo'\. Did you mean 'hnts-demo'\? The models here are"):
        store.get("hnts-dmo")


def test_the_default_is_the_one_whose_card_says_so(store: ModelStore, results: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="No model is installed"):
        store.default()
    store.install(results("mine"), InstallOptions(name="a"))
    assert store.default().card.name == "a"
    ship(store, results, "b")
    assert store.default().card.name == "b"
    ship(store, results, "c", default=True)
    assert store.default().card.name == "c"


def test_the_default_of_the_user_comes_before_the_shipped_one(store: ModelStore, results: Callable[..., Path]) -> None:
    ship(store, results, "a", default=True)
    card = replace(unknown_card("mine", Recipe.T2), default=True)
    store_from_results(results("mine"), store.user_folder / "mine", card)
    assert store.default().card.name == "mine"


def test_a_user_model_does_not_hide_the_shipped_one_of_its_name(
    store: ModelStore, results: Callable[..., Path]
) -> None:
    ship(store, results, "demo", default=True)
    shipped = store.get("demo")
    copied = store_from_results(results("other"), store.user_folder / "copied", replace(shipped.card, name="demo"))
    assert store.get("demo") == store.verify("demo") == store.default() == shipped
    assert store.list() == (shipped,)
    (error,) = store.unreadable()
    assert error.path == str(copied.folder)
    assert "The name 'demo' belongs to the model in" in error.what
    assert all(word in error.remedy for word in ('models remove "copied"', "--name"))
    with pytest.raises(ModelError, match="belongs to"):
        store.get("copied")
    assert store.install(copied.folder, InstallOptions(name="kept")).card.name == "kept"
    assert store.remove("copied") == copied.folder
    assert [model.card.name for model in store.list()] == ["demo", "kept"]
    assert store.unreadable() == ()


def test_a_model_whose_labels_are_swapped_is_not_installed(store: ModelStore, results: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"dataset\.json: .*'GTVn' the label 1"):
        store.install(results(labels={"background": 0, "GTVn": 1, "GTVp": 2}))
    assert left_over(store) == []


def test_an_installed_folder_that_is_no_model_is_not_replaced(store: ModelStore, results: Callable[..., Path]) -> None:
    notes = store.user_folder / TINY / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("mine")
    with pytest.raises(OutputError, match="other files"):
        store.install(results(), InstallOptions(replace=True))
    assert notes.read_text() == "mine"


def test_what_an_earlier_removal_left_behind_is_not_in_the_way(store: ModelStore, results: Callable[..., Path]) -> None:
    folder = store.install(results()).folder
    left = store.user_folder / f".removing-{TINY}"
    left.mkdir()
    (left / "file").write_text("")
    assert store.remove(TINY) == folder
    assert store.list() == ()


def test_a_read_only_store_says_so_when_a_model_is_removed(
    results: Callable[..., Path], tmp_path: Path, small_disk: Callable[[int], Path]
) -> None:
    (tmp_path / "shipped").mkdir()
    store = ModelStore(tmp_path / "small disk" / "models", tmp_path / "shipped")
    store.install(results())
    small_disk(0)
    with pytest.raises(OutputError, match=r"could not be removed \(Read-only.*writable"):
        store.remove(TINY)
    assert store.verify(TINY).card.name == TINY


@pytest.mark.parametrize("source", ["missing.zip", "no such folder"])
def test_a_source_that_is_not_there_is_refused(store: ModelStore, source: str) -> None:
    with pytest.raises(ModelError, match="no such file or folder"):
        store.install(source)


def test_a_store_that_cannot_be_written_says_so(results: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    archive = zipped(results(), tmp_path, tmp_path / "a.zip")
    store = ModelStore(tmp_path / "file" / "models", tmp_path)
    with pytest.raises(OutputError, match="HNTARGETSEG_MODELS"):
        store.install(archive)


def test_the_users_folder_follows_environment_and_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(tmp_path / "mine"))
    assert user_models_folder() == tmp_path / "mine"
    monkeypatch.delenv("HNTARGETSEG_MODELS")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    expected = {
        "linux": tmp_path / ".local" / "share",
        "darwin": tmp_path / "Library" / "Application Support",
        "win32": tmp_path / "local",
    }
    for platform, base in expected.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert user_models_folder() == base / "HNTargetSeg" / "models"


def test_the_card_on_disk_is_plain_json(store: ModelStore, results: Callable[..., Path]) -> None:
    folder = store.install(results(), InstallOptions(licence="unchecked", notes=("Not tested here",))).folder
    content = json.loads((folder / "card.json").read_text())
    assert content["schema"] == 1
    assert content["basics"]["licence"] == "unchecked"
    assert "Not tested here" in content["basics"]["limits"]
