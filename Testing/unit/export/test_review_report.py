"""The report of a review, as a page and as PDF."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.export.report_content import ReportTable, ReviewReport
from HNTargetSegLib.export.review_report import as_html, visit_section
from HNTargetSegLib.export.review_report_pdf import as_pdf
from HNTargetSegLib.lesions.lesion import LesionSet, State


def report(image: Volume, lesions: LesionSet, **changes) -> ReviewReport:
    section = visit_section("mid-RT", image, lesions, [("Model", "tiny 1.0")], [ReportTable("Work", ("a",), (("b",),))])
    return replace(ReviewReport("Review of patient 7", (("Reviewer", "R"),), (section,)), **changes)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def test_each_lesion_has_its_row_and_a_picture_of_its_own(image, lesions):
    page = as_html(report(image, lesions))
    pictures = [base64.b64decode(text) for text in re.findall(r'src="data:image/png;base64,([^"]+)"', page)]
    assert len(set(pictures)) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    for said in ("GTVp, left", "GTVn1, right", "Primary tumour", "Lymph node", "tiny 1.0", "Research use only"):
        assert said in page


def test_a_rejected_lesion_is_not_shown(image, lesions):
    node = lesions.lesions[1]
    page = as_html(report(image, lesions.with_lesions(replace(node, state=State.REJECTED))))
    assert "GTVn1" not in page


def test_the_page_loads_nothing_and_runs_nothing_whatever_stands_in_a_name(image, lesions):
    hostile = '<script>alert(1)</script><img src="http://example.org/x.png">'
    renamed = lesions.with_lesions(replace(lesions.lesions[0], name=hostile))
    page = as_html(report(image, renamed, title=hostile, facts=((hostile, hostile),), notes=(hostile,)))
    assert "<script" not in page
    assert not re.search(r'<img[^>]*src="(?!data:)', page)
    assert "default-src 'none'" in page


def test_the_pdf_has_as_many_pages_as_it_takes(image, lesions):
    one = report(image, lesions)
    assert pages(as_pdf(one)) == 1
    assert pages(as_pdf(replace(one, sections=one.sections * 6))) > 1


def test_a_name_in_a_script_that_the_font_lacks_stops_nothing(image, lesions):
    assert as_pdf(report(image, lesions, title="\u60a3\u8005 \udcff")).startswith(b"%PDF")


def test_a_visit_without_lesions_is_said_to_have_none(image, no_lesions):
    assert "No lesion leaves" in as_html(report(image, no_lesions))
    assert pages(as_pdf(report(image, no_lesions))) == 1


def test_lesions_of_another_grid_are_refused(lesions):
    import numpy as np

    other = Volume(np.zeros((4, 4, 4), np.float32), Geometry((4, 4, 4)), "T2")
    with pytest.raises(GeometryError):
        report(other, lesions)
