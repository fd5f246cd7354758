"""Sending: DCMTK's storescp stores exactly what was sent, and is told apart when it refuses, sleeps or breaks off."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom
import pytest
from Testing.peers.dicom_cases import made_lesions, open_series
from Testing.unit.export.dicom_nodes import certificates, unused_port

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.dicom_series import read_series
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.dicom_files import write_dicom
from HNTargetSegLib.export.dicom_node import Node, Tls
from HNTargetSegLib.export.dicom_send import Fate, send, verify

pytestmark = [
    pytest.mark.needs("dcmtk"),
    # pynetdicom leaves the socket of a connection that failed to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

_START_S = 20.0


@contextmanager
def storescp(folder: Path, *options: str, tls: Tls | None = None) -> Iterator[Node]:
    """A node of DCMTK that stores into ``folder``."""
    folder.mkdir(exist_ok=True)
    port = unused_port()
    command = ["storescp", "--aetitle", "STORESCP", "--output-directory", str(folder), *options, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    node = Node("127.0.0.1", port, "STORESCP", answer_s=20, tls=tls)
    try:
        yield node
    finally:
        process.terminate()
        process.wait(10)


def wait_for(node: Node) -> None:
    """Return once the node answers C-ECHO."""
    until = time.monotonic() + _START_S
    while True:
        try:
            return verify(node)
        except BadInputError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.fixture
def files(real_data: Path, tmp_path: Path) -> list[Path]:
    """SEG, RTSTRUCT and the slices of a double-oblique series."""
    series = open_series("double-oblique", real_data, tmp_path / "series")
    write_dicom(tmp_path / "out", made_lesions("spheres", series), series, {})
    return [tmp_path / "out" / "seg.dcm", tmp_path / "out" / "rtstruct.dcm", *series.files]


def test_what_arrives_is_what_was_sent_and_reads_back_as_the_same_lesions(files, tmp_path):
    with storescp(tmp_path / "stored") as node:
        wait_for(node)
        assert send(files, node).complete
    stored = {data.SOPInstanceUID: data for data in map(pydicom.dcmread, (tmp_path / "stored").iterdir())}
    assert len(stored) == len(files) == 42
    for path in files:
        sent = pydicom.dcmread(path)
        arrived = stored[sent.SOPInstanceUID]
        # The node says in which encoding it took the object; values are those that were sent.
        assert [(element.tag, element.value) for element in arrived] == [(e.tag, e.value) for e in sent]
    series = read_series(files[2].parent)
    for kind, file in (("SEG", files[0]), ("RTSTRUCT", files[1])):
        (arrived,) = [data for data in stored.values() if data.Modality == kind]
        before, after = read_structures(file, series), read_structures(arrived.filename, series)
        assert all(np.array_equal(a.mask, b.mask) and a.box == b.box for a, b in zip(before, after, strict=True))


def test_the_files_are_bit_by_bit_those_that_were_sent_when_the_node_keeps_them(files, tmp_path):
    with storescp(tmp_path / "stored", "--bit-preserving", "--prefer-uncompr") as node:
        wait_for(node)
        assert send(files[:2], node).complete
    for path in files[:2]:
        sent = pydicom.dcmread(path)
        (stored,) = [p for p in (tmp_path / "stored").iterdir() if str(sent.SOPInstanceUID) in p.name]
        assert _object_bytes(stored) == _object_bytes(path)


def test_a_node_that_refuses_associations_is_told(files, tmp_path):
    with storescp(tmp_path / "stored", "--refuse") as node:
        until = time.monotonic() + _START_S
        while True:
            with pytest.raises(BadInputError) as error:
                send(files, node)
            if "refuses the association" in str(error.value) or time.monotonic() > until:
                break
            time.sleep(0.1)
    assert "refuses the association" in str(error.value)
    assert not any((tmp_path / "stored").iterdir())


def test_a_node_that_sleeps_is_given_up(files, tmp_path):
    with storescp(tmp_path / "stored", "--sleep-during", "4") as node:
        wait_for(node)
        delivery = send(files[:3], node.with_timeout(1.0))
    assert [parcel.fate for parcel in delivery.parcels] == [Fate.UNKNOWN, Fate.NOT_SENT, Fate.NOT_SENT]
    assert delivery.broken == "no answer came within 1 s"


def test_a_node_that_breaks_off_while_it_receives_is_told(files, tmp_path):
    with storescp(tmp_path / "stored", "--abort-during") as node:
        wait_for(node)
        delivery = send(files[:3], node)
    assert [parcel.fate for parcel in delivery.parcels] == [Fate.UNKNOWN, Fate.NOT_SENT, Fate.NOT_SENT]
    assert delivery.broken == "the connection was broken off"


@pytest.mark.needs("openssl")
def test_an_encrypted_connection_delivers(files, tmp_path):
    theirs, theirs_key = certificates(tmp_path, "node")
    ours, ours_key = certificates(tmp_path, "caller")
    options = ("--enable-tls", str(theirs_key), str(theirs), "--add-cert-file", str(ours))
    with storescp(tmp_path / "stored", *options, tls=Tls(theirs, ours, ours_key)) as node:
        wait_for(node)
        assert send(files[:2], node).complete
    assert len(list((tmp_path / "stored").iterdir())) == 2


def _object_bytes(path: Path) -> bytes:
    """The file without its file meta information, which each program writes for itself."""
    content = path.read_bytes()
    length = int.from_bytes(content[140:144], "little")
    return content[144 + length :]
