"""Make the pictures of the review page: a real review of the generated sample patient, in Chromium."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image
from Testing.browser.chromium import LARGE, SMALL, chromium, new_page
from Testing.browser.driver import ReviewPage
from Testing.browser.review_process import start_review

from HNTargetSegLib.phantom.sample import sample_patient

_SCREENSHOTS = Path(__file__).resolve().parents[2] / "Resources" / "screenshots"
_LARGEST = 500_000


def main() -> int:
    """Segment the patient, decide about some lesions, and take a picture of each layout."""
    with tempfile.TemporaryDirectory(prefix="hntargetseg-pictures-") as folder:
        files = sample_patient(Path(folder) / "patients")
        if files.mid is None:
            raise RuntimeError("The sample patient has no mid-RT image")
        served = start_review(Path(folder) / "review", files.mid.parents[1])
        try:
            with chromium() as browser:
                page, watched = new_page(browser, SMALL)
                _review(ReviewPage(page, served, watched), _SCREENSHOTS)
        finally:
            served.stop()
    return 0


def _review(tab: ReviewPage, folder: Path) -> None:
    tab.open()
    tab.wait_for_views()
    tab.segment()
    names = tab.rows()
    for name, key in zip(names[1:3], "ax", strict=False):
        tab.select(name)
        tab.press(key)
    tab.select(names[0])
    _picture(tab, folder / "review-compare.png")
    tab.page.set_viewport_size({"width": LARGE[0], "height": LARGE[1]})
    tab.press("2")
    tab.wait_for_views(4)
    tab.open_card("Display")
    _picture(tab, folder / "review-four-views.png")


def _picture(tab: ReviewPage, path: Path) -> None:
    close = tab.page.get_by_label("Close the message")
    if close.is_visible():
        close.click()
    # Nothing is pointed at, and what moves has come to rest.
    tab.page.mouse.move(2, 60)
    tab.page.wait_for_timeout(3000)
    tab.page.screenshot(path=path)
    whole = Image.open(path).convert("RGB")
    whole.save(path, optimize=True)
    if path.stat().st_size > _LARGEST:
        # Greys need few entries of a palette; what is left goes to the colours, which must not change.
        whole.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > _LARGEST:
        raise RuntimeError(f"{path} is {path.stat().st_size} bytes, more than {_LARGEST}")
    print(path)


if __name__ == "__main__":
    sys.exit(main())
