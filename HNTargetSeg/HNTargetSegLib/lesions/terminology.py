"""What kind of structure a lesion is, in the codes of DICOM, as Slicer writes them, and the colours of the targets."""

from __future__ import annotations

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.lesions.lesion import Side

Colour = tuple[float, float, float]

COLOURS: dict[Target, Colour] = {
    target: (target.rgb[0] / 255, target.rgb[1] / 255, target.rgb[2] / 255) for target in Target
}
"""Colours of the targets, each part from 0 to 1."""

CONTEXT = "HNTargetSeg"
"""Name of the terminology that HNTargetSeg.term.json holds."""

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
    return "~".join((CONTEXT, _CATEGORY, _TYPES[label], _NOTHING, _REGIONS, *region))


def label_of_entry(entry: str) -> Target | None:
    """Target that a terminology entry of any context names; None for another structure."""
    parts = entry.split("~")
    if len(parts) < 3:
        return None
    code = parts[2].split("^")[:2]
    return next((label for label, type_ in _TYPES.items() if type_.split("^")[:2] == code), None)
