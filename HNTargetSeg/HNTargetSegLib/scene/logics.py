"""The logics of Slicer that a scene may come with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SceneLogics:
    """Logics of one scene; any may be None where the face has none.

    Attributes
    ----------
    application
        ``vtkMRMLApplicationLogic``.
    segmentations
        ``vtkSlicerSegmentationsModuleLogic``.
    terminologies
        ``vtkSlicerTerminologiesModuleLogic``.
    volumes
        ``vtkSlicerVolumesLogic``.
    """

    application: Any = None
    segmentations: Any = None
    terminologies: Any = None
    volumes: Any = None
