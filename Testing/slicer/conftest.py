"""Real MRML for the tests in this folder: an empty scene each, and no complaint of VTK goes unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def scene() -> Iterator[Any]:
    """The empty scene; the test fails when MRML printed a warning or an error that it did not take."""
    from Testing.harness.mrml import boot

    scene, errors = boot()
    scene.Clear(0)
    errors.take()
    yield scene
    complaints = errors.take()
    scene.Clear(0)
    errors.take()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def complaints(scene: Any) -> Any:
    """Takes the complaints that a test expects: ``complaints()`` gives and forgets them."""
    from Testing.harness.mrml import boot

    return boot()[1].take


@pytest.fixture
def nodes(scene: Any, tiny_case: Any) -> dict[str, Any]:
    """The volume nodes of a tiny case by role."""
    from Testing.harness.mrml import addCase

    return addCase(tiny_case)


@pytest.fixture
def labels(tiny_case: Any) -> Any:
    """A label map ``[z, y, x]`` for the tiny case."""
    from Testing.makers.phantoms import make_labels

    return make_labels(tiny_case.reference_grid()).array


@pytest.fixture
def client() -> Any:
    """A worker that the test plays."""
    from Testing.harness.fake_worker import FakeClient

    return FakeClient()


@pytest.fixture
def runner(scene: Any, client: Any) -> Any:
    """A runner of that scene with that worker."""
    from MedSegAISlicer.scene.runner import Runner

    return Runner(scene, client)


@pytest.fixture(scope="module")
def logic() -> Iterator[Any]:
    """One logic, so that one worker serves all runs of a file, as in a session of Slicer."""
    from MedSegAISlicer.scene.logic import SegmentationLogic

    from Testing.harness.mrml import boot

    boot()
    made = SegmentationLogic()
    yield made
    made.close()
