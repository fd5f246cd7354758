"""What VTK and Slicer say of themselves: into a file, not between the lines that a user reads."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from HNTargetSegLib.files import user_folder


def vtk_log_file() -> Path:
    """Where it is written; each start begins anew."""
    return user_folder("cache") / "logs" / "review-vtk.log"


def log_vtk() -> None:
    """Write VTK's warnings and errors into the log file; with ``HNTARGETSEG_DEBUG`` they stay on standard error."""
    if os.environ.get("HNTARGETSEG_DEBUG"):
        return
    from vtkmodules.vtkCommonCore import vtkFileOutputWindow, vtkLogger, vtkOutputWindow

    path = vtk_log_file()
    # A log that cannot be written is no reason not to review.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    window = vtkFileOutputWindow()
    window.SetFileName(str(path))
    window.SetFlush(True)
    vtkOutputWindow.SetInstance(window)
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
