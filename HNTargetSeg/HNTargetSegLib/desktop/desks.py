"""Which desk belongs to which scene: panels and consoles on one scene sit at the same one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.polling import Polling
from HNTargetSegLib.scene.logics import SceneLogics


@dataclass
class SharedDesk:
    """A desk, the timer that polls it, and who sits at it."""

    desk: ReviewDesk
    polling: Polling
    owners: WeakSet[Any] = field(default_factory=WeakSet)


_shared: dict[int, tuple[Any, SharedDesk]] = {}


def join_desk(owner: Any) -> SharedDesk:
    """The desk of Slicer's scene; made for the first who asks. ``owner`` leaves it with :func:`leave_desk`."""
    import slicer

    scene = slicer.mrmlScene
    if id(scene) not in _shared:
        desk = ReviewDesk(scene, _logics(), environment=_startup_environment)
        _shared[id(scene)] = (scene, SharedDesk(desk, Polling(desk)))
    shared = _shared[id(scene)][1]
    shared.owners.add(owner)
    return shared


def leave_desk(owner: Any) -> None:
    """Get up from the desk; the last one ends its worker and its timer."""
    for key, (_, shared) in list(_shared.items()):
        if owner in shared.owners:
            shared.owners.discard(owner)
            if not shared.owners:
                del _shared[key]
                shared.polling.close()
                shared.desk.close()


def _logics() -> SceneLogics:
    import slicer

    def logic(name: str) -> Any:
        module = getattr(slicer.modules, name, None)
        return None if module is None else module.logic()

    return SceneLogics(
        application=slicer.app.applicationLogic(),
        segmentations=logic("segmentations"),
        terminologies=logic("terminologies"),
        volumes=logic("volumes"),
    )


def _startup_environment() -> dict[str, str]:
    """Environment in which Slicer was started: its own variables mislead other Pythons."""
    import slicer

    return dict(slicer.util.startupEnvironment())
