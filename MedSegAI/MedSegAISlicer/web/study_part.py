"""Study and task: which volume is which sequence, which task, which preset. Ring 10 (web)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from MedSegAILib.core.run import PRESETS
from MedSegAILib.tasks.package import Package
from MedSegAISlicer.gui import sentences
from MedSegAISlicer.scene.study_inputs import StudyInputs, scans
from MedSegAISlicer.scene.tasks import cardWords, presetOutlooks, taskChoices
from MedSegAISlicer.scene.volumes import gridWords

from .desk import Desk
from .views import Views

_NONE = ""  # value of "no volume" in the lists of the page


class StudyPart:
    """The sections "Study" and "Task".

    Args:
        desk: the shared things.
        views: where the shown volume lies.
        onChanged: called after any choice has changed.
    """

    def __init__(self, desk: Desk, views: Views, onChanged: Callable[[], None]) -> None:
        self.desk = desk
        self.state = desk.state
        self.views = views
        self.onChanged = onChanged
        self.package: Package | None = None
        self.study = StudyInputs(desk.logic.parameters)
        self.state.update({"tasks": [], "task": "", "presets": [], "preset": "", "outlook": ""})
        self.state.update({"card": "", "shown_grid": ""})
        self.state.update({"volumes": [], "roles": [], "shown": "", "sequences": []})
        desk.onChange("task", self.chooseTask)
        desk.onChange("preset", self.choosePreset)
        desk.onChange("shown", self.show)
        self._outlooks: dict[str, str] = {}

    def inputs(self) -> dict[str, Any]:
        """Give the chosen node, or None, of each role."""
        return self.study.inputs()

    def restore(self) -> None:
        """Show what is remembered in the scene."""
        parameters = self.desk.logic.parameters()
        self.state.task, self.state.preset = parameters.task, parameters.preset
        self._loadPackage(parameters.task)
        nodes = [node for node in self.inputs().values() if node is not None] or scans()
        if nodes:
            self.show(nodes[0].GetID())
            self.views.reset()

    def chooseTask(self, task: str) -> None:
        """Another task: other inputs, other presets."""
        if self.package is not None and task == self.package.task:
            return
        self.desk.logic.parameters().task = task
        self._loadPackage(task)

    def choosePreset(self, preset: str) -> None:
        """Remember the preset."""
        self.desk.logic.parameters().preset = preset
        self.state.outlook = self._outlooks.get(preset, "")

    def choose(self, role: str, nodeId: str) -> None:
        """A person has chosen a volume, or none, for a role."""
        self.study.choose(role, self.desk.scene.GetNodeByID(nodeId) if nodeId else None)
        self.refresh()

    def fix(self, role: str) -> None:
        """Do what the fix of an input says."""
        if self.package is not None:
            self.study.fix(self.study.lights(self.package)[role])
            self.refresh()
            self.desk.later(self._lookAround())

    def show(self, nodeId: str) -> None:
        """Show a volume in the slices."""
        node = self.desk.scene.GetNodeByID(nodeId) if nodeId else None
        if node is not None:
            self.views.showVolume(node)
            self.state.update({"shown": nodeId, "shown_grid": gridWords(node)})

    def step(self, steps: int) -> None:
        """Show the next sequence, or the one before."""
        ids = [entry["value"] for entry in self.state.sequences]
        if ids:
            at = ids.index(self.state.shown) if self.state.shown in ids else -1
            self.show(ids[(at + steps) % len(ids)])

    def refresh(self) -> None:
        """Show the choices, the outlooks and the tasks as they are now."""
        nodes = scans()
        self.state.volumes = [{"title": "None", "value": _NONE}] + [
            {"title": node.GetName(), "value": node.GetID()} for node in nodes
        ]
        chosen = self.inputs()
        titles = {entry.role: entry.title for entry in self.package.inputs} if self.package is not None else {}
        lights = self.study.lights(self.package) if self.package is not None else {}
        self.state.roles = [
            {
                "role": role,
                "title": titles.get(role, role),
                "node": node.GetID() if node is not None else _NONE,
                "color": lights[role].color,
                "reason": lights[role].reason,
                "fix": lights[role].fix,
            }
            for role, node in chosen.items()
            if role in lights
        ]
        given = [(role, node) for role, node in chosen.items() if node is not None]
        shown = given or [(node.GetName(), node) for node in nodes]
        self.state.sequences = [{"title": role, "value": node.GetID()} for role, node in shown]
        task = self.desk.logic.parameters().task
        self.state.tasks = [
            {
                "title": choice.title,
                "value": choice.task,
                "props": {"subtitle": choice.whyNot, "disabled": bool(choice.whyNot) and choice.task != task},
            }
            for choice in taskChoices(self.desk.logic.packages)
        ]
        self.refreshOutlooks()
        self.onChanged()

    def refreshOutlooks(self) -> None:
        """Say what each preset costs here and is worth."""
        if self.package is None:
            return
        outlooks, titles = presetOutlooks(self.package, PRESETS), sentences.presetTitles()
        self._outlooks = {outlook.preset: outlook.words for outlook in outlooks}
        self.state.presets = [
            {"title": sentences.presetWithTime(titles[outlook.preset], outlook.seconds), "value": outlook.preset}
            for outlook in outlooks
        ]
        self.state.outlook = self._outlooks.get(self.state.preset, "")

    def _loadPackage(self, task: str) -> None:
        self.package = None
        self.state.roles = []
        package = self.desk.logic.package(task)
        self.package = package
        self.state.card = cardWords(package)
        self.study.setRoles(package.roles)
        self.refresh()
        self.desk.later(self._lookAround())

    async def _lookAround(self) -> None:
        """Look at volumes whose names say nothing, then at what is chosen; the page is served between two steps."""
        while self.study.wantsLook:
            if self.study.lookAtNext():
                self.refresh()
                self.state.flush()
            await asyncio.sleep(0)
