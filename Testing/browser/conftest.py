"""A patient small enough to be segmented in seconds, a browser, and pages whose last look is kept when a test fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from Testing.browser.chromium import SMALL, chromium, new_page
from Testing.browser.driver import ReviewPage
from Testing.browser.review_process import ServedPage, start_review

from HNTargetSegLib.phantom import PhantomOptions
from HNTargetSegLib.phantom.sample import sample_patient

_SEED = 2028
_PAGES = pytest.StashKey[list[Any]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need a browser and rendering without a screen."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.needs("chromium", "egl"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep what the last page of a failed test looked like, and what it and its server said."""
    report = yield
    pages = [page for page in item.session.stash.get(_PAGES, []) if not page.page.is_closed()]
    if report.when == "call" and report.failed and pages:
        page = pages[-1]
        picture = Path(tempfile.mkdtemp(prefix="hntargetseg-look-")) / f"{item.name}.png"
        page.page.screenshot(path=picture)
        report.sections.append(("picture", str(picture)))
        report.sections.append(("console", "\n".join(page.watched.errors[-10:])))
        report.sections.append(("server", page.served.text()[-3000:]))
    return report


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a generated patient of 64 x 80 x 28 voxels, with lesions that the shipped model finds."""
    options = PhantomOptions(size=(64, 80, 28), spacing=(3.2, 3.2, 6.0))
    files = sample_patient(tmp_path_factory.mktemp("patients"), _SEED, options)
    assert files.mid is not None
    return files.mid.parents[1]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., ServedPage]]:
    """``serve(*arguments)``: start the review; it is stopped after the file."""
    started: list[ServedPage] = []

    # Converting the network takes longer than running it: once for all files.
    cache = {"HNTARGETSEG_CACHE": str(tmp_path_factory.getbasetemp() / "cache")}

    def start(*arguments: str | Path) -> ServedPage:
        started.append(start_review(tmp_path_factory.mktemp("review"), *arguments, environment=cache))
        return started[-1]

    yield start
    for served in started:
        served.stop()


@pytest.fixture(scope="module")
def visit(request: pytest.FixtureRequest, browser: Any) -> Iterator[Callable[..., ReviewPage]]:
    """``visit(served)``: a tab in a fresh profile, not yet at the link; closed after the file."""
    pages: list[ReviewPage] = []
    request.session.stash[_PAGES] = pages

    def made(served: ServedPage, size: tuple[int, int] = SMALL, script: str = "") -> ReviewPage:
        page, watched = new_page(browser, size, script)
        pages.append(ReviewPage(page, served, watched))
        return pages[-1]

    yield made
    for page in pages:
        page.page.context.close()
    pages.clear()
