"""Where the shipped models, protocols and templates lie: in a checkout, a wheel, or beside the Slicer module."""

from __future__ import annotations

from pathlib import Path

from HNTargetSegLib.errors import MissingDependencyError

_PACKAGE = Path(__file__).resolve().parent


def resource_folder(kind: str) -> Path:
    """Folder of one kind of shipped data.

    Parameters
    ----------
    kind
        ``models``, ``protocols``, ``templates``, ``Terminology``.

    Raises
    ------
    MissingDependencyError
        If the installation lacks it.
    """
    # In this order: inside an installed wheel, beside the installed Slicer module, at the top of a checkout.
    candidates = [home / "Resources" / kind for home in (_PACKAGE, _PACKAGE.parent, _PACKAGE.parent.parent)]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise MissingDependencyError(
        f"The shipped folder '{kind}' is not part of this installation",
        path=candidates[0],
        remedy="Install HNTargetSeg again",
    )
