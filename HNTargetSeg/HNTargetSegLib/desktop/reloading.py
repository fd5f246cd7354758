"""Taking the library out of Python, so that the next import reads its files anew."""

from __future__ import annotations

import importlib
import sys

LIBRARY = "HNTargetSegLib"


def forget_library() -> None:
    """Forget all modules of the library; objects made before keep the classes they have."""
    for name in [name for name in sys.modules if name == LIBRARY or name.startswith(LIBRARY + ".")]:
        del sys.modules[name]
    importlib.invalidate_caches()
