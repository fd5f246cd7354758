"""A small scripted module for the host's own tests: counts presses, shows a volume's name, asks a question."""

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


def value_of(widget, name):
    """A Qt property's value, under PythonQt and under PySide6."""
    value = getattr(widget, name)
    return value() if callable(value) else value


class Plain(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Plain")
        self.parent.categories = ["Examples"]
        self.parent.contributors = ["HNTargetSeg developers"]
        self.parent.helpText = _("A module for tests.")
        slicer.app.startupCompleted.connect(self.registerSample)

    def registerSample(self):
        import SampleData

        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="Plain", sampleName="PlainNode", uris="made:", customDownloader=self.makeSample
        )

    def makeSample(self, source):
        return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", source.sampleName)


class PlainWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.life = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/Plain.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = PlainLogic()
        self.ui.countButton.clicked.connect(self.onCount)
        self.ui.askButton.clicked.connect(self.onAsk)
        self.ui.openButton.clicked.connect(self.onOpen)
        self.ui.breakButton.clicked.connect(self.onBreak)
        self.ui.volumeSelector.currentNodeChanged.connect(self.onVolume)
        self.shortcut = qt.QShortcut(qt.QKeySequence("A"), slicer.util.mainWindow())
        self.shortcut.activated.connect(self.onCount)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onClosed)
        self.life.append("setup")

    def enter(self):
        self.life.append("enter")

    def exit(self):
        self.life.append("exit")

    def cleanup(self):
        self.life.append("cleanup")
        self.removeObservers()
        self.shortcut.deleteLater()

    def onCount(self):
        self.ui.countLabel.setText(str(self.logic.count(value_of(self.ui.stepBox, "value"))))
        slicer.util.showStatusMessage("counted")

    def onAsk(self):
        yes = slicer.util.confirmYesNoDisplay("Count again from zero?", windowTitle="Plain")
        if yes:
            self.logic.reset()
        slicer.util.infoDisplay("Done." if yes else "Left as it is.")

    def onOpen(self):
        self.ui.countLabel.setText(qt.QFileDialog.getOpenFileName(self.parent, "Choose a file", "", "*.txt"))

    def onBreak(self):
        raise RuntimeError("broken on purpose")

    def onVolume(self, node):
        self.ui.volumeLabel.setText(node.GetName() if node else "none")

    def onClosed(self, caller, event):
        self.life.append("closed")


class PlainLogic(ScriptedLoadableModuleLogic):
    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)

    def count(self, step):
        node = self.getParameterNode()
        node.SetParameter("count", str(int(node.GetParameter("count") or 0) + step))
        return int(node.GetParameter("count"))

    def reset(self):
        self.getParameterNode().SetParameter("count", "0")


class PlainTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()

    def test_counts(self):
        logic = PlainLogic()
        logic.count(2)
        assert logic.count(3) == 5
        assert isinstance(logic.getParameterNode(), vtk.vtkObject)
