"""What the stand-ins offer, by inspection, and what API.md lists: the two have to be the same."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from PySide6 import QtCore
from Testing.slicerhost.install import STANDINS, standin_classes
from Testing.slicerhost.offscreen_view import OffscreenView

API = Path(__file__).with_name("API.md")
_HEADING = re.compile(r"^## (\S+)$")
_MEMBER = re.compile(r"^\* `(.+)`$")
# Python's own methods and Qt's event handlers, which the stand-ins override and nobody calls.
_OVERRIDDEN = frozenset({"hitButton", "sizeHint", "minimumSizeHint", "staticMetaObject"})

Members = dict[str, frozenset[str]]


def offered() -> Members:
    """Public members of each stand-in class, and functions of each stand-in module, as API.md writes them."""
    found = {kind.__name__: frozenset(_members(kind)) for kind in standin_classes()}
    for part in STANDINS:
        functions = frozenset(
            name + _signature(item)
            for name, item in vars(part).items()
            if inspect.isfunction(item) and item.__module__ == part.__name__ and _public(name)
        )
        if functions and part.__name__.rsplit(".", 1)[1] in _MODULES:
            found[_MODULES[part.__name__.rsplit(".", 1)[1]]] = functions
    return found


def listed(text: str) -> Members:
    """What API.md says."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in text.splitlines():
        if match := _HEADING.match(line):
            heading = match[1]
            found[heading] = set()
        elif (match := _MEMBER.match(line)) and heading:
            found[heading].add(match[1])
    return {name: frozenset(members) for name, members in found.items()}


def sources(text: str) -> dict[str, str]:
    """For each heading, the paragraph that names the source it stands for."""
    parts = re.split(r"^## (\S+)$", text, flags=re.MULTILINE)[1:]
    return {name: body.split("\n*")[0].strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def differences(text: str) -> list[str]:
    """What is offered and not listed, and what is listed and not offered."""
    here, there = offered(), listed(text)
    found = []
    for name in sorted({*here, *there}):
        offers, lists = here.get(name, frozenset()), there.get(name, frozenset())
        if name not in there:
            found.append(f"{name} is not listed")
        if name not in here:
            found.append(f"{name} is listed, but there is no such stand-in")
        found += [f"{name}: `{member}` is not listed" for member in sorted(offers - lists)]
        found += [f"{name}: `{member}` is listed, but not there" for member in sorted(lists - offers)]
    return found


_MODULES = {"i18n": "slicer.i18n", "packaging": "slicer.packaging", "sample_data": "SampleData"}


def _members(kind: type) -> list[str]:
    """Members of the class itself and of the host's own classes under it that have no name of Slicer's."""
    bases = [base for base in kind.__mro__[1:] if base.__module__.startswith("Testing.slicerhost")]
    unnamed = [base for base in bases if base.__name__.startswith("_") or base is OffscreenView]
    found = {name: item for base in (*reversed(unnamed), kind) for name, item in vars(base).items()}
    members = []
    for name, item in found.items():
        if not _public(name) or name in _OVERRIDDEN or name.endswith("Event"):
            continue
        if isinstance(item, QtCore.Signal):
            members.append(f"signal {name}")
        elif isinstance(item, QtCore.Property | property) or inspect.ismemberdescriptor(item):
            members.append(f"property {name}")
        elif inspect.isfunction(item) or isinstance(item, staticmethod):
            members.append(name + _signature(item))
        else:
            members.append(f"value {name}")
    return members


def _signature(item: Any) -> str:
    function = item.__func__ if isinstance(item, staticmethod) else item
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]
    return str(inspect.Signature(parameters))


def _public(name: str) -> bool:
    return not name.startswith(("_", "host_"))


if __name__ == "__main__":
    print("\n".join(differences(API.read_text(encoding="utf-8"))))
