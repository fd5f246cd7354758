"""Structure names that are not in use yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from HNTargetSegLib.case.labels import Target


def free_name(label: Target, taken: Iterable[str]) -> str:
    """Structure name of a label with the lowest number that is not taken; a lone primary tumour has none."""
    used = set(taken)
    if label is Target.PT and not any(name.startswith(label.structure_name) for name in used):
        return label.structure_name
    number = 1
    while f"{label.structure_name}{number}" in used:
        number += 1
    return f"{label.structure_name}{number}"


def next_name(label: Target, used: Collection[str]) -> str:
    """Structure name of a label with the number after the highest in use: it fills no gap that another visit left."""
    stem = label.structure_name
    if label is Target.PT and not any(name.startswith(stem) for name in used):
        return stem
    numbers = [int(name[len(stem) :] or 1) for name in used if name.startswith(stem) and name[len(stem) :].isdigit()]
    taken = [*numbers, 1] if stem in used else [*numbers, 0]
    return f"{stem}{max(taken) + 1}"
