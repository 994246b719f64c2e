"""The installation, asked of the worker: doctor, offline bundle, network. Ring 9; no Qt, nothing of the scene.

Packages go to the user's folder of packages, libraries to a private folder that only the worker sees; nothing that
Slicer ships is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.run import Progress

from .export import AskedClient


class Asked:
    """The handle of a question: call ``poll`` until ``state`` is no longer "running".

    Args:
        client: of the worker.
        verb: one of ``worker.verbs_setup``.
        arguments: of the verb; the bundles' take "bundle", a folder, "libraries_install" takes "names".

    Attributes:
        state: "running", then "done" or "failed".
        answer: of the worker, once done.
        error: why it failed.
        doing: what the worker is at, "download openvino"; empty where it does not tell.
    """

    def __init__(self, client: AskedClient, verb: str, arguments: Mapping[str, Any] | None = None) -> None:
        self.state = "running"
        self.verb = verb
        self.answer: dict[str, Any] = {}
        self.error: MedSegAIError | None = None
        self.doing = ""
        self._client = client
        given = dict(arguments or {})

        def write(_folder: Path) -> dict[str, Any]:
            return given

        self._job = client.ask_async(verb, write, lambda answer, _folder: answer)
        self._job.on_progress = self._hear
        self._job.on_result = self._finish
        self._job.on_error = self._fail

    def poll(self, waitS: float = 0.0) -> None:
        """Hear the worker."""
        if self.state == "running":
            self._client.poll(waitS)

    def cancel(self) -> None:
        """Stop waiting for the answer."""
        if self.state == "running":
            self._job.cancel()

    def _hear(self, progress: Progress) -> None:
        self.doing = f"{progress.stage} ({progress.done} of {progress.total})"

    def _finish(self, answer: dict[str, Any]) -> None:
        self.answer, self.state = answer, "done"

    def _fail(self, error: MedSegAIError) -> None:
        self.error, self.state = error, "failed"


def doctorLines(answer: Mapping[str, Any]) -> list[str]:
    """Give what the doctor found as sentences: what stands against a run first, then what there is."""
    lines = [str(problem) for problem in answer["problems"]] or ["A study can be segmented here."]
    for device in answer["devices"]:
        name = f"{device['backend']} on {device['device']}"
        lines.append(f"{name}: runs" if device["ok"] else f"{name}: does not run ({device['reason']})")
    lines += [f"Model {entry['task']} {entry['version']}: every file matches" for entry in answer["models"]]
    missing = [f"{entry['name']} ({entry['use']})" for entry in answer["libraries"] if not entry["version"]]
    if missing:
        lines.append(f"Not installed: {', '.join(missing)}")
    memory = answer.get("memory") or {}
    if memory:
        lines.append(f"Memory: {memory['free_gb']} GB of {memory['total_gb']} GB free, {answer['cores']} cores")
    return lines


def bundleLines(answer: Mapping[str, Any]) -> list[str]:
    """Give what a bundle would bring, with sizes and licenses, and where it would go."""
    parts = [
        f"{part['name']} {part['version']}: {part['bytes'] / 1e6:.1f} MB, license {part['license']}"
        for part in answer["parts"]
    ]
    total = sum(part["bytes"] for part in answer["parts"]) / 1e6
    faults = [f"Damaged: {fault}." for fault in answer["faults"]]
    where = f"{total:.1f} MB in all. Libraries go to {answer['libraries_to']}; Slicer's own are not touched."
    return [*faults, *parts, where]


def libraryLines(answer: Mapping[str, Any]) -> list[str]:
    """Give which libraries would be fetched from the network, with sizes and licenses, and where they would go."""
    if not answer["parts"]:
        return ["No library is missing: nothing would be fetched."]
    return ["From the network, by pip with its own settings:", *bundleLines(answer)]


def changeLines(answer: Mapping[str, Any]) -> list[str]:
    """Give what was installed or repaired."""
    return [
        f"{change['part']} {change['version']}: {change['change']}"
        + (f" ({', '.join(change['files'])})" if change["files"] else "")
        for change in answer["changes"]
    ]
