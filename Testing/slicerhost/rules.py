"""Finds, without running it, code that works under PySide6 only or under PythonQt only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# The application object and the module behind ``parent``: Slicer's own way of writing is an assignment.
_WRITTEN_IN_SLICERS_WAY = frozenset(
    {"title", "categories", "dependencies", "contributors", "helpText", "acknowledgementText", "icon", "hidden"}
    | {"index", "associatedNodeTypes"}
)
_PYSIDE_ONLY = frozenset({"Signal", "Slot", "Property", "SIGNAL", "SLOT"})
_BINDINGS = ("PySide6", "PySide2", "PyQt5", "PyQt6", "shiboken6")
_MAKERS = ("qt.", "ctk.", "slicer.q")
_FINDERS = ("findChild", "loadUI", "childWidgetVariables", "mainWindow", "layoutManager", "widgetRepresentation")


# Expressions that hold a widget, with the name of its class, or "" where a file does not say it.
Widgets = dict[str, str]


@dataclass(frozen=True)
class Finding:
    """One breach of the rules."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def check(files: Iterable[Path]) -> list[Finding]:
    """Everything in ``files`` that would not run under both PythonQt and PySide6."""
    return [finding for file in files for finding in check_source(file.read_text(encoding="utf-8"), file)]


def check_source(source: str, file: Path = Path("<source>")) -> list[Finding]:
    """The breaches in one source text, in order of their lines."""
    tree = ast.parse(source)
    widgets = _widget_expressions(tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = []
    for node in ast.walk(tree):
        for text in _breaches(node, widgets, called):
            found.append(Finding(file, getattr(node, "lineno", 0), text))
    return sorted(found, key=lambda finding: (finding.line, finding.text))


def _breaches(node: ast.AST, widgets: Widgets, called: set[int]) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _imports(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield from _connections(node.value)
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        yield from _assignments(node, widgets)
    elif isinstance(node, ast.Attribute):
        yield from _attributes(node, widgets, called)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        if name.split(".")[0] in _BINDINGS:
            yield f"import qt, not {name}"
    if isinstance(node, ast.ImportFrom) and node.module == "qt":
        for alias in node.names:
            if alias.name in _PYSIDE_ONLY:
                yield f"qt has no {alias.name}: custom Qt signals crash PythonQt"


def _calls(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in ("connect", "disconnect") and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield "connect with widget.signal.connect(bound_method), not with a string"
    if name == "exec":
        yield "call exec_(), which both have"
    if _dotted(node.func).startswith("qt.Q") and _dotted(node.func).count(".") == 1 and node.keywords:
        yield f"make {_dotted(node.func)} without keyword arguments, then call its set functions"


def _connections(node: ast.Call) -> Iterator[str]:
    """Lambdas connected to Qt signals; the signals of the review answer with what takes them back, which is kept."""
    connecting = isinstance(node.func, ast.Attribute) and node.func.attr in ("connect", "disconnect")
    if connecting and any(isinstance(argument, ast.Lambda) for argument in node.args):
        yield "connect a bound method, not a lambda"


def _assignments(node: ast.Assign | ast.AugAssign | ast.AnnAssign, widgets: Widgets) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if isinstance(target, ast.Attribute) and _is_property(target, widgets):
            of_module = _dotted(target.value).split(".")[-1] == "parent" and target.attr in _WRITTEN_IN_SLICERS_WAY
            if not of_module:
                yield f"write {target.attr} with set{target.attr[0].upper()}{target.attr[1:]}(...)"


def _attributes(node: ast.Attribute, widgets: Widgets, called: set[int]) -> Iterator[str]:
    dotted = _dotted(node)
    if dotted.startswith("qt."):
        parts = dotted.split(".")
        if parts[1] in _PYSIDE_ONLY:
            yield f"qt has no {parts[1]}: custom Qt signals crash PythonQt"
        if len(parts) == 4 and parts[2][:1].isupper() and parts[3][:1].isupper():
            yield f"write {parts[0]}.{parts[1]}.{parts[3]}: PythonQt's values are not inside {parts[2]}"
    if node.attr.startswith("host_"):
        yield f"{node.attr} is the test host's, Slicer has no such thing"
    if isinstance(node.ctx, ast.Load) and _is_property(node, widgets):
        kind = "called" if id(node) in called else "read"
        yield f"{node.attr} is {kind} directly: read it with value_of(widget, {node.attr!r})"


def _widget_expressions(tree: ast.AST) -> Widgets:
    """Expressions that hold a widget, as far as one file tells, with the class where it is known ("" where not)."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            kind = _made(node.value)
            for target in node.targets if kind is not None else ():
                found[_dotted(target)] = kind or ""
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            name = node.arg if isinstance(node, ast.arg) else _dotted(node.target)
            written = ast.unparse(node.annotation).strip("'\"")
            if written.split(".")[-1] in _classes():
                found[name] = written.split(".")[-1]
    found.pop("", None)
    return found


def _made(value: ast.expr) -> str | None:
    """Class of the widget that ``value`` makes or finds; "" if it is not said, None if it is no widget."""
    if not isinstance(value, ast.Call):
        return None
    last = _dotted(value.func).split(".")[-1]
    if _dotted(value.func).startswith(_MAKERS) and last in _classes():
        return last
    return "" if last in _FINDERS else None


def _kind_of(node: ast.expr, widgets: Widgets) -> str | None:
    dotted = _dotted(node)
    parts = dotted.split(".")
    if dotted in widgets:
        return widgets[dotted]
    if dotted == "slicer.app":
        return "qSlicerApplication"
    return "" if any(part in ("ui", "_ui") for part in parts[:-1]) else None


def _is_property(node: ast.Attribute, widgets: Widgets) -> bool:
    kind = _kind_of(node.value, widgets)
    return kind is not None and node.attr in (_properties_of(kind) if kind else qt_properties())


def _dotted(node: ast.AST) -> str:
    """``a.b.c`` of a chain of names, or "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


@cache
def qt_properties() -> frozenset[str]:
    """Names of all properties of Qt's classes and of the stand-ins."""
    return frozenset().union(*(_properties_of(name) for name in _classes()))


@cache
def _properties_of(name: str) -> frozenset[str]:
    described = _classes()[name].staticMetaObject
    return frozenset(described.property(index).name() for index in range(described.propertyCount()))


@cache
def _classes() -> dict[str, Any]:
    """Classes with properties, by name; an item of a table, say, has none."""
    from PySide6 import QtCore
    from Testing.slicerhost.install import standin_classes

    standins = (kind for kind in standin_classes() if issubclass(kind, QtCore.QObject))
    return {kind.__name__: kind for kind in (*_objects(), *standins) if not kind.__name__.startswith("QGraphics")}


def _objects() -> Iterator[Any]:
    from PySide6 import QtCore, QtGui, QtWidgets

    # PySide6 makes its classes when they are asked for: vars() knows only some of them.
    for part in (QtCore, QtGui, QtWidgets):
        for name in dir(part):
            item = getattr(part, name)
            if isinstance(item, type) and issubclass(item, QtCore.QObject):
                yield item


def module_files(repository: Path) -> list[Path]:
    """The files of the module that talk to Qt."""
    module = repository / "HNTargetSeg" / "HNTargetSeg.py"
    desktop = sorted((repository / "HNTargetSeg" / "HNTargetSegLib" / "desktop").glob("**/*.py"))
    return [file for file in (module, *desktop) if file.is_file()]


def main(arguments: list[str]) -> int:
    """Check the files named, or the module's; 1 when something was found."""
    files = [Path(argument) for argument in arguments] or module_files(Path(__file__).resolve().parents[2])
    findings = check(files)
    for finding in findings:
        print(finding)
    print(f"{len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
