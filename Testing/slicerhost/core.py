"""Slicer's scene, application logic and module logics, set up in the order that Slicer needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class SlicerCore:
    """The part of Slicer that the ``slicer-core`` wheel brings.

    Attributes
    ----------
    scene
        ``vtkMRMLScene``.
    application_logic
        ``vtkSlicerApplicationLogic``.
    logics
        Module logics by the name of their module in Slicer ("Segmentations").
    """

    scene: Any
    application_logic: Any
    logics: dict[str, Any] = field(default_factory=dict)

    def add_logic(self, name: str, logic: Any, share: Path | None = None) -> Any:
        """Register ``logic`` as the one of module ``name``; its share folder has to be known before the scene is."""
        if share is not None:
            logic.SetModuleShareDirectory(str(share))
        logic.SetMRMLApplicationLogic(self.application_logic)
        logic.SetMRMLScene(self.scene)
        self.application_logic.SetModuleLogic(name, logic)
        self.logics[name] = logic
        return logic


def start_core(temporary: Path) -> SlicerCore:
    """Scene, application logic, module logics and default nodes as in Slicer; scenes are unpacked in ``temporary``."""
    import slicer

    scene = slicer.vtkMRMLScene()
    _add_cache(scene, temporary)
    core = SlicerCore(scene, slicer.vtkSlicerApplicationLogic())
    _add_default_nodes(scene)
    core.application_logic.SetMRMLScene(scene)
    core.application_logic.SetTemporaryPath(str(temporary))
    # Volumes take their colour table when they are read: the colours come first.
    colors = core.add_logic("Colors", slicer.vtkMRMLColorLogic())
    colors.AddDefaultColorNodes()
    core.application_logic.SetSliceLogics(slicer_collection())
    core.application_logic.SetViewLogics(slicer_collection())
    slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(core.application_logic)
    slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(core.application_logic)
    core.add_logic("Terminologies", slicer.vtkSlicerTerminologiesModuleLogic(), terminologies())
    for name, create in _logics(slicer).items():
        core.add_logic(name, create())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    return core


def slicer_collection() -> Any:
    """A new ``vtkCollection``."""
    from vtkmodules.vtkCommonCore import vtkCollection

    return vtkCollection()


def terminologies() -> Path:
    """Folder of Slicer's own terminology files, as trame-slicer ships them."""
    from importlib.util import find_spec

    package = find_spec("trame_slicer")
    assert package is not None, "trame-slicer is not installed"
    assert package.origin is not None, "trame-slicer is not installed"
    return Path(package.origin).parent / "resources" / "terminologies"


def _logics(slicer: Any) -> dict[str, Callable[[], Any]]:
    return {
        "Markups": slicer.vtkSlicerMarkupsLogic,
        "Volumes": slicer.vtkSlicerVolumesLogic,
        "Models": slicer.vtkSlicerModelsLogic,
        "Segmentations": slicer.vtkSlicerSegmentationsModuleLogic,
        "SubjectHierarchy": slicer.vtkSlicerSubjectHierarchyModuleLogic,
        "Transforms": slicer.vtkSlicerTransformLogic,
        "Data": slicer.vtkSlicerDataModuleLogic,
    }


def _add_cache(scene: Any, temporary: Path) -> None:
    """Where a scene file is unpacked."""
    import slicer

    cache = slicer.vtkCacheManager()
    cache.SetRemoteCacheDirectory(str(temporary))
    cache.SetMRMLScene(scene)
    data_io = slicer.vtkDataIOManager()
    data_io.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(data_io)


def _add_default_nodes(scene: Any) -> None:
    """What qSlicerCoreApplication puts into every scene."""
    import slicer

    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
