"""What a file or folder name says about the visit."""

from __future__ import annotations

import re

MASK_WORDS = frozenset(
    {"mask", "masks", "seg", "segmentation", "label", "labels", "labelmap", "gtv", "contour", "contours"}
)
REGISTERED_WORDS = frozenset({"registered", "reg", "warped", "deformed"})
_VISIT_WORDS = {
    **dict.fromkeys(("pre", "prert", "pretreatment", "baseline"), "pre"),
    **dict.fromkeys(("mid", "midrt", "midtreatment"), "mid"),
}


def words(name: str) -> set[str]:
    """Lower-case words of a name, split at anything but letters and where lower turns to upper case."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    whole = re.split(r"[\W\d_]+", name.lower())
    return {word for word in [*whole, *re.split(r"[\W\d_]+", apart.lower())] if word}


def visits_named(name: str) -> set[str]:
    """The visits, of ``pre`` and ``mid``, that a name mentions."""
    return {_VISIT_WORDS[word] for word in words(name) if word in _VISIT_WORDS}
