"""Help: the doctor; libraries of the network, an offline bundle: shown first, installed by a click. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from MedSegAISlicer.scene.installation import Asked, bundleLines, changeLines, doctorLines, libraryLines
from MedSegAISlicer.scene.logic import SegmentationLogic

from . import sentences
from .guard import guarded

_POLL_MS = 50
_BUTTONS = {
    "doctorButton": "doctor",
    "bundleLookButton": "bundle_look",
    "bundleInstallButton": "bundle_install",
    "bundleRepairButton": "bundle_repair",
    "librariesLookButton": "libraries_look",
    "librariesInstallButton": "libraries_install",
}
_INSTALLS = ("bundle_install", "bundle_repair", "libraries_install")
_LINES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "doctor": doctorLines,
    "bundle_look": bundleLines,
    "bundle_install": changeLines,
    "bundle_repair": changeLines,
    "libraries_look": libraryLines,
    "libraries_install": changeLines,
}


class HelpPanel:
    """The section "Help".

    Args:
        ui: child widgets by name.
        logic: whose worker is asked.
    """

    def __init__(self, ui: Any, logic: SegmentationLogic) -> None:
        self.ui = ui
        self.logic = logic
        self._asked: Asked | None = None
        self._lookedAt = ""  # the bundle whose contents were shown: consent is for these
        self._names: list[str] = []  # the libraries that were shown
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self.onTimer)
        self._slots = {
            "doctorButton": self.onDoctor,
            "bundleLookButton": self.onLook,
            "bundleInstallButton": self.onInstall,
            "bundleRepairButton": self.onRepair,
            "librariesLookButton": self.onLibraries,
            "librariesInstallButton": self.onFetch,
        }
        for name, slot in self._slots.items():
            getattr(ui, name).connect("clicked()", slot)
        ui.bundleDirectoryButton.connect("directoryChanged(QString)", self.onFolder)
        ui.helpCollapsibleButton.collapsed = True
        self._draw()

    def disconnect(self) -> None:
        """Undo the connections, and stop waiting."""
        self._timer.stop()
        self._timer.disconnect("timeout()", self.onTimer)
        for name, slot in self._slots.items():
            getattr(self.ui, name).disconnect("clicked()", slot)
        self.ui.bundleDirectoryButton.disconnect("directoryChanged(QString)", self.onFolder)
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    def onDoctor(self) -> None:
        """Examine the installation."""
        self._ask("doctor")

    def onLook(self) -> None:
        """Show what the bundle would bring."""
        self._ask("bundle_look")

    def onInstall(self) -> None:
        """Install what was shown."""
        self._ask("bundle_install")

    def onRepair(self) -> None:
        """Put back what is missing or altered."""
        self._ask("bundle_repair")

    def onLibraries(self) -> None:
        """Show which libraries are missing, with their sizes; nothing is fetched."""
        self._ask("libraries_look")

    def onFetch(self) -> None:
        """Fetch what was shown; pressed again meanwhile, it stops."""
        if self._asked is not None and self._asked.verb == "libraries_install":
            self._asked.cancel()
        else:
            self._ask("libraries_install")

    def onFolder(self) -> None:
        """Another bundle was chosen: it was not looked at yet."""
        self._draw()

    def onTimer(self) -> None:
        """Hear the worker."""
        with guarded(self._abandon):
            asked = self._asked
            if asked is None:
                return
            asked.poll()
            if asked.doing:
                self.ui.helpLabel.text = asked.doing
            if asked.state != "running":
                self._end(asked)

    def _ask(self, verb: str) -> None:
        with guarded(self._abandon):
            if self._asked is None:
                arguments: dict[str, Any] = {}
                if verb.startswith("bundle"):
                    arguments = {"bundle": str(self.ui.bundleDirectoryButton.directory)}
                elif verb == "libraries_install":
                    arguments = {"names": self._names}
                self._asked = Asked(self.logic.runner.client, verb, arguments)
                self.ui.helpLabel.text = sentences.looking()
                self._draw()
                self._timer.start()

    def _end(self, asked: Asked) -> None:
        self._rest()
        if asked.error is not None:
            self.ui.helpLabel.text = sentences.problem(asked.error)
        else:
            self.ui.helpLabel.text = "\n".join(_LINES[asked.verb](asked.answer))
            if asked.verb == "bundle_look" and not asked.answer["faults"]:
                self._lookedAt = str(self.ui.bundleDirectoryButton.directory)
            if asked.verb == "libraries_look":
                self._names = list(asked.answer["names"])
            if asked.verb == "libraries_install":
                self._names = []
            if asked.verb in _INSTALLS and not self.logic.isBusy:
                self.logic.close()  # the next run starts a worker that sees what is new
        self._draw()

    def _abandon(self, sentence: str) -> None:
        self._rest()
        self.ui.helpLabel.text = sentence
        self._draw()

    def _rest(self) -> None:
        self._timer.stop()
        self._asked = None

    def _draw(self) -> None:
        isIdle = self._asked is None
        for name in _BUTTONS:
            getattr(self.ui, name).enabled = isIdle
        isShown = bool(self._lookedAt) and self._lookedAt == str(self.ui.bundleDirectoryButton.directory)
        self.ui.bundleInstallButton.enabled = isIdle and isShown
        self.ui.bundleInstallButton.toolTip = "" if isShown else sentences.lookFirst()
        isFetching = self._asked is not None and self._asked.verb == "libraries_install"
        self.ui.librariesInstallButton.enabled = isFetching or (isIdle and bool(self._names))
        self.ui.librariesInstallButton.text = sentences.cancelButton() if isFetching else sentences.fetchButton()
        self.ui.librariesInstallButton.toolTip = "" if self._names else sentences.lookFirst()
