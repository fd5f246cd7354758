"""DICOM nodes that tests send to: one of pynetdicom in this process, and listeners that misbehave."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from HNTargetSegLib.export.dicom_node import Node

TITLE = "ARCHIVE"
Answer = Callable[[Any], int | Dataset]


def accept(_event: Any) -> int:
    """The answer of a node that stores what comes."""
    return 0x0000


@contextmanager
def listening(
    answer: Answer = accept,
    *,
    titles: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
    syntax: str = "",
    tls: Any = None,
    answer_s: float = 5.0,
) -> Iterator[tuple[Node, list[Dataset]]]:
    """A node of pynetdicom, and what it received.

    ``titles`` are the callers that it knows, ``kinds`` what it stores, ``syntax`` the only encoding that it takes.
    """
    import pynetdicom

    received: list[Dataset] = []

    def store(event: Any) -> int | Dataset:
        said = answer(event)
        data = event.dataset
        data.file_meta = event.file_meta
        received.append(data)
        return said

    entity = pynetdicom.AE(ae_title=TITLE)
    entity.require_called_aet = True
    entity.require_calling_aet = list(titles)
    for kind in kinds or [context.abstract_syntax for context in pynetdicom.AllStoragePresentationContexts]:
        entity.add_supported_context(kind, *([syntax] if syntax else []))
    entity.add_supported_context(pynetdicom.sop_class.Verification)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(pynetdicom.evt.EVT_C_STORE, store)], ssl_context=tls
    )
    try:
        yield Node("127.0.0.1", server.server_address[1], TITLE, connect_s=5, answer_s=answer_s), received
    finally:
        server.shutdown()
        entity.shutdown()


@contextmanager
def mute() -> Iterator[Node]:
    """A listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield Node("127.0.0.1", server.getsockname()[1], TITLE, connect_s=1, answer_s=0.5)
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in held:
            connection.close()


def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def certificates(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key, as PEM files; made by openssl."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
