"""What the commands that send to a DICOM node share: its options, and what is printed of a delivery."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.export.dicom_node import Node
    from HNTargetSegLib.export.dicom_send import Delivery


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of how a node is reached, without its address."""
    group = parser.add_argument_group("DICOM node")
    group.add_argument("--calling", default="HNTARGETSEG", metavar="TITLE", help="title of this end (HNTARGETSEG)")
    group.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds to wait for an answer (60)")
    group.add_argument("--tls", action="store_true", help="encrypt; the node's certificate is checked")
    group.add_argument(
        "--tls-authority", type=Path, metavar="PEM", help="check it against these instead of the system's"
    )
    group.add_argument(
        "--tls-cert", type=Path, metavar="PEM", help="certificate of this end, where the node asks for it"
    )
    group.add_argument("--tls-key", type=Path, metavar="PEM", help="its key")


def node_of(address: str, options: argparse.Namespace) -> Node:
    """The node of ``HOST:PORT:TITLE`` with the options; its certificates are looked at now.

    Raises
    ------
    BadInputError
        If the address, an option or a certificate cannot be used.
    """
    from HNTargetSegLib.export.dicom_node import Node, Tls

    node = Node.from_text(address, calling=options.calling).with_timeout(options.timeout)
    given = (options.tls_authority, options.tls_cert, options.tls_key)
    if not options.tls:
        if any(path is not None for path in given):
            raise BadInputError("Certificates are of no use without --tls", remedy="Give --tls too")
        return node
    tls = Tls(*given)
    tls.context()
    return replace(node, tls=tls)


def delivered(paths: Sequence[Path], node: Node, *, hidden: bool) -> Delivery:
    """Send the files, with a bar on a terminal unless hidden."""
    from HNTargetSegLib.export.dicom_send import send

    with _progress_bar(hidden=hidden) as progress:
        return send(paths, node, progress)


def as_record(delivery: Delivery) -> dict[str, Any]:
    """A delivery for JSON."""
    return {
        "node": str(delivery.node),
        "complete": delivery.complete,
        "broken": delivery.broken or None,
        "objects": [
            {
                "path": str(parcel.path),
                "sop_instance_uid": parcel.sop_instance_uid,
                "fate": parcel.fate.value,
                "said": parcel.said or None,
            }
            for parcel in delivery.parcels
        ],
    }


def as_text(delivery: Delivery) -> str:
    """A complete delivery for people."""
    notes = [f"Note: {parcel.path.name} was {parcel.said}" for parcel in delivery.parcels if parcel.said]
    return "\n".join([*notes, f"{len(delivery.parcels)} objects arrived at {delivery.node}"])


@contextmanager
def _progress_bar(*, hidden: bool) -> Iterator[Callable[[int, int], None]]:
    from tqdm import tqdm

    with tqdm(desc="sending", unit="object", disable=True if hidden else None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.refresh()

        yield show
