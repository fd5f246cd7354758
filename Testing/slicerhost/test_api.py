"""API.md and the stand-ins say the same, and each stand-in names the Slicer source that it stands for."""

from __future__ import annotations

import re

import pytest
from Testing.slicerhost import install, listing
from Testing.slicerhost.standins import mrml_widgets

TEXT = listing.API.read_text(encoding="utf-8")


def test_every_stand_in_is_listed_and_every_listed_one_is_there():
    assert listing.differences(TEXT) == []


def test_every_stand_in_names_its_source():
    source = re.compile(r"`[\w/]+\.(h|py)`|QUiLoader|Nothing in Slicer")
    assert [name for name, text in listing.sources(TEXT).items() if not source.search(text)] == []


def test_unlisted_method_is_found(monkeypatch: pytest.MonkeyPatch):
    def setToTheModulesLiking(self, value):
        raise NotImplementedError

    monkeypatch.setattr(mrml_widgets.qMRMLWidget, "setToTheModulesLiking", setToTheModulesLiking, raising=False)
    assert listing.differences(TEXT) == ["qMRMLWidget: `setToTheModulesLiking(value)` is not listed"]


def test_changed_signature_is_found():
    changed = TEXT.replace("* `convertXYZToRAS(xyz)`", "* `convertXYZToRAS(xyz, slice)`")
    assert len(listing.differences(changed)) == 2


def test_listed_class_that_is_not_there_is_found():
    assert listing.differences(TEXT + "\n## qMRMLDream\n") == ["qMRMLDream is listed, but there is no such stand-in"]


def test_custom_signals_are_not_in_qt():
    install.install()
    import qt

    assert [name for name in ("Signal", "Slot", "Property") if hasattr(qt, name)] == []
