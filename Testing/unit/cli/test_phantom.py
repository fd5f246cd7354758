"""`hntargetseg phantom`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.read import read_mask, read_volume

TINY = ("--size", "24", "28", "12", "--spacing", "8", "8", "12")


def test_patients_are_written_in_the_layout_of_the_challenge(hntargetseg: Any, tmp_path: Path) -> None:
    outcome = hntargetseg("phantom", "--cases", "2", "--seed", "5", *TINY, "--output", tmp_path / "new" / "all")
    assert (outcome.status, outcome.err) == (0, "")
    folders = [tmp_path / "new" / "all" / name for name in ("1", "2")]
    assert outcome.out.splitlines() == [str(folder) for folder in folders]
    assert sorted(path.name for path in (tmp_path / "new" / "all").iterdir()) == ["1", "2"]
    for patient, folder in zip(discover(tmp_path / "new" / "all"), folders, strict=True):
        assert (folder / f"{patient.name}_truth.json").is_file()
        for image, mask in ((patient.pre, patient.pre_mask), (patient.mid, patient.mid_mask)):
            volume = read_volume(image)
            assert volume.geometry.size == (24, 28, 12)
            assert volume.spacing == pytest.approx((8, 8, 12))
            read_mask(mask, like=volume)


def test_the_same_seed_gives_the_same_patient_and_another_another(
    hntargetseg: Any, tree: Callable[[Path], dict[str, bytes]], tmp_path: Path
) -> None:
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        outcome = hntargetseg("phantom", "--seed", seed, *TINY, "--output", tmp_path / name, "--json")
        assert outcome.json == {"patients": [str(tmp_path / name / "1")]}
    first, same, other = (tree(tmp_path / name) for name in "abc")
    assert first == same
    image = "1/midRT/1_midRT_T2.nii.gz"
    assert first[image] != other[image]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--cases", "0"), "--cases is 0"),
        (("--seed", "-1"), "'-1' is not a whole number from 0 up"),
        (("--style", "c"), "invalid choice: 'c'"),
        (("--size", "0", "5", "5"), "cannot be made"),
        (("--spacing", "1", "nan", "1"), "cannot be made|non-finite"),
        (("--spacing", "1", "-1", "1"), "cannot be made"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    hntargetseg: Any, tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    outcome = hntargetseg("phantom", *arguments, "--output", tmp_path / "patients")
    assert outcome.status == 2
    assert any(part in outcome.err for part in what.split("|")), outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "patients").exists()


def test_a_full_disk_keeps_whole_patients_only(
    hntargetseg: Any, tmp_path: Path, small_disk: Callable[[int], Path]
) -> None:
    hntargetseg("phantom", *TINY, "--output", tmp_path / "one")
    needed = sum(-(-path.stat().st_size // 4096) * 4096 for path in (tmp_path / "one").rglob("*.*"))
    disk = small_disk(int(2.5 * needed))
    outcome = hntargetseg("phantom", "--cases", "9", *TINY, "--output", disk / "all")
    assert outcome.status == 2
    assert f"hntargetseg: {disk / 'all'}/" in outcome.err
    assert "disk is full" in outcome.err or "No space left" in outcome.err
    kept = sorted(path.name for path in (disk / "all").iterdir())
    assert kept in (["1"], ["1", "2"])
    for name in kept:
        assert len(list((disk / "all" / name).rglob("*.*"))) == 7


def test_an_output_under_a_file_is_refused_at_once(hntargetseg: Any, refuses: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "patients"
    refuses(hntargetseg("phantom", "--cases", "100000", "--output", output), output, "cannot be written to")
