"""MRML made ready for the scene ring without Slicer's application: scene, logics, ``slicer.modules``, ``slicer.i18n``.

trame-slicer makes the scene and its logics; what ``slicer.util`` and our own scene ring look up by name is added here.
Once a process: Slicer's factories are singletons. Nothing of the page. Ring 10 (web).
"""

from __future__ import annotations

import logging
import os
import sys
import types
from typing import Any

import slicer
import slicer.util
import vtk

_log = logging.getLogger(__name__)


class _QuietOutput(vtk.vtkOutputWindow):
    """Hands what VTK and MRML complain about to the log; paths stand in it, so it is for looking closely only."""

    def __init__(self) -> None:
        self.AddObserver("ErrorEvent", self._tell)
        self.AddObserver("WarningEvent", self._tell)

    @vtk.calldata_type(vtk.VTK_STRING)
    def _tell(self, _caller: Any, event: str, text: str) -> None:
        _log.debug("%s: %s", event, text)


def bootScene() -> Any:
    """Make the scene of this process ready.

    Returns:
        trame-slicer's ``SlicerApp``: ``scene``, ``view_manager``, ``display_manager``, ``segmentation_editor``.
    """
    if sys.platform == "linux":  # without a display, and without the complaint about it
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    _makeTranslation()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    from trame_slicer.core import SlicerApp

    application = SlicerApp()
    vtk.vtkOutputWindow.SetInstance(_QuietOutput())
    logics = {
        "volumes": application.volumes_logic,
        "segmentations": application.segmentations_logic,
        "terminologies": application.terminologies_logic,
        "subjecthierarchy": application.subject_hierarchy_logic,
        "markups": application.markups_logic,
        "colors": application.color_logic,
    }
    slicer.mrmlScene = application.scene
    slicer.modules = types.SimpleNamespace(
        **{name: types.SimpleNamespace(logic=lambda logic=logic: logic) for name, logic in logics.items()}
    )
    return application


def _makeTranslation() -> None:
    """Give ``slicer.i18n``, which slicer-core lacks, so that the words of the panel can be used as they are."""
    if "slicer.i18n" not in sys.modules:
        module = types.ModuleType("slicer.i18n")
        module.tr = lambda text: text  # type: ignore[attr-defined]
        sys.modules["slicer.i18n"] = module
