"""Parts of a report as HTML: a document that loads nothing from anywhere, tables and pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1b1b1f; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem 1.5rem 3rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc; }
h3 { font-size: 1rem; } img { max-width: 100%; height: auto; }
.note { background: #fff4d6; border-left: 4px solid #d9a400; padding: .4rem .8rem; }
.scroll { overflow-x: auto; } .pictures { display: flex; flex-wrap: wrap; gap: .5rem; }
.pictures img { width: 17rem; }
table { border-collapse: collapse; margin-bottom: 1rem; font-variant-numeric: tabular-nums; font-size: .87rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #888; }
.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; }
figure { margin: 0; width: calc(50% - .4rem); min-width: 20rem; } figcaption { font-size: .87rem; }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; border: 1px solid #555; }
"""


@dataclass(frozen=True)
class Picture:
    """A PNG with the words that stand for it."""

    png: bytes
    text: str


def document(title: str, parts: Iterable[str]) -> str:
    """An HTML document of parts.

    Parameters
    ----------
    title
        Plain text.
    parts
        HTML, in order.
    """
    # Nothing may be loaded from anywhere, whatever stands in a name.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
    )
    whole = head + "\n".join(parts) + "</body></html>\n"
    # Bytes of a file name that are not UTF-8 are lone surrogates, which no file can hold.
    return whole.encode("utf-8", "replace").decode("utf-8")


def table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first cell of each row is its heading. All texts are plain."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def image(picture: Picture) -> str:
    """A picture with its bytes inside."""
    data = base64.b64encode(picture.png).decode("ascii")
    return f'<img alt="{escape(picture.text)}" src="data:image/png;base64,{data}">'
