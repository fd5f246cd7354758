"""The command that runs our library, and no other copy of it, in an interpreter of the user's choice."""

from __future__ import annotations

from pathlib import Path

MINIMUM_PYTHON = (3, 10)

# The package is loaded from its folder, so that neither PYTHONPATH nor an installed HNTargetSeg of another version has
# a say; the folder itself does not get onto the path, where Slicer's modules beside it would hide packages. Up to the
# check of the version every Python since 2.7 must be able to parse it.
_CODE = """
import sys
if sys.version_info < {minimum}:
    sys.exit("HNTargetSeg needs Python {words} or newer; this is Python " + sys.version.split()[0])
sys.path[:] = [entry for entry in sys.path if entry]
import importlib
import importlib.util
folder = sys.argv.pop(1)
name = "HNTargetSegLib"
spec = importlib.util.spec_from_file_location(name, folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[name])
sys.exit(importlib.import_module(name + "." + sys.argv.pop(1)).main(sys.argv[1:]))
"""


def own_library() -> Path:
    """The folder that holds the package that runs here."""
    return Path(__file__).resolve().parents[2]


def library_command(interpreter: Path, library: Path, module: str, *arguments: str) -> list[str]:
    """Command line that calls ``main(arguments)`` of a module of our library.

    Parameters
    ----------
    library
        The folder that holds the package HNTargetSegLib.
    module
        Such as ``worker.__main__``.
    """
    words = ".".join(map(str, MINIMUM_PYTHON))
    code = _CODE.format(minimum=MINIMUM_PYTHON, words=words)
    return [str(interpreter), "-c", code, str(library / "HNTargetSegLib"), module, *arguments]
