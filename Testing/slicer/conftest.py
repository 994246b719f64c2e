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
