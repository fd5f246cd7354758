"""HNTargetSeg.py opens in any Slicer: nothing that Slicer lacks, and nothing that runs, at import."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

# What every Slicer ships and its own modules import at the top.
SLICERS = ("slicer", "qt", "ctk", "vtk", "numpy")
CODE = """
import pip
import torch.nn
if torch.cuda.is_available():
    pass
print("loaded")
path = open("x")
class Widget:
    model = torch.load("x")
"""


@pytest.fixture(scope="module")
def module(repository: Path) -> ast.Module:
    return ast.parse((repository / "HNTargetSeg" / "HNTargetSeg.py").read_text(encoding="utf-8"))


def test_it_imports_only_what_slicer_ships(module: ast.Module) -> None:
    assert _foreign_imports(module) == []


def test_nothing_runs_at_import(module: ast.Module) -> None:
    assert _running_lines(module) == []


def test_both_rules_find_what_breaks_them() -> None:
    tree = ast.parse(CODE)
    assert _foreign_imports(tree) == ["pip", "torch"]
    assert _running_lines(tree) == [4, 6, 7, 9]


def _foreign_imports(tree: ast.Module) -> list[str]:
    allowed = {*sys.stdlib_module_names, *SLICERS, "HNTargetSegLib"}
    names = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return [top for top in (name.split(".")[0] for name in names) if top not in allowed]


def _running_lines(tree: ast.Module) -> list[int]:
    """Lines of statements, in the file and in its classes, that do more than define."""
    lines = []
    inner = [node for outer in tree.body if isinstance(outer, ast.ClassDef) for node in outer.body]
    for node in [*tree.body, *inner]:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Pass):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign) and not any(isinstance(n, ast.Call) for n in ast.walk(node)):
            continue
        lines.append(node.lineno)
    return lines
