"""Send DICOM files to a node (C-STORE, PS3.4 B) and ask whether it answers (C-ECHO), with pynetdicom."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from os import PathLike
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.dicom_scan import reading
from HNTargetSegLib.errors import BadInputError, MissingDependencyError
from HNTargetSegLib.export.dicom_node import Node
from HNTargetSegLib.export.dicom_source import tolerant_pydicom

Progress = Callable[[int, int], None]
"""Called with how many objects are done, and of how many."""

_MOST_CONTEXTS = 128
_VERIFICATION = "1.2.840.10008.1.1"
_IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_PLAIN_SYNTAXES = (_IMPLICIT_LITTLE_ENDIAN, "1.2.840.10008.1.2.1")
_SUCCESS = 0x0000
_WARNINGS = (0x0001, 0x0107, 0x0116, *range(0xB000, 0xC000))
_REASONS = {
    0x0117: "it takes it for an invalid object",
    0x0122: "it does not store this kind of object",
    0x0124: "it does not allow us to store",
}
_REASON_RANGES = (
    (0xA700, 0xA7FF, "it is out of resources, such as disk space"),
    (0xA900, 0xA9FF, "it finds that the object does not fit its class"),
    (0xC000, 0xCFFF, "it cannot understand the object"),
)


class Fate(str, Enum):
    """What became of an object."""

    ARRIVED = "arrived"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"


@dataclass(frozen=True)
class Parcel:
    """One object on its way.

    Attributes
    ----------
    path, sop_instance_uid
        The file, and the object in it.
    fate
        What became of it; unknown where the connection broke before the node answered.
    said
        What the node said of it, if anything.
    """

    path: Path
    sop_instance_uid: str
    fate: Fate
    said: str = ""


@dataclass(frozen=True)
class Delivery:
    """What became of all objects, in the order in which they were given.

    Attributes
    ----------
    node
        Where they were sent.
    parcels
        One an object.
    broken
        Why the connection ended early, as a sentence; empty where it did not.
    """

    node: Node
    parcels: tuple[Parcel, ...]
    broken: str = ""

    @property
    def complete(self) -> bool:
        """Whether every object arrived."""
        return all(parcel.fate is Fate.ARRIVED for parcel in self.parcels)

    def of(self, fate: Fate) -> tuple[Parcel, ...]:
        """The objects with that fate."""
        return tuple(parcel for parcel in self.parcels if parcel.fate is fate)

    def require_complete(self) -> None:
        """Raise BadInputError, which says what arrived and what did not, unless all arrived."""
        if self.complete:
            return
        listed = [
            f"{fate.value}: {', '.join(_named(parcel) for parcel in self.of(fate))}" for fate in Fate if self.of(fate)
        ]
        raise BadInputError(
            f"{len(self.of(Fate.ARRIVED))} of {len(self.parcels)} objects arrived at {self.node}"
            f"{f' ({self.broken})' if self.broken else ''}; {'; '.join(listed)}",
            remedy="Ask who runs the node what it accepts, and send again; objects that arrived twice are one object",
        )


def verify(node: Node) -> None:
    """Ask the node whether it is there (C-ECHO).

    Raises
    ------
    BadInputError
        If it is not there, refuses the association, or does not answer in time.
    MissingDependencyError
        If pynetdicom is not installed.
    """
    with _association(node, [(_VERIFICATION, (_IMPLICIT_LITTLE_ENDIAN,))]) as association:
        if not association.accepted_contexts:
            raise BadInputError(f"{node} does not answer C-ECHO", remedy="Ask who runs the node to allow verification")
        begin = time.monotonic()
        status = association.send_c_echo()
        if "Status" not in status:
            raise BadInputError(f"{node}: {_broken(node, begin)}", remedy=_NOT_ANSWERED)
        if status.Status != _SUCCESS:
            raise BadInputError(f"{node} answers C-ECHO with status {status.Status:#06x}", remedy=_NOT_ANSWERED)


def send(paths: Iterable[str | PathLike[str]], node: Node, progress: Progress | None = None) -> Delivery:
    """Send DICOM files to a node, one after the other over one association.

    An object that the node refuses does not keep it from the next; a connection that breaks ends the work.

    Parameters
    ----------
    paths
        Files with their file meta information.
    progress
        Called after each object; what it raises ends the association and is passed on.

    Returns
    -------
    Delivery
        What became of each.

    Raises
    ------
    BadInputError
        If a file is no DICOM object, or the node is not there or refuses the association: nothing was sent then.
    MissingDependencyError
        If pynetdicom is not installed.
    """
    objects = [_object(Path(path)) for path in paths]
    if not objects:
        raise BadInputError("There is nothing to send", remedy="Name DICOM files or a folder that holds some")
    parcels: list[Parcel] = []
    broken = ""
    with _association(node, _contexts(objects)) as association:
        for item in objects:
            if broken:
                parcels.append(Parcel(item.path, item.uid, Fate.NOT_SENT))
                continue
            parcel, broken = _sent(association, node, item)
            parcels.append(parcel)
            if progress is not None:
                progress(len(parcels), len(objects))
    return Delivery(node, tuple(parcels), broken)


_NOT_ANSWERED = "Check address, port and titles with who runs the node"


@dataclass(frozen=True)
class _Object:
    path: Path
    uid: str
    kind: str
    syntax: str


def _object(path: Path) -> _Object:
    if not path.is_file():
        raise BadInputError("There is no such file", path=path, remedy="Name DICOM files that exist")
    with reading(path) as pydicom:
        meta = pydicom.filereader.read_file_meta_info(path)
        keywords = ("MediaStorageSOPInstanceUID", "MediaStorageSOPClassUID", "TransferSyntaxUID")
        uid, kind, syntax = (str(meta.get(keyword) or "") for keyword in keywords)
    if not (uid and kind and syntax):
        raise BadInputError(
            "The file does not say what object it holds", path=path, remedy="Give DICOM files as a system exports them"
        )
    return _Object(path, uid, kind, syntax)


def _contexts(objects: Sequence[_Object]) -> list[tuple[str, tuple[str, ...]]]:
    """Class and transfer syntax of each presentation context; implicit VR is what every node has to take."""
    wanted: dict[tuple[str, str], None] = {}
    for item in objects:
        wanted[item.kind, item.syntax] = None
        if item.syntax in _PLAIN_SYNTAXES:
            wanted[item.kind, _IMPLICIT_LITTLE_ENDIAN] = None
    if len(wanted) > _MOST_CONTEXTS:
        raise BadInputError(
            f"The files hold {len(wanted)} kinds of objects and encodings; one association takes {_MOST_CONTEXTS}",
            remedy="Send them in parts",
        )
    return [(kind, (syntax,)) for kind, syntax in wanted]


def _sent(association: Any, node: Node, item: _Object) -> tuple[Parcel, str]:
    """What became of one object, and why the connection broke, if it did."""
    with reading(item.path) as pydicom:
        data = pydicom.dcmread(item.path)
    if not _is_taken(association, item):
        said = f"it takes no {pydicom.uid.UID(item.kind).name} in {pydicom.uid.UID(item.syntax).name}"
        return Parcel(item.path, item.uid, Fate.REFUSED, said), ""
    begin = time.monotonic()
    try:
        with tolerant_pydicom():
            status = association.send_c_store(data)
    except (ValueError, AttributeError) as error:
        return Parcel(item.path, item.uid, Fate.NOT_SENT, f"it cannot be encoded: {error}"), ""
    except RuntimeError:
        return Parcel(item.path, item.uid, Fate.NOT_SENT), _broken(node, begin)
    if "Status" not in status:
        return Parcel(item.path, item.uid, Fate.UNKNOWN), _broken(node, begin)
    said = str(status.get("ErrorComment") or "").strip()
    if status.Status == _SUCCESS or status.Status in _WARNINGS:
        warned = "" if status.Status == _SUCCESS else f"stored with warning {status.Status:#06x} {said}".strip()
        return Parcel(item.path, item.uid, Fate.ARRIVED, warned), ""
    return Parcel(item.path, item.uid, Fate.REFUSED, f"{_reason(status.Status)}{f': {said}' if said else ''}"), ""


def _is_taken(association: Any, item: _Object) -> bool:
    """Whether the node agreed to this kind of object in this encoding, or in one that it can be put into."""
    fitting = _PLAIN_SYNTAXES if item.syntax in _PLAIN_SYNTAXES else (item.syntax,)
    return any(
        context.abstract_syntax == item.kind and context.transfer_syntax[0] in fitting
        for context in association.accepted_contexts
    )


def _reason(status: int) -> str:
    said = _REASONS.get(status) or next((text for low, high, text in _REASON_RANGES if low <= status <= high), "")
    return f"{said}, status {status:#06x}".removeprefix(", ")


def _broken(node: Node, begin: float) -> str:
    # Where nothing came in time, the association is given up from here; anything sooner was the node or the network.
    if time.monotonic() - begin < 0.9 * node.answer_s:
        return "the connection was broken off"
    return f"no answer came within {node.answer_s:g} s"


def _named(parcel: Parcel) -> str:
    return f"{parcel.path.name} ({parcel.said})" if parcel.said else parcel.path.name


@contextmanager
def _association(node: Node, contexts: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[Any]:
    """An association that is released at the end, or aborted where the block raised."""
    pynetdicom = require_pynetdicom()
    entity = pynetdicom.AE(ae_title=node.calling)
    entity.acse_timeout = entity.dimse_timeout = node.answer_s
    entity.network_timeout = node.answer_s + 5.0
    entity.connection_timeout = node.connect_s
    for kind, syntaxes in contexts:
        entity.add_requested_context(kind, list(syntaxes))
    security = None if node.tls is None else (node.tls.context(), node.host)
    opened: list[object] = []
    begin = time.monotonic()
    try:
        association = entity.associate(
            node.host,
            node.port,
            ae_title=node.called,
            evt_handlers=[(pynetdicom.evt.EVT_CONN_OPEN, opened.append)],
            tls_args=security,
        )
    except OSError as error:
        raise _not_reached(node, error.strerror or str(error)) from error
    if not association.is_established:
        raise _refused(association, node, security, _broken(node, begin) if opened else "")
    try:
        yield association
    except BaseException:
        association.abort()
        raise
    if association.is_established:
        association.release()


def _refused(association: Any, node: Node, security: Any, ended: str) -> BadInputError:
    """Why there is no association; ``ended`` says how the connection did, and is empty where there was none."""
    if association.is_rejected:
        answer = association.acceptor.primitive
        said = f"{answer.result_str}, {answer.source_str}: {answer.reason_str}"
        remedy = f"Have the node told of the title {node.calling}, and check that it is called {node.called}"
        return BadInputError(f"{node} refuses the association ({said})", remedy=f"{remedy}; nothing was sent")
    if ended:
        return BadInputError(
            f"{node} takes the connection, but makes no association: {ended}",
            remedy="Check that a DICOM node listens there, with or without TLS as you said; nothing was sent",
        )
    return _not_reached(node, _why_not_reached(node, security))


def _not_reached(node: Node, why: str) -> BadInputError:
    return BadInputError(
        f"{node} cannot be reached ({why})", remedy="Check address, port, network and TLS; nothing was sent"
    )


def _why_not_reached(node: Node, security: Any) -> str:
    """What the system says when the connection is tried again."""
    try:
        with socket.create_connection((node.host, node.port), timeout=node.connect_s) as plain:
            if security is None:
                return "the connection ended at once"
            context, name = security
            with context.wrap_socket(plain, server_hostname=name):
                return "the connection ended at once"
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not accepted: {error.verify_message}"
    except ssl.SSLError as error:
        return f"no encrypted connection: {error.reason or error}"
    except TimeoutError:
        return f"no connection within {node.connect_s:g} s"
    except OSError as error:
        return error.strerror or str(error)


def require_pynetdicom() -> Any:
    """pynetdicom, or MissingDependencyError."""
    try:
        import pynetdicom
    except ImportError as error:
        raise MissingDependencyError(
            f"pynetdicom is not usable, so nothing can be sent to a DICOM node ({error})",
            remedy="Install the package pynetdicom with pydicom 3",
        ) from error
    return pynetdicom
