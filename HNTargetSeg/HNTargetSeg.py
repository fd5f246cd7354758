"""3D Slicer module: head and neck targets on MR, found by a network and reviewed lesion by lesion."""

# ruff: noqa: D102, N802, N803 (the names are Slicer's)
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HNTargetSeg(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        from HNTargetSegLib.desktop.about import acknowledgement_text, help_text

        parent.title = _("HN Target Segmentation")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations", "SubjectHierarchy", "Terminologies", "Volumes"]
        parent.contributors = ["HNTargetSeg developers"]
        parent.helpText = help_text()
        parent.acknowledgementText = acknowledgement_text()
        slicer.app.startupCompleted.connect(registerSampleData)


def registerSampleData():
    """Add the sample patient to the Sample Data module."""
    from HNTargetSegLib.desktop.about import register_sample

    register_sample(openSampleData)


def openSampleData():
    """Generate the sample patient and open it in this module."""
    slicer.util.selectModule("HNTargetSeg")
    HNTargetSegLogic().openSample()


class HNTargetSegWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel; what it shows is in HNTargetSegLib.desktop."""

    def __init__(self, parent=None):
        VTKObservationMixin.__init__(self)
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from HNTargetSegLib.desktop.screen import Screen

        self.screen = Screen(self, HNTargetSegLogic)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndClose)

    def enter(self):
        self.screen.enter()

    def exit(self):
        self.screen.leave()

    def cleanup(self):
        self.removeObservers()
        self.screen.close()

    def onSceneStartClose(self, caller, event):
        self.screen.scene_closes()

    def onSceneEndClose(self, caller, event):
        self.screen.scene_closed()

    def onReload(self):
        self.cleanup()
        from HNTargetSegLib.desktop.reloading import forget_library

        forget_library()
        ScriptedLoadableModuleWidget.onReload(self)


class HNTargetSegLogic(ScriptedLoadableModuleLogic):
    """The review for the Python console: the one that the open panel shows.

    Visits are "pre" and "mid"; a lesion is given by its name, such as "GTVn1", or its id. What goes wrong raises one of
    HNTargetSegLib.errors, whose text says what to do. close() ends the worker when nobody else uses it.
    """

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        from HNTargetSegLib.desktop.console import Console
        from HNTargetSegLib.desktop.desks import join_desk

        self.shared = join_desk(self)
        self.console = Console(self.shared.desk)

    def openPatient(self, folder, patient=None, answer=None, review=None):
        """Open a patient; answer "continue" or "swap" settles doubts, review "continue" or "anew" one kept on disk."""
        return self.console.open_patient(folder, patient, answer, review)

    def openSample(self, **choice):
        """Open the generated patient; choice is that of HNTargetSegLib.phantom.sample.sample_patient."""
        return self.console.open_sample(**choice)

    def openVolumes(self, preNode, midNode, answer=None, review=None):
        """Open volumes of the scene, of which one may be None."""
        return self.console.open_volumes(preNode, midNode, answer, review)

    def segment(self, visits=None, model=None, device="auto", mode="exact", wait=False):
        """Segment visits, all by default; with wait=True the lesions are there when it returns."""
        self.console.segment(visits, model, device, mode, wait)

    def cancel(self):
        """Stop the run at its next tile."""
        self.shared.desk.segmenting.cancel()

    def lesions(self, visit=None):
        """Lesions of a visit, of the one on screen by default: dicts with the columns of lesions.csv."""
        return self.console.lesions(visit)

    def select(self, visit, lesion):
        """Mark a lesion and move the views to it."""
        self.console.select(visit, lesion)

    def accept(self, visit, *lesions):
        """Accept lesions: they leave with the export."""
        self.console.accept(visit, *lesions)

    def reject(self, visit, *lesions):
        """Reject lesions: they never leave."""
        self.console.reject(visit, *lesions)

    def reset(self, visit, *lesions):
        """Take the verdicts on lesions back."""
        self.console.reset(visit, *lesions)

    def rename(self, visit, lesion, name):
        """Give a lesion another name."""
        self.console.rename(visit, lesion, name)

    def relabel(self, visit, lesion, label):
        """Make a lesion a "PT" or an "LN"."""
        self.console.relabel(visit, lesion, label)

    def overrule(self, visit, lesion, fate):
        """Say what became of a lesion since pre-RT, such as "shrunk"."""
        self.console.overrule(visit, lesion, fate)

    def undo(self):
        """Take back what was said last."""
        self.shared.desk.session.undo()

    def redo(self):
        """Say again what was taken back."""
        self.shared.desk.session.redo()

    def exportResults(self, folder, confirmed=(), visits=None, formats=("nifti", "csv"), series=None):
        """Write decided lesions and those confirmed as (visit, name); series: DICOM folder by visit."""
        return self.console.export(folder, confirmed, visits, formats, series)

    def close(self):
        """Get up from the review."""
        from HNTargetSegLib.desktop.desks import leave_desk

        leave_desk(self)


class HNTargetSegTest(ScriptedLoadableModuleTest):
    """Self-tests; what they look at is in HNTargetSegLib.desktop.self_check."""

    def setUp(self):
        from HNTargetSegLib.desktop.self_check import SelfCheck

        slicer.mrmlScene.Clear()
        self.logic = HNTargetSegLogic()
        self.check = SelfCheck(self, self.logic)

    def tearDown(self):
        self.logic.close()
        slicer.mrmlScene.Clear()

    def test_sample_patient_is_opened(self):
        self.check.open_sample()

    def test_shipped_model_segments(self):
        self.check.segment()

    def test_verdicts_are_undone(self):
        self.check.review()

    def test_export_is_refused_then_read_back(self):
        self.check.export()

    def test_saved_scene_goes_on(self):
        self.check.save_and_load()
