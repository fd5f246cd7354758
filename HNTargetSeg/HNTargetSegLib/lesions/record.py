"""A lesion as plain JSON values and back, with nothing rounded or left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Bounds, Fate, Lesion, Origin, Side, State

Record = dict[str, Any]


def lesion_to_json(lesion: Lesion) -> Record:
    """Every attribute of a lesion by name, as JSON's own types; :func:`lesion_from_json` is the inverse.

    Enums become their values, tuples lists. Numbers keep all of their digits, unlike in the
    :mod:`~HNTargetSegLib.lesions.table`.
    """
    return {
        **{name: getattr(lesion, name) for name in _NUMBERS | _COUNTS | _TEXTS},
        **{name: None if (value := getattr(lesion, name)) is None else value.value for name in _ENUMS},
        "centroid": list(lesion.centroid),
        "box": [list(bounds) for bounds in lesion.box],
        "prior_ids": list(lesion.prior_ids),
    }


def lesion_from_json(record: Mapping[str, Any]) -> Lesion:
    """Lesion of its JSON form.

    Raises
    ------
    BadInputError
        If an attribute is missing, unknown or of the wrong kind, or the lesion contradicts itself.
    """
    if not isinstance(record, Mapping):
        raise BadInputError(f"A lesion is described by an object, not by {record!r:.80}")
    names = {field.name for field in fields(Lesion)}
    if record.keys() != names:
        wrong = ", ".join(sorted(map(str, record.keys() ^ names)))
        raise BadInputError(f"The description of a lesion lacks or has too much: {wrong}")
    values = {}
    for name, value in record.items():
        try:
            values[name] = _READERS[name](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadInputError(f"The {name} of a lesion cannot be {value!r:.80}") from error
    return Lesion(**values)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _triple(value: Any) -> tuple[float, float, float]:
    x, y, z = map(_number, value)
    return x, y, z


def _bounds(value: Any) -> Bounds:
    (k0, k1), (j0, j1), (i0, i1) = [map(_count, pair) for pair in value]
    return (k0, k1), (j0, j1), (i0, i1)


def _ids(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError
    return tuple(map(_count, value))


_COUNTS = {"id", "voxels"}
_TEXTS = {"name"}
_NUMBERS = {"volume_cc", "long_mm", "short_mm", "p_mean", "p_max", "prior_cc", "change_pct"}
_OPTIONAL = {"p_mean", "p_max", "prior_cc", "change_pct"}
_ENUMS: dict[str, Callable[[Any], Any]] = {
    "label": lambda value: Target(_count(value)),
    "side": Side,
    "state": State,
    "origin": Origin,
    "fate": lambda value: None if value is None else Fate(value),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_COUNTS, _count),
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_NUMBERS - _OPTIONAL, _number),
    **dict.fromkeys(_OPTIONAL, _number_or_none),
    **_ENUMS,
    "centroid": _triple,
    "box": _bounds,
    "prior_ids": _ids,
}
