"""MedSegAI in 3D Slicer: the four classes that Slicer looks up by name. Everything else is in MedSegAISlicer.

Nothing heavy is imported here: Slicer imports this file at every start, and the networks run in a process of their own.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

# Installed, the library lies beside this file; in a checkout (additional module path) it lies one folder up.
if importlib.util.find_spec("MedSegAILib") is None:
    sys.path.append(str(Path(__file__).resolve().parents[1]))

from MedSegAISlicer.scene import sample_data, self_test
from MedSegAISlicer.scene.logic import SegmentationLogic


class MedSegAI(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "MedSegAI"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations"]
        parent.contributors = ["The MedSegAI contributors"]
        parent.helpText = _(
            "Segments a brain tumor in MR scans (T1, T1 with contrast, T2, FLAIR): whole tumor, tumor core and "
            "enhancing tumor, as an ordinary segmentation that can be checked and corrected. "
            "Research use only. Not for clinical decisions."
        )
        parent.acknowledgementText = _("Built on 3D Slicer, NumPy, ITK and OpenVINO. Licensed under Apache 2.0.")
        slicer.app.connect("startupCompleted()", sample_data.registerSampleData)


class MedSegAIWidget(ScriptedLoadableModuleWidget):
    """The module's panel; the parts are in ``MedSegAISlicer.gui``."""

    def __init__(self, parent: Any = None) -> None:
        self.logic = None
        self.panel = None
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self) -> None:
        """Build the panel; called once, when the module is first shown."""
        from MedSegAISlicer.gui.main_panel import MainPanel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MedSegAI.ui"))
        self.layout.addWidget(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedSegAILogic()
        self.panel = MainPanel(slicer.util.childWidgetVariables(uiWidget), self.logic)

    def enter(self) -> None:
        """The user comes to this module."""
        if self.panel is not None:
            self.panel.enter()

    def exit(self) -> None:
        """The user goes to another module; a run goes on."""
        if self.panel is not None:
            self.panel.exit()

    def cleanup(self) -> None:
        """The module is reloaded or Slicer ends."""
        if self.panel is not None:
            self.panel.cleanup()
            self.panel = None


class MedSegAILogic(SegmentationLogic, ScriptedLoadableModuleLogic):
    """What scripts use: ``segment`` and ``segmentAsync``; see ``MedSegAISlicer.scene.logic``."""

    def __init__(self, parent: Any = None, **arguments: Any) -> None:
        ScriptedLoadableModuleLogic.__init__(self, parent)
        SegmentationLogic.__init__(self, **arguments)


class MedSegAITest(ScriptedLoadableModuleTest):
    """Run by Slicer ("Reload and Test", and CTest): the module is whole and its package is sound."""

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear(0)

    def runTest(self) -> None:
        """Run all tests."""
        self.setUp()
        self.test_packageIsSound()
        self.setUp()
        self.test_missingVolumeIsToldInWords()
        self.setUp()
        self.test_journey()

    def test_packageIsSound(self) -> None:
        """The shipped package is found and passes its checksums."""
        package = MedSegAILogic().package()
        self.assertEqual(package.task, "brain-tumor")  # noqa: PT009 - Slicer runs unittest

    def test_missingVolumeIsToldInWords(self) -> None:
        """A run without any volume ends in a sentence with a next step."""
        self_test.checkMissingVolume(self, MedSegAILogic())

    def test_journey(self) -> None:
        """Sample scans are segmented, looked at, accepted, segmented again, compared and exported."""
        if not self_test.CHECKOUT_SAMPLE.is_dir():
            self.skipTest("The sample scans come with a checkout, not with the installed extension.")
        self_test.runJourney(self, MedSegAILogic())
