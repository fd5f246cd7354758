"""``slicer.i18n``: the language is English here."""

from __future__ import annotations


def translate(context: str, text: str) -> str:
    """The text in the application's language."""
    return text


def getContext(sourceFile: str) -> str:
    """Name under which the texts of a source file are translated."""
    from pathlib import Path

    file = Path(sourceFile)
    package = file.parent.name + "." if (file.parent / "__init__.py").is_file() else ""
    return package + file.stem


def tr(text: str) -> str:
    """The text in the application's language; the context is the calling file."""
    return text
