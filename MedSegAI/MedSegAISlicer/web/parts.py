"""The parts of the viewer, put together once. Ring 10 (web)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from MedSegAISlicer.scene.first_look import lookAtResult

from .beside_part import BesidePart
from .correct_part import CorrectPart
from .desk import Desk
from .export_part import ExportPart
from .review_part import ReviewPart
from .run_part import RunPart
from .study_part import StudyPart
from .views import Views


@dataclass(frozen=True, eq=False)
class Parts:
    """What the page is drawn over."""

    desk: Desk
    views: Views
    study: StudyPart
    run: RunPart
    review: ReviewPart
    correct: CorrectPart
    export: ExportPart


def putTogether(desk: Desk) -> Parts:
    """Make the parts and tell each whom to tell."""
    views = Views(desk)
    runs: list[RunPart] = []
    study = StudyPart(desk, views, lambda: [run.refresh() for run in runs])
    review = ReviewPart(desk, views)
    run = RunPart(desk, study, lambda node: showNew(review, node))
    runs.append(run)

    correct = CorrectPart(desk, review)
    BesidePart(desk, views, correct)
    return Parts(desk, views, study, run, review, correct, ExportPart(desk, review))


def showNew(review: ReviewPart, segmentationNode: Any) -> None:
    """Show a result for the first time: the slices go where something was found."""
    review.show(segmentationNode)
    lookAtResult(segmentationNode)
