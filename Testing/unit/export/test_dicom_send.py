"""Sending to a DICOM node: what arrives is what was sent, and every way in which a node can fail is told."""

from __future__ import annotations

import gc
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from Testing.unit.export.dicom_nodes import TITLE, certificates, listening, mute, unused_port
from Testing.unit.export.mr_series import change_headers

from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.errors import BadInputError, CancelledError, MissingDependencyError
from HNTargetSegLib.export.dicom_files import write_dicom
from HNTargetSegLib.export.dicom_node import Node, Tls
from HNTargetSegLib.export.dicom_send import Fate, send, verify
from HNTargetSegLib.lesions.lesion import LesionSet

# pynetdicom leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


@pytest.fixture(autouse=True)
def no_socket_is_left_to_later_tests() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def files(lesions: LesionSet, series: DicomSeries, tmp_path: Path) -> list[Path]:
    """A SEG, an RTSTRUCT and two slices."""
    write_dicom(tmp_path / "out", lesions, series, {})
    return [tmp_path / "out" / "seg.dcm", tmp_path / "out" / "rtstruct.dcm", *series.files[:2]]


def fates(delivery: Any) -> list[Fate]:
    return [parcel.fate for parcel in delivery.parcels]


def test_what_arrives_is_what_was_sent(files: list[Path]) -> None:
    counted: list[tuple[int, int]] = []
    with listening() as (node, received):
        verify(node)
        delivery = send(files, node, lambda done, total: counted.append((done, total)))
    assert fates(delivery) == [Fate.ARRIVED] * 4
    delivery.require_complete()
    assert counted == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for path, arrived in zip(files, received, strict=True):
        sent = pydicom.dcmread(path)
        assert arrived == sent
        assert arrived.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID


def test_the_node_is_told_who_calls_whom(files: list[Path]) -> None:
    with listening(titles=("PLANNING",)) as (node, _):
        named = Node(node.host, node.port, TITLE, "PLANNING")
        assert send(files, named).complete
        with pytest.raises(BadInputError, match=r"refuses the association \(.*Calling AE title not recognised.*HNT"):
            send(files, node)
        with pytest.raises(BadInputError, match=r"Called AE title not recognised"):
            verify(Node(node.host, node.port, "OTHER", "PLANNING"))


def test_a_kind_that_the_node_does_not_take_is_refused_and_the_rest_arrives(files: list[Path]) -> None:
    with listening(kinds=(RTSTRUCT,)) as (node, received):
        delivery = send(files, node)
    assert fates(delivery) == [Fate.REFUSED, Fate.ARRIVED, Fate.REFUSED, Fate.REFUSED]
    assert [data.SOPClassUID for data in received] == [RTSTRUCT]
    with pytest.raises(BadInputError) as error:
        delivery.require_complete()
    assert "1 of 4 objects arrived" in str(error.value)
    assert "seg.dcm (it takes no Segmentation Storage in Explicit VR Little Endian)" in str(error.value)


def test_a_node_that_takes_implicit_vr_only_gets_plain_objects_so_and_invalid_values_as_they_are(
    files: list[Path],
) -> None:
    with pydicom.config.disable_value_validation():
        change_headers(files[2].parent, PatientAge="42", StudyID="longer than sixteen characters")
    with listening(syntax=pydicom.uid.ImplicitVRLittleEndian) as (node, received):
        assert send(files, node).complete
    with pydicom.config.disable_value_validation():
        for path, arrived in zip(files, received, strict=True):
            assert arrived.file_meta.TransferSyntaxUID == pydicom.uid.ImplicitVRLittleEndian
            # In implicit VR nothing says whether pixels are bytes or words.
            sent = [(element.tag, element.value) for element in pydicom.dcmread(path)]
            assert [(element.tag, element.value) for element in arrived] == sent
        assert received[2].PatientAge == "42"


def test_a_compressed_slice_goes_as_it_is_or_not_at_all(files: list[Path]) -> None:
    data = pydicom.dcmread(files[2])
    data.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    data.save_as(files[2])
    with listening(syntax=pydicom.uid.RLELossless) as (node, received):
        assert fates(send(files[2:], node)) == [Fate.ARRIVED, Fate.REFUSED]
    assert received[0].PixelData == data.PixelData
    with listening(syntax=pydicom.uid.ImplicitVRLittleEndian) as (node, _):
        delivery = send(files[2:], node)
    assert fates(delivery) == [Fate.REFUSED, Fate.ARRIVED]
    assert delivery.parcels[0].said == "it takes no MR Image Storage in RLE Lossless"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0xA700, "out of resources"),
        (0xA900, "does not fit its class"),
        (0xC123, "cannot understand the object, status 0xc123: no room for it"),
        (0x0124, "does not allow us to store"),
        (0x0110, "status 0x0110"),
    ],
)
def test_what_the_node_says_of_an_object_is_passed_on(files: list[Path], status: int, said: str) -> None:
    def refuse(_event: Any) -> Dataset:
        answer = Dataset()
        answer.Status, answer.ErrorComment = status, "no room for it"
        return answer

    with listening(refuse) as (node, _):
        delivery = send(files[:1], node)
    assert fates(delivery) == [Fate.REFUSED]
    assert said in delivery.parcels[0].said


def test_a_warning_of_the_node_counts_as_arrived_and_is_told(files: list[Path]) -> None:
    with listening(lambda _event: 0xB000) as (node, _):
        delivery = send(files[:1], node)
    delivery.require_complete()
    assert delivery.parcels[0].said == "stored with warning 0xb000"


def test_a_node_that_breaks_off_leaves_it_said_what_arrived_and_what_did_not(files: list[Path]) -> None:
    def break_off_at_the_second(event: Any) -> int:
        if event.message_id == 1 and len(seen) == 1:
            event.assoc.abort()
        seen.append(event)
        return 0

    seen: list[Any] = []
    with listening(break_off_at_the_second) as (node, _):
        delivery = send(files, node)
    assert fates(delivery) == [Fate.ARRIVED, Fate.UNKNOWN, Fate.NOT_SENT, Fate.NOT_SENT]
    assert delivery.broken == "the connection was broken off"
    with pytest.raises(BadInputError) as error:
        delivery.require_complete()
    said = str(error.value)
    assert "1 of 4 objects arrived" in said
    assert "arrived: seg.dcm" in said
    assert "unknown: rtstruct.dcm" in said
    assert "\n" not in said


def test_a_node_that_hangs_at_an_object_is_given_up_in_time(files: list[Path]) -> None:
    def dawdle(event: Any) -> int:
        seen.append(event)
        if len(seen) == 2:
            time.sleep(2)
        return 0

    seen: list[Any] = []
    with listening(dawdle) as (node, _):
        begin = time.monotonic()
        delivery = send(files, node.with_timeout(0.5))
        assert time.monotonic() - begin < 2
    assert fates(delivery) == [Fate.ARRIVED, Fate.UNKNOWN, Fate.NOT_SENT, Fate.NOT_SENT]
    assert delivery.broken == "no answer came within 0.5 s"


def test_a_listener_that_never_says_a_word_is_given_up_in_time(files: list[Path]) -> None:
    with mute() as node:
        begin = time.monotonic()
        with pytest.raises(BadInputError, match=r"makes no association: no answer came within 0.5 s.*nothing was sent"):
            send(files, node)
        assert time.monotonic() - begin < 5


def test_a_node_that_is_not_there_is_told_from_a_name_that_nobody_knows(files: list[Path]) -> None:
    with pytest.raises(BadInputError, match=r"cannot be reached \(Connection refused\).*nothing was sent"):
        send(files, Node("127.0.0.1", unused_port(), TITLE))
    with pytest.raises(BadInputError, match="cannot be reached"):
        verify(Node("no-such-node.invalid", 104, TITLE, connect_s=2))


def test_what_the_caller_raises_ends_the_association(files: list[Path]) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise CancelledError

    with listening() as (node, received):
        with pytest.raises(CancelledError):
            send(files, node, stop)
        assert len(received) == 2


@pytest.mark.needs("openssl")
def test_an_encrypted_connection_delivers_and_both_ends_prove_themselves(files: list[Path], tmp_path: Path) -> None:
    theirs, theirs_key = certificates(tmp_path, "node")
    ours, ours_key = certificates(tmp_path, "caller")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ours)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(theirs, theirs_key)
    with listening(tls=context) as (node, received):
        secure = Node(node.host, node.port, TITLE, tls=Tls(theirs, ours, ours_key), answer_s=5)
        verify(secure)
        assert send(files, secure).complete
        assert len(received) == 4
        with pytest.raises(BadInputError, match=r"its certificate is not accepted"):
            send(files, Node(node.host, node.port, TITLE, tls=Tls(ours), answer_s=2))
        with pytest.raises(BadInputError, match=r"nothing was sent"):
            send(files, Node(node.host, node.port, TITLE, answer_s=2))


@pytest.mark.needs("openssl")
def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    certificate, key = certificates(tmp_path, "node")
    (tmp_path / "no.pem").write_text("nothing")
    for tls, what in [
        (Tls(tmp_path / "none.pem"), "none.pem: There is no such file"),
        (Tls(tmp_path / "no.pem"), "no.pem: The certificates cannot be used"),
        (Tls(certificate, key), "The certificates cannot be used"),
        (Tls(certificate, key=key), "There is a key but no certificate"),
    ]:
        with pytest.raises(BadInputError, match=what):
            tls.context()
    assert Tls(certificate, certificate, key).context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_file_that_is_no_dicom_object_is_refused_before_anything_is_sent(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("no DICOM")
    with listening() as (node, received):
        with pytest.raises(BadInputError, match=r"text.dcm: "):
            send([*files, tmp_path / "text.dcm"], node)
        with pytest.raises(BadInputError, match=r"none.dcm: There is no such file"):
            send([tmp_path / "none.dcm"], node)
        with pytest.raises(BadInputError, match="nothing to send"):
            send([], node)
    assert not received


def test_a_node_is_named_by_host_port_and_title() -> None:
    assert Node.from_text("pacs.example.org:104:ARCHIVE") == Node("pacs.example.org", 104, "ARCHIVE")
    assert Node.from_text("[::1]:11112:A B").host == "::1"
    assert str(Node.from_text("10.0.0.1:104:ARCHIVE")) == "ARCHIVE at 10.0.0.1:104"


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:104", "host:port:A", ":104:A", "host:0:A", "host:70000:A", "host:104:", "host:104:  ",
     "host:104:ABCDEFGHIJKLMNOPQ", "host:104:A\\B", "host:104:\u00dc", "::1:104:A", "a b:104:A"],
)  # fmt: skip
def test_what_names_no_node_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        Node.from_text(text)


def test_impossible_times_are_refused() -> None:
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(BadInputError, match="impossible"):
            Node("host", 104, TITLE).with_timeout(seconds)


def test_without_pynetdicom_the_error_says_what_to_install(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(MissingDependencyError, match="Install the package pynetdicom"):
        send(files, Node("127.0.0.1", 104, TITLE))
