"""`hntargetseg send`, and `export` with sending and de-identification, against nodes of their own."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from Testing.unit.export.dicom_nodes import TITLE, certificates, listening, unused_port
from Testing.unit.export.mr_series import write_mr_series

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import ErrorCode

# pynetdicom leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

GEOMETRY = Geometry((32, 30, 6), (2.0, 2.0, 4.0))
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


@pytest.fixture(autouse=True)
def no_socket_is_left_to_later_tests() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def exported(tmp_path: Path) -> list[str | Path]:
    """Arguments of an export of a tumour; it goes to ``out``."""
    folder = write_mr_series(tmp_path / "series", GEOMETRY, PatientName="Tell^Wilhelm", PatientID="ID-4815")
    labels = np.zeros(GEOMETRY.shape, np.uint8)
    labels[1:4, 8:16, 8:16] = 1
    write_volume(Volume(labels, GEOMETRY), tmp_path / "mask.nii.gz")
    return ["export", "--segmentation", tmp_path / "mask.nii.gz", "--series", folder, "--output", tmp_path / "out"]


def address(node: Any) -> str:
    return f"{node.host}:{node.port}:{node.called}"


def test_a_folder_and_a_file_are_sent_and_counted(hntargetseg: Any, exported: list[str | Path], tmp_path: Path) -> None:
    assert hntargetseg(*exported).status == 0
    with listening() as (node, received):
        arguments = (tmp_path / "series", tmp_path / "out" / "seg.dcm", "--node", address(node), "--check")
        outcome = hntargetseg("send", *arguments)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"7 objects arrived at {node}\n"
    assert len(received) == 7


def test_check_alone_asks_and_sends_nothing(hntargetseg: Any) -> None:
    with listening(titles=("PLANNING",)) as (node, received):
        outcome = hntargetseg("send", "--node", address(node), "--check", "--calling", "PLANNING", "--json")
        assert outcome.json == {"node": str(node), "answers": True}
        outcome = hntargetseg("send", "--node", address(node), "--check")
        assert (outcome.status, outcome.out) == (ErrorCode.BAD_INPUT, "")
        assert "Calling AE title not recognised" in outcome.err
    assert not received


def test_what_the_node_refuses_is_told_and_ends_with_2(
    hntargetseg: Any, exported: list[str | Path], tmp_path: Path
) -> None:
    hntargetseg(*exported)
    with listening(kinds=(RTSTRUCT,)) as (node, _):
        outcome = hntargetseg("send", tmp_path / "out", "--node", address(node))
        assert (outcome.status, outcome.out) == (ErrorCode.BAD_INPUT, "")
        assert "1 of 2 objects arrived" in outcome.err
        assert outcome.err.count("\n") == 1
        outcome = hntargetseg("send", tmp_path / "out", "--node", address(node), "--json")
    assert outcome.status == ErrorCode.BAD_INPUT
    fates = {Path(item["path"]).name: item["fate"] for item in outcome.json["objects"]}
    assert fates == {"rtstruct.dcm": "arrived", "seg.dcm": "refused"}
    assert outcome.json["complete"] is False


def test_export_sends_what_it_wrote(hntargetseg: Any, exported: list[str | Path], tmp_path: Path) -> None:
    with listening() as (node, received):
        outcome = hntargetseg(*exported, "--send", address(node), "--json")
    assert outcome.status == 0
    assert outcome.json["sent"]["complete"] is True
    assert {data.SOPInstanceUID for data in received} == {
        pydicom.dcmread(tmp_path / "out" / name).SOPInstanceUID for name in ("seg.dcm", "rtstruct.dcm")
    }


def test_files_stay_when_the_node_is_not_there(hntargetseg: Any, exported: list[str | Path], tmp_path: Path) -> None:
    outcome = hntargetseg(*exported, "--send", f"127.0.0.1:{unused_port()}:{TITLE}")
    assert outcome.status == ErrorCode.BAD_INPUT
    assert "cannot be reached" in outcome.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"seg.dcm", "rtstruct.dcm", "manifest.json"}


def test_a_deidentified_export_is_sent_with_its_images_and_comes_back_as_a_mask(
    hntargetseg: Any, exported: list[str | Path], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    options = ("--deidentify", "basic,dates", "--deidentify-key", key, "--with-images")
    with listening() as (node, received):
        outcome = hntargetseg(*exported, *options, "--send", address(node))
    assert (outcome.status, outcome.err) == (0, "")
    assert "Nobody has reviewed GTVp." in outcome.out
    assert len(received) == 2 + GEOMETRY.size[2]
    assert len({data.PatientID for data in received}) == 1
    for path in (path for path in (tmp_path / "out").rglob("*") if path.is_file()):
        assert not [word for word in (b"Tell", b"ID-4815", str(tmp_path).encode()) if word in path.read_bytes()]
    out, mask = tmp_path / "out", tmp_path / "back.nii.gz"
    outcome = hntargetseg("import", out / "rtstruct.dcm", "--series", out / "images", "--output", mask)
    assert outcome.status == 0
    assert np.array_equal(read_volume(mask).array, read_volume(tmp_path / "mask.nii.gz").array)
    ids = {data.PatientID for data in received}
    assert hntargetseg(*exported, *options).status == 0
    assert {pydicom.dcmread(out / "seg.dcm").PatientID} == ids


@pytest.mark.needs("openssl")
def test_certificates_are_looked_at_before_anything_is_written(
    hntargetseg: Any, exported: list[str | Path], tmp_path: Path
) -> None:
    certificate, key = certificates(tmp_path, "caller")
    node = ("--send", f"127.0.0.1:{unused_port()}:{TITLE}")
    for given, what in [
        (("--tls", "--tls-authority", tmp_path / "none.pem"), "none.pem: There is no such file"),
        (("--tls", "--tls-key", key), "a key but no certificate"),
        (("--tls-cert", certificate), "Certificates are of no use without --tls"),
    ]:
        outcome = hntargetseg(*exported, *node, *given)
        assert (outcome.status, outcome.out) == (ErrorCode.BAD_INPUT, "")
        assert what in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--deidentify", "full"), "'full' is no profile of de-identification"),
        (("--with-images",), "go with --deidentify"),
        (("--deidentify-key", "key"), "go with --deidentify"),
        (("--deidentify", "basic", "--format", "nifti,seg"), "works with DICOM objects, not with nifti"),
        (("--send", "host"), "'host' names no DICOM node"),
        (("--send", "host:104:A", "--format", "csv"), "works with DICOM objects, not with csv"),
        (("--send", "host:104:A", "--timeout", "0"), "impossible"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(
    hntargetseg: Any, exported: list[str | Path], tmp_path: Path, options: tuple[str, ...], what: str
) -> None:
    outcome = hntargetseg(*exported, *options)
    assert (outcome.status, outcome.out) == (ErrorCode.BAD_INPUT, "")
    assert what in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert not Path("key").exists()


def test_folders_without_dicom_and_no_paths_are_refused(hntargetseg: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = hntargetseg("send", tmp_path / "empty", "--node", "host:104:A")
    assert outcome.status == ErrorCode.BAD_INPUT
    assert "The folder holds no DICOM file" in outcome.err
    outcome = hntargetseg("send", "--node", "host:104:A")
    assert "There is nothing to send" in outcome.err


def test_a_refusal_in_json_is_one_document(hntargetseg: Any) -> None:
    outcome = hntargetseg("send", "x.dcm", "--node", "host:104:A", "--json")
    assert json.loads(outcome.out)["error"]["message"] == "There is no such file"
