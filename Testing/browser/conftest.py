"""Pictures of the steps, for whoever wants to look at them: VIEWER_PICTURES=FOLDER pytest Testing/browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Read before the tests begin; the first processes of pytest-xdist hand it on.
_NAMED = os.environ.get("VIEWER_PICTURES", "")


@pytest.fixture
def pictures() -> Path | None:
    """Folder for a picture of each step; None where nobody named one."""
    return Path(_NAMED) if _NAMED else None
