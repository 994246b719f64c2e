"""The journey that the module's self test makes inside a desktop Slicer; the same code runs in our own tests on MRML.

Sample scans, a blocking run, a look at a doubtful place, a decision, a region compared and taken, files. Ring 9; no Qt.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import slicer

from MedSegAILib.core.errors import MedSegAIError, SetupError
from MedSegAILib.core.run import RunOptions

from .family import versionsOf
from .logic import SegmentationLogic
from .places import stepToPlace
from .review import decide, reviewOf
from .versions import compareVersions

ROLES = ("T1", "T1ce", "T2", "FLAIR")
# The sample lies beside a checkout; an installed extension does not carry it.
CHECKOUT_SAMPLE = Path(__file__).resolve().parents[3] / "Resources" / "SampleData" / "brain-tumor"


def loadSample(folder: Path = CHECKOUT_SAMPLE) -> dict[str, Any]:
    """Load the four sample scans as volume nodes, by role.

    Raises:
        SetupError: "setup.sample_missing" where the sample is not there.
    """
    missing = [role for role in ROLES if not (folder / f"{role}.nii.gz").is_file()]
    if missing:
        raise SetupError(
            "setup.sample_missing",
            f"The sample scans {', '.join(missing)} are not here.",
            "Run the test from a checkout of the repository, which holds Resources/SampleData.",
        )
    volumes = slicer.modules.volumes.logic()
    return {role: volumes.AddArchetypeVolume(str(folder / f"{role}.nii.gz"), role, 0) for role in ROLES}


def runJourney(test: Any, logic: SegmentationLogic, folder: Path = CHECKOUT_SAMPLE) -> None:
    """Load, segment, look, accept, segment again, compare, export.

    Args:
        test: a ``unittest.TestCase``, whose assertions tell what went wrong.
        logic: what segments; it is closed at the end.
        folder: of the sample scans.
    """
    check = test.assertTrue
    nodes = loadSample(folder)
    try:
        first = logic.segment(nodes, options=RunOptions(preset="fast"))
        lines = {line.segmentId: line for line in reviewOf(first)}
        check(list(lines) == ["WT", "TC", "ET"], "the regions of the result")
        check(lines["WT"].volume_ml > lines["TC"].volume_ml > 0, "the volumes of the regions")
        stepToPlace(first, 1)  # the views move there; without doubt there is no place
        decide(first, "WT", "accepted", "self test")
        check(reviewOf(first)[0].state == "accepted", "the decision")
        second = logic.segment(nodes, options=RunOptions(preset="fast"))
        check(versionsOf(second) == [first, second], "the versions")
        check(all(change.gained_ml == 0.0 for change in compareVersions(first, second)), "the same run twice")
        check(reviewOf(first)[0].state == "accepted", "the decision after a second run")
        with tempfile.TemporaryDirectory() as out:
            check(all(path.stat().st_size > 0 for path in logic.export(first, out)), "the files")
    finally:
        logic.close()


def checkMissingVolume(test: Any, logic: SegmentationLogic) -> None:
    """A run without any volume ends in a sentence with a next step, before a process is started."""
    try:
        logic.segment({"T1": None})
    except MedSegAIError as error:
        isHelpful = test.assertTrue
        isHelpful(error.hint, "the next step")
    else:
        test.fail("A run without any volume was started.")
