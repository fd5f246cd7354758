"""What kind of structure a segment is, in the codes of DICOM and the colours of the two targets."""

from __future__ import annotations

import re
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.lesions.lesion import Side
from HNTargetSegLib.resources import resource_folder

Colour = tuple[float, float, float]

COLOURS: dict[Target, Colour] = {Target.PT: (0.0, 200 / 255, 80 / 255), Target.LN: (1.0, 220 / 255, 0.0)}
"""Green and yellow, as in HNTargetSeg.term.json."""

_CONTEXT = "HNTargetSeg"
_REGIONS = "HNTargetSeg regions"
_CATEGORY = "SCT^49755003^Morphologically Altered Structure"
_TYPES = {Target.PT: "SCT^86049000^Neoplasm, Primary", Target.LN: "SCT^14799000^Neoplasm, Secondary"}
_LYMPH_NODE = "SCT^59441001^Lymph node"
_NOTHING = "^^"
_SIDES = {Side.RIGHT: "SCT^24028007^Right", Side.LEFT: "SCT^7771000^Left", Side.MIDLINE: _NOTHING}


def terminology_entry(label: Target, side: Side) -> str:
    """Terminology entry of a lesion, as Slicer serialises it into the tag of a segment.

    Type: DICOM CID 7159; anatomic region, for lymph nodes: SNOMED CT, its laterality by CID 244.
    """
    region = (_LYMPH_NODE, _SIDES[side]) if label is Target.LN else (_NOTHING, _NOTHING)
    return "~".join((_CONTEXT, _CATEGORY, _TYPES[label], _NOTHING, _REGIONS, *region))


def label_of_entry(entry: str) -> Target | None:
    """Target that a terminology entry of any context names; None for another structure."""
    parts = entry.split("~")
    if len(parts) < 3:
        return None
    code = parts[2].split("^")[:2]
    return next((label for label, type_ in _TYPES.items() if type_.split("^")[:2] == code), None)


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
    if logic is None or logic.IsTerminologyContextLoaded(_CONTEXT):
        return
    folder = resource_folder("Terminology")
    types, regions = (folder / f"HNTargetSeg{kind}.term.json" for kind in ("", "Regions"))
    logic.LoadTerminologyFromFile(str(types))
    # Regions were called anatomic contexts up to Slicer 5.8.
    load = getattr(logic, "LoadRegionContextFromFile", None) or logic.LoadAnatomicContextFromFile
    load(str(regions))
