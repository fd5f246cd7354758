"""The plain pages round the review: entering with the link, a link that does not open it, a page taken over."""

from __future__ import annotations

_STYLE = (
    "font-family:system-ui,sans-serif;background:#14171c;color:#e6e9ee;margin:0;min-height:100vh;"
    "display:flex;align-items:center;justify-content:center"
)
_CARD = "max-width:34rem;padding:2rem;line-height:1.5"
_LINK = "color:#8ec5ff"
_HEAD, _TEXT = "font-size:1.25rem;margin:0 0 1rem", "margin:0 0 1rem"

ELSEWHERE_KEY = "review_open_elsewhere"
"""State of the page: whether another tab has taken the review over."""

ENTRY = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>HNTargetSeg review</title>
<meta http-equiv="refresh" content="0;url=./index.html"><link rel="icon" href="data:,"></head>
<body style="{_STYLE}"><main style="{_CARD}">Opening the review ...
<a style="{_LINK}" href="./index.html">Continue</a></main></body></html>
"""
"""Answer to the link with its token: the browser goes on without the token in its address and its history."""

# Vue shows it in place of the page when the connection is gone, so it says what may be the case.
DISCONNECTED = f"""<div style="{_STYLE}"><main style="{_CARD}">
<h1 v-if="{ELSEWHERE_KEY}" style="{_HEAD}">The review is open in another tab</h1>
<h1 v-else style="{_HEAD}">The review has ended</h1>
<p v-if="{ELSEWHERE_KEY}" style="{_TEXT}">One tab at a time works on a review. Nothing is lost.</p>
<p v-else style="{_TEXT}">The program was closed, it ended because nobody used it, or the connection broke.
Start it again if this page does not come back.</p>
<p><a style="{_LINK}" href="./index.html">{{{{ {ELSEWHERE_KEY} ? 'Use it in this tab' : 'Try again' }}}}</a></p>
</main></div>
"""
"""Template that trame shows when its connection has closed."""


def refused(reason: str) -> str:
    """Page of a request that is not let in, with what to do.

    Parameters
    ----------
    reason
        A plain sentence without markup.
    """
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not allowed</title><link rel="icon" href="data:,"></head>
<body style="{_STYLE}"><main style="{_CARD}"><h1 style="{_HEAD}">This address does not open the review</h1>
<p style="{_TEXT}">{reason}</p>
<p>Open the whole link that was printed when the review was started, with everything after <code>?token=</code>.
It holds until that program ends; a new start prints a new link.</p></main></body></html>
"""
