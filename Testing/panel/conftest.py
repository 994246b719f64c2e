"""The module opened in the stand-in for Slicer's desktop; what a slot raised or left behind fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The fake worker clients that the module made, in order; use it before ``desktop`` to play the worker."""
    from MedSegAISlicer.scene import logic

    from Testing.harness.fake_worker import FakeClient

    made: list[Any] = []

    def make(**arguments: Any) -> Any:
        made.append(FakeClient(**arguments))
        return made[-1]

    monkeypatch.setattr(logic, "WorkerClient", make)
    return made


@pytest.fixture
def emptyScene() -> Iterator[Any]:
    """The scene before the module is opened."""
    from Testing.harness import mrml

    scene, errors = mrml.boot()

    def empty() -> None:
        scene.Clear(0)
        node = scene.GetSingletonNode("MedSegAI", "vtkMRMLScriptedModuleNode")  # survives the closing of a scene
        if node is not None:
            scene.RemoveNode(node)

    empty()
    errors.take()
    yield scene
    empty()
    complaints = errors.take()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def desktop(checkout: Path, clients: list[Any], emptyScene: Any) -> Iterator[Any]:
    """The opened module, with a worker that the test plays."""
    from Testing.harness import qt_proxy
    from Testing.harness.desktop import Desktop

    opened = Desktop(checkout / "MedSegAI")
    yield opened
    opened.close()
    assert not qt_proxy.FAILURES, "\n".join(qt_proxy.FAILURES)
    assert qt_proxy.connectionCount() == 0
