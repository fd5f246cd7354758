"""Tables of a report as Markdown and CSV text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a line a row."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same as a file; None is an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return stream.getvalue()
