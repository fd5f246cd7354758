"""Translation of what the panels say."""

from __future__ import annotations

import sys


def tr(text: str) -> str:
    """``text`` in Slicer's language, in the context of the file that calls; imported as ``_``.

    The same as ``slicer.i18n.tr``, which cannot be imported before Slicer is there; outside Slicer the text stays.
    """
    try:
        from slicer import i18n
    except ImportError:
        return text
    return str(i18n.translate(i18n.getContext(sys._getframe(1).f_code.co_filename), text))
