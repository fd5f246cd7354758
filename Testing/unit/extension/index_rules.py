"""What the Extensions Index asks of an entry, as checks of our own.

The rules are those of ``slicer-extension-catalog-entry-schema-v1.0.1.json`` and ``scripts/check_description_files.py``
of the repository Slicer/ExtensionsIndex.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json#"
)
TYPES: dict[str, type] = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
REQUIRED = ("$schema", "category", "scm_url")
# The accepted ones that an extension for radiotherapy could be in.
CATEGORIES = ("Analysis", "Informatics", "Planning", "Quantification", "Radiotherapy", "Registration", "Segmentation")


def complaints(text: str, name: str) -> list[str]:
    """What the Index would refuse in the entry ``<name>.json``; empty when it takes it."""
    try:
        entry = json.loads(text)
    except ValueError as error:
        return [f"no JSON: {error}"]
    found = [f"{key} is missing" for key in REQUIRED if not entry.get(key)]
    found += [f"{key} is unknown" for key in entry if key not in TYPES]
    found += [f"{key} is of the wrong type" for key, value in entry.items() if not _has_type(value, TYPES.get(key))]
    if "\r" in text:
        found.append("line endings are not LF")
    if name.lower().startswith("slicer"):
        found.append("the name starts with Slicer")
    return found or _wrong_values(entry)


def _has_type(value: object, wanted: type | None) -> bool:
    # In JSON true is no integer.
    return wanted is None or (isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool))


def _wrong_values(entry: dict[str, Any]) -> list[str]:
    address = urlsplit(entry["scm_url"])
    repository = address.path.rstrip("/").rpartition("/")[2]
    broken = {
        "$schema is not the one of these rules": entry["$schema"] != SCHEMA,
        "category is not on the list": entry["category"] not in CATEGORIES,
        "scm_url is neither https nor git": address.scheme not in ("https", "git") or not address.netloc,
        "the repository's name does not start with Slicer": not repository.startswith("Slicer"),
        "scm_type is neither git nor local": entry.get("scm_type", "git") not in ("git", "local"),
        "tier is not from 1 to 5": not 1 <= entry.get("tier", 1) <= 5,
        "a dependency is no name": any(not isinstance(item, str) or not item for item in _dependencies(entry)),
        "a dependency stands twice": len(set(map(str, _dependencies(entry)))) != len(_dependencies(entry)),
    }
    return [what for what, wrong in broken.items() if wrong]


def _dependencies(entry: dict[str, Any]) -> list[Any]:
    return list(entry.get("build_dependencies", []))
