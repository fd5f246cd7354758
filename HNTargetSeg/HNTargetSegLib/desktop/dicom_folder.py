"""The folder of the series that Slicer's DICOM module has loaded a volume from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

INSTANCES = "DICOM.instanceUIDs"
"""Attribute of a volume node: SOP Instance UIDs of its slices, separated by spaces."""


def series_folder(node: Any, database: Any) -> str:
    """Folder that holds the files of a volume's slices; empty where none or several hold them.

    Parameters
    ----------
    node
        ``vtkMRMLScalarVolumeNode``, or None.
    database
        ``slicer.dicomDatabase``; None where there is none.
    """
    uids = "" if node is None else str(node.GetAttribute(INSTANCES) or "")
    if database is None or not uids.split():
        return ""
    files = [str(database.fileForInstance(uid) or "") for uid in uids.split()]
    folders = {Path(file).parent for file in files if file}
    return str(folders.pop()) if len(folders) == 1 and all(files) else ""
