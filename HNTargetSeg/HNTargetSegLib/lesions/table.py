"""The lesion table: as CSV, as records for JSON, and as text for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from HNTargetSegLib import files
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.find import remeasure
from HNTargetSegLib.lesions.lesion import Fate, Lesion, LesionSet, Origin, Side, State

Row = dict[str, Any]

COLUMNS = (
    *("id", "label", "name", "side", "state", "origin", "volume_cc", "long_mm", "short_mm", "cx", "cy", "cz"),
    *("p_mean", "p_max", "prior_id", "prior_cc", "change_pct", "fate"),
)

_DIGITS = {"volume_cc": 4, "prior_cc": 4, "p_mean": 4, "p_max": 4, "change_pct": 1}
_DIGITS |= dict.fromkeys(("long_mm", "short_mm", "cx", "cy", "cz"), 2)


def as_row(lesion: Lesion) -> Row:
    """One lesion as a flat record, keys as in :data:`COLUMNS`; what JSON output shows.

    ``label`` is 1 or 2, ``prior_id`` a list of ids, what is not known is None. Numbers are rounded: cc and
    probabilities to 4 decimals, mm (LPS) to 2, percent to 1.
    """
    cx, cy, cz = lesion.centroid
    row: Row = {
        "id": lesion.id,
        "label": int(lesion.label),
        "name": lesion.name,
        "side": lesion.side.value,
        "state": lesion.state.value,
        "origin": lesion.origin.value,
        "volume_cc": lesion.volume_cc,
        "long_mm": lesion.long_mm,
        "short_mm": lesion.short_mm,
        "cx": cx,
        "cy": cy,
        "cz": cz,
        "p_mean": lesion.p_mean,
        "p_max": lesion.p_max,
        "prior_id": list(lesion.prior_ids),
        "prior_cc": lesion.prior_cc,
        "change_pct": lesion.change_pct,
        "fate": None if lesion.fate is None else lesion.fate.value,
    }
    return {key: _rounded(key, value) for key, value in row.items()}


def as_csv(lesions: Iterable[Lesion]) -> str:
    """Table as CSV text, a line a lesion; what is not known is empty, several priors are joined by ``;``."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for lesion in lesions:
        row = as_row(lesion) | {"prior_id": ";".join(map(str, lesion.prior_ids))}
        writer.writerow(["" if row[column] is None else row[column] for column in COLUMNS])
    return stream.getvalue()


def write_table(lesions: Iterable[Lesion], path: str | PathLike[str]) -> None:
    """Write the table as CSV, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    files.write_text(path, as_csv(lesions))


def read_table(path: str | PathLike[str]) -> list[Row]:
    """Read a CSV table back, each row as :func:`as_row` gives it.

    Raises
    ------
    BadInputError
        If the file cannot be read, lacks a column, or a field does not hold what its column holds.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"The lesion table cannot be read ({error})", path=path) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
        raise BadInputError(f"The lesion table lacks the columns {', '.join(missing)}", path=path)
    rows = []
    for record in reader:
        try:
            rows.append({column: _PARSERS[column](record[column] or "") for column in COLUMNS})
        except ValueError as error:
            raise BadInputError(f"Line {reader.line_num} of the lesion table is wrong ({error})", path=path) from error
    return rows


def read_lesions(path: str | PathLike[str], ids: Volume) -> LesionSet:
    """Lesions from their table and their id map: sizes and places from the map, all else from the table.

    Raises
    ------
    BadInputError
        As :func:`read_table`, or if table and map do not hold the same ids.
    """
    rows = {row["id"]: row for row in read_table(path)}
    known = [_from_row(row) for row in rows.values()]
    measured = {lesion.id: lesion for lesion in remeasure(ids, known)}
    lesions = []
    for lesion in sorted(known, key=lambda lesion: lesion.id):
        if lesion.fate is Fate.VANISHED:
            lesions.append(lesion)
            continue
        if lesion.id not in measured:
            raise BadInputError(f"Lesion {lesion.id} of the table has no voxel in {ids.name}", path=path)
        words = {name: getattr(lesion, name) for name in _FROM_TABLE}
        lesions.append(replace(measured[lesion.id], **words))
    return LesionSet(ids.with_array(ids.array.astype("uint16")), tuple(lesions))


def as_text(lesions: Iterable[Lesion]) -> str:
    """Table for a terminal: aligned columns in plain ASCII, one line a lesion, or a sentence when there is none."""
    lines = [_TEXT_HEADER, *(_text_line(as_row(lesion)) for lesion in lesions)]
    if len(lines) == 1:
        return "No lesion found."
    widths = [max(len(line[column]) for line in lines) for column in range(len(_TEXT_HEADER))]
    padded = []
    for line in lines:
        cells = [
            cell.ljust(width) if n < _LEFT_ALIGNED or n == len(line) - 1 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        padded.append("  ".join(cells).rstrip())
    return "\n".join([padded[0], "-" * max(map(len, padded)), *padded[1:]])


_TEXT_HEADER = ("id", "name", "side", "state", "cc", "long mm", "short mm", "p", "prior cc", "change %", "fate")
_LEFT_ALIGNED = 4
_FROM_TABLE = ("side", "p_mean", "p_max", "prior_ids", "prior_cc", "change_pct", "fate")


def _text_line(row: Row) -> tuple[str, ...]:
    def number(key: str, form: str) -> str:
        return "-" if row[key] is None else format(row[key], form)

    return (
        str(row["id"]),
        row["name"],
        row["side"],
        row["state"],
        number("volume_cc", ".2f"),
        number("long_mm", ".1f"),
        number("short_mm", ".1f"),
        number("p_mean", ".2f"),
        number("prior_cc", ".2f"),
        number("change_pct", "+.0f"),
        row["fate"] or "-",
    )


def _rounded(key: str, value: Any) -> Any:
    # Adding 0 turns -0.0, which a rounded coordinate may be, into 0.0.
    return round(float(value), _DIGITS[key]) + 0.0 if key in _DIGITS and value is not None else value


def _number(text: str) -> float | None:
    return float(text) if text else None


def _needed_number(text: str) -> float:
    return float(text)


_PARSERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("p_mean", "p_max", "prior_cc", "change_pct"), _number),
    **dict.fromkeys(("volume_cc", "long_mm", "short_mm", "cx", "cy", "cz"), _needed_number),
    "id": int,
    "label": lambda text: int(Target(int(text))),
    "name": str,
    "side": lambda text: Side(text).value,
    "state": lambda text: State(text).value,
    "origin": lambda text: Origin(text).value,
    "prior_id": lambda text: [int(part) for part in text.split(";") if part],
    "fate": lambda text: Fate(text).value if text else None,
}


def _from_row(row: Row) -> Lesion:
    gone = row["fate"] == Fate.VANISHED
    return Lesion(
        id=row["id"],
        label=Target(row["label"]),
        name=row["name"],
        side=Side(row["side"]),
        # The table has no voxels; those of a lesion that is there come from the map.
        voxels=0 if gone else 1,
        volume_cc=row["volume_cc"],
        long_mm=row["long_mm"],
        short_mm=row["short_mm"],
        centroid=(row["cx"], row["cy"], row["cz"]),
        box=((0, 0), (0, 0), (0, 0)),
        p_mean=row["p_mean"],
        p_max=row["p_max"],
        state=State(row["state"]),
        origin=Origin(row["origin"]),
        prior_ids=tuple(row["prior_id"]),
        prior_cc=row["prior_cc"],
        change_pct=row["change_pct"],
        fate=Fate(row["fate"]) if row["fate"] else None,
    )
