"""What cannot be used is refused in a sentence, with an exit status, and nothing half-written is left."""

from __future__ import annotations

import resource
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import ErrorCode

Make = Callable[..., Volume]
Writer = Callable[[Path, Volume], Path]


def saved(path: Path, image: sitk.Image, compress: bool = True) -> Path:
    sitk.WriteImage(image, str(path), useCompression=compress)
    return path


def with_text(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    return path


def text_file(folder: Path, volume: Volume) -> Path:
    (folder / "report.txt").write_text("no image")
    return folder / "report.txt"


def text_named_as_an_image(folder: Path, volume: Volume) -> Path:
    (folder / "report.nii.gz").write_text("no image")
    return folder / "report.nii.gz"


def missing_file(folder: Path, volume: Volume) -> Path:
    return folder / "nowhere.nii.gz"


def empty_file(folder: Path, volume: Volume) -> Path:
    (folder / "empty.nii.gz").touch()
    return folder / "empty.nii.gz"


def truncated_gzip(folder: Path, volume: Volume) -> Path:
    path = saved(folder / "short.nii.gz", volume.to_sitk())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def two_dimensional(folder: Path, volume: Volume) -> Path:
    return saved(folder / "2D.nii.gz", sitk.GetImageFromArray(volume.array[0]))


def four_dimensional(folder: Path, volume: Volume) -> Path:
    return saved(folder / "4D.nii.gz", sitk.GetImageFromArray(np.stack([volume.array] * 2), isVector=False))


def not_a_number(folder: Path, volume: Volume) -> Path:
    image = volume.to_sitk()
    image[3, 3, 3] = float("nan")
    return saved(folder / "nan.nii.gz", image)


def all_zeros(folder: Path, volume: Volume) -> Path:
    return saved(folder / "zeros.nrrd", volume.with_array(np.zeros_like(volume.array)).to_sitk())


def single_slice(folder: Path, volume: Volume) -> Path:
    return saved(folder / "slice.nii.gz", volume.to_sitk()[:, :, 4:5])


def negative_spacing_in_metaimage(folder: Path, volume: Volume) -> Path:
    path = saved(folder / "negative.mha", volume.to_sitk(), compress=False)
    return with_text(path, b"ElementSpacing = 3 3 4", b"ElementSpacing = 3 3 -4")


def negative_spacing_in_nifti(folder: Path, volume: Volume) -> Path:
    path = saved(folder / "negative.nii", volume.to_sitk())
    content = bytearray(path.read_bytes())
    struct.pack_into("<f", content, 80, -3.0)  # pixdim[1]
    path.write_bytes(content)
    return path


def non_orthonormal_direction(folder: Path, volume: Volume) -> Path:
    path = saved(folder / "skewed.mha", volume.to_sitk(), compress=False)
    return with_text(path, b"TransformMatrix = 1 0 0 0 1 0", b"TransformMatrix = 1 0 0 0.2 1 0")


def folder_without_dicom(folder: Path, volume: Volume) -> Path:
    (folder / "series").mkdir()
    (folder / "series" / "notes.txt").write_text("no image")
    return folder / "series"


BAD_IMAGES: dict[Writer, str] = {
    text_file: "not an image",
    text_named_as_an_image: "not|no NIfTI",
    missing_file: "no such file",
    empty_file: "empty",
    truncated_gzip: "cut short",
    two_dimensional: "2|dimension",
    four_dimensional: "4|dimension",
    not_a_number: "NaN",
    all_zeros: "0 everywhere",
    single_slice: "single slice",
    negative_spacing_in_metaimage: "spacing.*-[34].* is not three positive numbers",
    negative_spacing_in_nifti: "spacing.*-[34].* is not three positive numbers",
    non_orthonormal_direction: "orthonormal|right angles",
    folder_without_dicom: "no .*DICOM",
}


@pytest.mark.parametrize("write", BAD_IMAGES, ids=lambda write: write.__name__)
def test_a_bad_image_is_refused_and_no_folder_is_made(
    segment: Any, refuses: Any, tmp_path: Path, head_with_blobs: Make, write: Writer
) -> None:
    path = write(tmp_path, head_with_blobs())
    before = sorted(tmp_path.rglob("*"))
    refuses(segment("--mid", path, "--output", tmp_path / "new" / "result"), path, BAD_IMAGES[write])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("write", [truncated_gzip, single_slice], ids=lambda write: write.__name__)
def test_a_refusal_in_json_has_code_path_and_remedy(
    segment: Any, tmp_path: Path, head_with_blobs: Make, write: Writer
) -> None:
    path = write(tmp_path, head_with_blobs())
    outcome = segment("--mid", path, "--output", tmp_path / "result", "--json")
    error = outcome.json["error"]
    assert (outcome.status, outcome.err) == (2, "")
    assert (error["code"], error["path"]) == ("BAD_INPUT", str(path))
    assert error["message"]
    assert error["remedy"]


def test_a_bad_second_visit_leaves_an_earlier_result_as_it_was(
    segment: Any, refuses: Any, tree: Any, tmp_path: Path, head_with_blobs: Make
) -> None:
    good, output = tmp_path / "T2.nii.gz", tmp_path / "result"
    write_volume(head_with_blobs(), good)
    segment("--pre", good, "--mid", good, "--output", output)
    before = tree(output)
    bad = single_slice(tmp_path, head_with_blobs())
    refuses(segment("--pre", good, "--mid", bad, "--output", output), bad, "single slice")
    assert tree(output) == before


def test_a_process_refuses_like_the_function(process: Any, refuses: Any, tmp_path: Path, head_with_blobs: Make) -> None:
    path = truncated_gzip(tmp_path, head_with_blobs())
    refuses(process("segment", "--mid", path, "--output", tmp_path / "result"), path, "cut short")
    assert not (tmp_path / "result").exists()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((), "No image was given.*--mid"),
        (("--visit", "both", "--mid", "x"), "needs the pre-RT image.*--pre"),
        (("--mid", "x", "--minimum-cc", "-1"), "minimum volume"),
        (("--mid", "x", "--step", "0"), "tile step"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_a_file_is_touched(
    segment: Any, tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    outcome = segment(*arguments, "--output", tmp_path / "result")
    assert outcome.status == 2
    assert outcome.err.startswith("hntargetseg: ")
    assert what.split(".*")[0] in outcome.err
    assert not (tmp_path / "result").exists()


@pytest.fixture
def patients(tmp_path: Path, head_with_blobs: Make) -> Path:
    """Two patients in the layout of the challenge, mid-RT only, with masks."""
    first = head_with_blobs()
    mask = first.with_array((first.array > 800).astype(np.uint8))
    # One image under two names would be one patient twice.
    for name, image in (("1", first), ("2", first.with_array(first.array + 1))):
        for kind, volume in (("T2", image), ("mask", mask)):
            write_volume(volume, tmp_path / "patients" / name / "midRT" / f"{name}_midRT_{kind}.nii.gz")
    return tmp_path / "patients"


def wrong_value(mask: Path) -> str:
    image = sitk.ReadImage(str(mask))
    image[4, 4, 4] = 3
    saved(mask, image)
    return "value 3; allowed are 0, 1, 2"


def wrong_grid(mask: Path) -> str:
    # The same place and size in mm with half as many slices.
    saved(mask, sitk.ReadImage(str(mask))[:, :, ::2])
    return "grid differs"


@pytest.mark.parametrize("spoil", [wrong_value, wrong_grid])
@pytest.mark.parametrize("part", ["--data", "--assess"])
def test_a_bad_mask_is_refused_before_training_starts(
    hntargetseg: Any, patients: Path, tmp_path: Path, spoil: Callable[[Path], str], part: str
) -> None:
    mask = patients / "2" / "midRT" / "2_midRT_mask.nii.gz"
    good = shutil.copytree(patients, tmp_path / "good")
    what = spoil(mask)
    data, assessed = (patients, good) if part == "--data" else (good, patients)
    options = [
        "--visit",
        "mid",
        "--preset",
        "demo",
        "--device",
        "cpu",
        "--name",
        "mine",
        "--output",
        tmp_path / "model",
    ]
    outcome = hntargetseg(
        *("train", "--data", data, "--assess", f"unseen={assessed}", "--workspace", tmp_path / "workspace", "--json"),
        *options,
    )
    error = outcome.json["error"]
    assert (outcome.status, error["code"], error["path"]) == (2, "BAD_INPUT", str(mask))
    assert what in error["message"]
    assert error["remedy"]
    assert not (tmp_path / "workspace").exists()
    assert not (tmp_path / "model").exists()


@pytest.fixture
def t2(tmp_path: Path, head_with_blobs: Make) -> Path:
    write_volume(head_with_blobs(), tmp_path / "T2.nii.gz")
    return tmp_path / "T2.nii.gz"


def test_an_output_under_a_file_is_refused(segment: Any, refuses: Any, t2: Path) -> None:
    output = t2 / "result"
    refuses(segment("--mid", t2, "--output", output), output, "cannot be written to.*Not a directory")


def test_an_output_that_is_a_file_is_refused(segment: Any, refuses: Any, t2: Path) -> None:
    content = t2.read_bytes()
    refuses(segment("--mid", t2, "--output", t2), t2, "cannot be written to")
    assert t2.read_bytes() == content


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
def test_an_output_that_no_rights_can_make_is_refused(segment: Any, refuses: Any, t2: Path) -> None:
    refuses(segment("--mid", t2, "--output", "/proc/result"), "/proc/result", "cannot be written to")


def test_an_output_on_a_read_only_disk_is_refused(
    segment: Any, refuses: Any, t2: Path, small_disk: Callable[[int], Path]
) -> None:
    output = small_disk(0) / "result"
    refuses(segment("--mid", t2, "--output", output), output, "Read-only file system")


def test_a_full_disk_leaves_the_earlier_result_as_it_was(
    segment: Any, refuses: Any, tree: Any, t2: Path, tmp_path: Path, small_disk: Callable[[int], Path]
) -> None:
    disk = small_disk(400_000)
    output = disk / "result"
    assert segment("--mid", t2, "--output", output, "--minimum-cc", "50").status == 0
    (disk / "rest").write_bytes(bytes(shutil.disk_usage(disk).free - 30_000))
    before = tree(output)
    refuses(segment("--mid", t2, "--output", output), output / "overlay.png", "No space left|disk is full")
    assert tree(output) == before


def test_a_disk_that_fills_up_at_the_second_visit_keeps_neither(
    segment: Any, refuses: Any, t2: Path, small_disk: Callable[[int], Path], tmp_path: Path
) -> None:
    segment("--mid", t2, "--output", tmp_path / "one")
    needed = sum(file.stat().st_size + 4096 for file in (tmp_path / "one").iterdir())
    disk = small_disk(int(1.5 * needed))
    outcome = segment("--pre", t2, "--mid", t2, "--output", disk / "new" / "result")
    refuses(outcome, disk / "new" / "result" / "midRT" / "overlay.png", "No space left|disk is full")
    assert sorted(path.name for path in disk.iterdir()) == ["ballast"]


@pytest.mark.parametrize(("limit", "file"), [(200, "segmentation.nii.gz"), (20_000, "overlay.png")])
def test_a_limit_on_file_sizes_leaves_nothing(
    process: Any, refuses: Any, t2: Path, tmp_path: Path, limit: int, file: str
) -> None:
    outcome = process(
        *("segment", "--mid", t2, "--output", tmp_path / "result", "--model", "blobs", "--device", "cpu"),
        *("--backend", "torch"),
        # Where coverage measures the child, its own file would meet the limit first.
        env={"COVERAGE_PROCESS_CONFIG": ""},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    refuses(outcome, tmp_path / "result" / file, "[Cc]ould not be written")
    assert not (tmp_path / "result").exists()


def test_cuda_without_a_gpu_is_a_missing_dependency(segment: Any, refuses: Any, t2: Path, tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    outcome = segment("--mid", t2, "--output", tmp_path / "result", "--device", "cuda")
    refuses(outcome, "", "sees no cuda device.*Choose device cpu", ErrorCode.MISSING_DEPENDENCY)
    assert not (tmp_path / "result").exists()


@pytest.mark.parametrize("file", ["plans.json", "dataset.json", "fold_0/weights.safetensors"])
def test_a_model_with_a_changed_file_is_refused_by_its_name(
    *, segment: Any, t2: Path, tmp_path: Path, blob_model: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    store = shutil.copytree(blob_model, tmp_path / "store")
    changed = store / "blobs" / file
    content = bytearray(changed.read_bytes())
    if file.endswith(".json"):
        content += b" "
    else:
        content[-1] ^= 1
    changed.write_bytes(content)
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(store))
    outcome = segment("--mid", t2, "--output", tmp_path / "result")
    assert outcome.status == 2
    assert f"{store / 'blobs'}: {file} was changed. Remove the model and install it again." in outcome.err
    assert not (tmp_path / "result").exists()


def test_a_model_that_is_not_there_is_refused_with_those_that_are(segment: Any, t2: Path, tmp_path: Path) -> None:
    outcome = segment("--mid", t2, "--output", tmp_path / "result", "--model", "blob")
    assert outcome.status == 2
    assert "There is no model 'blob'. Did you mean 'blobs'?" in outcome.err
    assert not (tmp_path / "result").exists()


def test_a_cache_that_cannot_be_written_does_not_stop_a_run(
    segment: Any, t2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(t2 / "cache"))
    outcome = segment("--mid", t2, "--output", tmp_path / "result", "--backend", "auto", "--json")
    assert outcome.status == 0
    assert len(outcome.json["mid"]["lesions"]) == 2
