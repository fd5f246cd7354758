"""A real MRML scene with the logics of its modules; one a process, because scenes are not freed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from Testing.slicerhost.core import SlicerCore, start_core
from Testing.unit.scene.small_case import Opened, volume

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.change import Message
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.scene.logics import SceneLogics
from HNTargetSegLib.scene.review_scene import ReviewScene
from HNTargetSegLib.scene.state import find_state


@dataclass
class Complaints:
    """Errors and warnings of VTK, and exceptions in observers, which nobody else would see."""

    seen: list[str] = field(default_factory=list)

    def install(self) -> Any:
        """Listen to VTK; returns the window that its messages went to before."""
        from vtkmodules.vtkCommonCore import vtkOutputWindow

        def observe(_caller: Any, event: str, text: str) -> None:
            self.seen.append(f"{event}: {text.strip()}")

        observe.CallDataType = "string0"  # type: ignore[attr-defined]
        before, window = vtkOutputWindow.GetInstance(), vtkOutputWindow()
        window.SetDisplayModeToNever()
        for event in ("ErrorEvent", "WarningEvent"):
            window.AddObserver(event, observe)
        vtkOutputWindow.SetInstance(window)
        return before


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> SlicerCore:
    """Scene and logics of this process; scenes are not freed."""
    pytest.importorskip("slicer", reason="slicer-core is not installed; it comes with trame-slicer")
    return start_core(tmp_path_factory.mktemp("slicer"))


@pytest.fixture(scope="session")
def complaints(core: SlicerCore) -> Iterator[Complaints]:
    """What VTK complains of while the tests of this folder run."""
    from vtkmodules.vtkCommonCore import vtkOutputWindow

    collected = Complaints()
    before = collected.install()
    yield collected
    vtkOutputWindow.SetInstance(before)


@pytest.fixture
def scene(core: SlicerCore, complaints: Complaints, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty scene; nothing may be complained of at the end."""
    _empty(core.scene)
    complaints.seen.clear()
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, place: complaints.seen.append(f"Python: {error!r}"))
    yield core.scene
    assert complaints.seen == []
    _empty(core.scene)


def _empty(scene: Any) -> None:
    """Close the scene; what outlives that, as Slicer's own default nodes do, goes as well if it is of a review."""
    scene.Clear(0)
    node = find_state(scene)
    if node is not None:
        scene.RemoveNode(node)


@pytest.fixture
def views(core: SlicerCore, scene: Any) -> dict[str, Any]:
    """Slice views by name: two groups of an axial, a sagittal and a coronal one, and a 3D view."""
    import slicer

    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    made = {}
    for group, ending in enumerate(("", "+")):
        for name, orientation in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
            node = _named(scene, "vtkMRMLSliceNode", name + ending)
            node.SetViewGroup(group)
            node.SetOrientation(orientation)
            node.SetDimensions(400, 300, 1)
            _named(scene, "vtkMRMLSliceCompositeNode", name + ending)
            made[name + ending] = node
    _named(scene, "vtkMRMLViewNode", "1")
    return made


def _named(scene: Any, kind: str, layout_name: str) -> Any:
    node = scene.CreateNodeByClass(kind)
    node.UnRegister(None)
    node.SetLayoutName(layout_name)
    node.SetName(layout_name)
    return scene.AddNode(node)


@pytest.fixture
def logics(core: SlicerCore) -> SceneLogics:
    return SceneLogics(
        core.application_logic, core.logics["Segmentations"], core.logics["Terminologies"], core.logics["Volumes"]
    )


@pytest.fixture
def opened(scene: Any, logics: SceneLogics) -> Iterator[Callable[..., Opened]]:
    """Maker of open reviews: ``opened(visits=(Visit.PRE, Visit.MID), axes=None)``."""
    made = []

    def make(visits: tuple[Visit, ...] = (Visit.PRE, Visit.MID), axes: np.ndarray | None = None) -> Opened:
        session = ReviewSession("A. Reader")
        said: list[Message] = []
        session.messages.connect(said.append)
        review = ReviewScene(session, scene, logics=logics)
        images = {visit: VisitImage(volume(n, axes)) for n, visit in enumerate(visits)}
        session.open(ReviewCase("case 7", images))
        made.append(review)
        return Opened(session, scene, review, said)

    make.forget = made.clear
    yield make
    for review in made:
        review.dispose()
