"""What kind of structure a segment is, by its entry or its name, and Slicer's terminology logic."""

from __future__ import annotations

import re
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.lesions.terminology import COLOURS, CONTEXT, label_of_entry, terminology_entry
from HNTargetSegLib.resources import resource_folder

__all__ = ["COLOURS", "label_of_entry", "label_of_name", "teach_terminology", "terminology_entry"]


def label_of_name(name: str) -> Target | None:
    """Target that a structure name of AAPM TG-263 begins with; None for another name."""
    found = re.match(r"GTV([pn])", name, re.IGNORECASE)
    return None if found is None else {"p": Target.PT, "n": Target.LN}[found[1].lower()]


def teach_terminology(logic: Any | None) -> None:
    """Let Slicer's terminology logic know the targets, their colours and their regions; once does it.

    Parameters
    ----------
    logic
        ``vtkSlicerTerminologiesModuleLogic``. With None nothing happens.

    Raises
    ------
    MissingDependencyError
        If the installation lacks the terminology.
    """
    if logic is None or logic.IsTerminologyContextLoaded(CONTEXT):
        return
    folder = resource_folder("Terminology")
    types, regions = (folder / f"HNTargetSeg{kind}.term.json" for kind in ("", "Regions"))
    logic.LoadTerminologyFromFile(str(types))
    # Regions were called anatomic contexts up to Slicer 5.8.
    load = getattr(logic, "LoadRegionContextFromFile", None) or logic.LoadAnatomicContextFromFile
    load(str(regions))
