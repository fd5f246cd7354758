"""What Slicer says about the module: help, acknowledgements, and its sample patient."""

from __future__ import annotations

from collections.abc import Callable

from HNTargetSegLib import links
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import RESOURCES

CATEGORY = "HNTargetSeg"
SAMPLE = "HNTargetSegPatient"


def help_text() -> str:
    """What the module is for, with the addresses of its documentation."""
    return _(
        "Finds the primary tumour (GTVp) and metastatic lymph nodes (GTVn) on head and neck T2-weighted MR before and "
        "during radiotherapy, and lets you accept, reject and correct them one by one. Research use only.<br>"
        '<a href="{documentation}">Documentation</a>, <a href="{issues}">problems</a>'
    ).format(documentation=links.DOCUMENTATION, issues=links.ISSUES)


def acknowledgement_text() -> str:
    """Whose methods and data formats the module uses."""
    return _(
        "The networks, plans and preprocessing are those of nnU-Net (Isensee et al., Nature Methods 18, 203-211, "
        "2021). Task, labels and file layout are those of HNTS-MRG 2024 (Wahid et al., arXiv 2411.18585)."
    )


def register_sample(opened: Callable[[], object]) -> None:
    """Add the sample patient to the Sample Data module; ``opened`` makes and opens it, nothing is downloaded."""
    import SampleData

    def make(source: object) -> None:
        opened()

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE,
        thumbnailFileName=str(RESOURCES / "Icons" / "SamplePatient.png"),
        uris=[],
        fileNames=[],
        nodeNames=[],
        customDownloader=make,
    )
