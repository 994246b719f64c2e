"""Libraries from the network: cancelled in the middle, and the table itself."""

from __future__ import annotations

import os
import threading
import time

import pytest

from MedSegAILib.core.errors import Cancelled
from MedSegAILib.core.run import Cancel
from MedSegAILib.tasks import health
from MedSegAILib.tasks.libraries import LIBRARIES, Library, fetch_libraries, missing_libraries
from Testing.makers.wheels import make_wheel

TINY = Library("tinylib", ">=1", 1.0, "MIT", "tests")


def test_here_nothing_is_missing_and_the_table_holds_all_that_the_doctor_wants_but_numpy():
    assert missing_libraries() == []
    assert set(health.NEEDED) - {library.name for library in LIBRARIES} == {"numpy"}


def test_a_cancel_stops_pip_within_two_seconds_and_installs_nothing(tmp_path, monkeypatch):
    make_wheel(tmp_path / "index")
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "index"),
        "PIP_CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    cancel, steps = Cancel(), []

    def progress(step):
        steps.append(step.stage)
        threading.Timer(0.05, cancel.set).start()

    began = time.monotonic()
    with pytest.raises(Cancelled):
        fetch_libraries([TINY] * 5, tmp_path / "site", progress, cancel)
    assert time.monotonic() - began < 2.0
    assert "install" not in steps
    assert not (tmp_path / "site").exists()
