"""What a person does on the review page, and what a person sees there."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import psutil
from Testing.browser.chromium import Watched
from Testing.browser.review_process import ServedPage

_MS = 1000
PATIENCE = 60 * _MS
"""How long a state of the page is waited for, on a machine that does other things as well."""


class ReviewPage:
    """A tab with the review.

    Parameters
    ----------
    page
        Playwright's page.
    served
        The program behind it.
    watched
        What the page does.
    """

    def __init__(self, page: Any, served: ServedPage, watched: Watched) -> None:
        self.page = page
        self.served = served
        self.watched = watched
        page.set_default_timeout(PATIENCE)

    def open(self) -> None:
        """Visit the link and wait for the page."""
        self.page.goto(self.served.url)
        self.page.wait_for_selector(".hn-bar")

    def wait_for_views(self, count: int = 2) -> None:
        """Wait until that many views show a picture."""
        self.page.wait_for_function(
            "n => [...document.querySelectorAll('[data-view] img')].filter(i => i.naturalWidth > 50).length >= n",
            arg=count,
        )

    # What is seen

    def rows(self) -> list[str]:
        """Names in the lesion table, from top to bottom."""
        return [
            str(name) for name in self.page.locator("tr[data-lesion]").evaluate_all("r => r.map(x => x.dataset.lesion)")
        ]

    def cell(self, lesion: str, column: str) -> str:
        """Text of a cell; ``column`` is the heading."""
        heads = [text.strip() for text in self.page.locator(".hn-table th").all_inner_texts()]
        index = next(number for number, text in enumerate(heads) if text.startswith(column))
        return self.row(lesion).locator("td").nth(index).inner_text().strip()

    def volume(self, lesion: str) -> float:
        """Its volume in cc as the table shows it."""
        return float(self.cell(lesion, "cc"))

    def selected(self) -> str:
        """Name of the selected lesion."""
        return str(self.page.locator("tr[data-lesion].selected").first.get_attribute("data-lesion"))

    def row(self, lesion: str) -> Any:
        """Its row."""
        return self.page.locator(f'tr[data-lesion="{lesion}"]')

    def slice_number(self, view: str) -> int:
        """Which slice a view shows, as written on it."""
        text = self.page.locator(f'[data-view="{view}"] .hn-slice-number').inner_text()
        return int(text.split("/")[0].strip(" \u2248"))

    def notice(self) -> str:
        """The message at the bottom."""
        return self.page.locator("[data-notice]").inner_text()

    def picture(self, view: str) -> np.ndarray:
        """Grey levels (rows, columns) of a view as it is on screen."""
        return self._colours(view).mean(axis=2)

    def tumour_outline(self, view: str) -> tuple[float, float]:
        """Middle of the green outlines in a view, in pixels from the middle of the view."""
        red, green, blue = np.moveaxis(self._colours(view), 2, 0)
        rows, columns = np.nonzero((green > 150) & (red < 90) & (blue < 130))
        if not rows.size:
            raise AssertionError(f"No green outline in {view}")
        return float(columns.mean() - red.shape[1] / 2), float(rows.mean() - red.shape[0] / 2)

    def _colours(self, view: str) -> np.ndarray:
        from PIL import Image

        shot = self.page.locator(f'[data-view="{view}"] img').first.screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=float)

    def middle(self, view: str) -> tuple[float, float]:
        """The middle of a view on the page."""
        return self.middle_of(self.page.locator(f'[data-view="{view}"]'))

    def middle_of(self, element: Any) -> tuple[float, float]:
        """The middle of an element on the page."""
        box = element.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    # What is done

    def select(self, lesion: str) -> None:
        """Click on its row, and wait until it is selected."""
        self.row(lesion).click()
        self.page.wait_for_selector(f'tr[data-lesion="{lesion}"].selected')

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)

    def button(self, text: str) -> Any:
        """A button by its text."""
        return self.page.get_by_role("button", name=text, exact=True)

    def wheel(self, view: str, steps: int) -> None:
        """Turn the wheel over a view."""
        self.page.mouse.move(*self.middle(view))
        for _ in range(abs(steps)):
            self.page.mouse.wheel(0, 120 if steps > 0 else -120)
            self.page.wait_for_timeout(60)

    def drag(self, view: str, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
        """Drag with the left button; places in pixels from the middle of the view."""
        x, y = self.middle(view)
        self.page.mouse.move(x + start[0], y + start[1])
        self.page.wait_for_timeout(100)
        self.page.mouse.down()
        self.page.mouse.move(x + end[0], y + end[1], steps=steps)
        self.page.wait_for_timeout(100)
        self.page.mouse.up()

    def segment(self, patience: int = 4 * PATIENCE) -> None:
        """Segment both visits, and wait for the lesions."""
        self.begin_segmentation()
        self.page.wait_for_selector("tr[data-lesion]", timeout=patience)
        self.page.wait_for_selector("[data-run]", state="detached", timeout=patience)

    def begin_segmentation(self) -> None:
        """Open the card and press Segment."""
        self.open_card("Segment")
        self.page.locator(".v-expansion-panel-text").get_by_role("button", name="Segment", exact=True).click()
        self.page.wait_for_selector("[data-run]")

    def running_workers(self) -> list[psutil.Process]:
        """Processes that own a model; waited for."""
        _until(self.page, self.served.workers, "No worker is started")
        return self.served.workers()

    def open_card(self, title: str) -> None:
        """Unfold a card of the column."""
        head = self.page.locator(".v-expansion-panel-title", has_text=title)
        if head.get_attribute("aria-expanded") != "true":
            head.click()

    def wait(self, expression: str, argument: Any = None, patience: int = PATIENCE) -> None:
        """Wait until a JavaScript expression is true."""
        self.page.wait_for_function(expression, arg=argument, timeout=patience)

    def wait_for_cell(self, lesion: str, column: str, text: str) -> None:
        """Wait until a cell says ``text``."""
        _until(self.page, lambda: self.cell(lesion, column) == text, f"{lesion}: {column} is never {text!r}")

    def wait_for_volume(self, lesion: str, condition: Any, what: str) -> float:
        """Wait until ``condition(volume)`` holds; the volume."""
        _until(self.page, lambda: condition(self.volume(lesion)), f"The volume of {lesion} never {what}")
        return self.volume(lesion)

    def wait_for_slice(self, view: str, condition: Any) -> int:
        """Wait until ``condition(number)`` holds of a view's slice; the number."""
        _until(self.page, lambda: condition(self.slice_number(view)), f"{view} never shows that slice")
        return self.slice_number(view)


def _until(page: Any, holds: Any, otherwise: str, patience: int = PATIENCE) -> None:
    """Ask every 50 ms whether something is to be seen."""
    for _ in range(patience // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(otherwise)
