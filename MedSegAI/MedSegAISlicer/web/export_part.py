"""Taking things along: the result as files, the scene as one file. Ring 10 (web)."""

from __future__ import annotations

from pathlib import Path

from MedSegAILib.core.errors import UsageError
from MedSegAISlicer.gui import review_sentences as sentences
from MedSegAISlicer.scene.load import saveScene

from .desk import Desk
from .review_part import ReviewPart

_FOLDER, _SCENE = "MedSegAI-result", "MedSegAI-scene.mrb"
_STEP_S = 0.01


class ExportPart:
    """The section "Export".

    Args:
        desk: the shared things.
        review: gives the result.
    """

    def __init__(self, desk: Desk, review: ReviewPart) -> None:
        self.desk = desk
        self.state = desk.state
        self.review = review
        self.state.update({"folder": str(Path.cwd()), "is_writing": False})

    def export(self) -> None:
        """Write all files of the result into a new folder within the chosen one: nothing that is there is replaced."""
        if self.review.node is None:
            raise UsageError("viewer.nothing_to_export", "There is no result to export yet.", "Press Segment first.")
        self.desk.later(self._export(_fresh(self._parent() / _FOLDER)))

    def save(self) -> None:
        """Save the scene with all that was decided and drawn."""
        path = _fresh(self._parent() / _SCENE)
        saveScene(self.desk.scene, path)
        self.desk.say(f"Saved as {path}")

    def _parent(self) -> Path:
        return Path(str(self.state.folder or ".")).expanduser().absolute()

    async def _export(self, folder: Path) -> None:
        """Export in small steps, so that the page lives on between them."""
        self.state.is_writing = True
        run = self.desk.logic.exportAsync(self.review.node, folder)
        self.desk.say(sentences.exporting())
        try:
            while run.state == "running":
                run.poll()
                await self.desk.breathe(_STEP_S)
        finally:
            self.state.is_writing = False
            run.cancel()
        if run.error is not None:
            raise run.error
        notes = [f"{notice.message} {notice.hint}" for notice in run.notices]
        self.desk.say(" ".join([sentences.exported(len(run.files), str(folder)), *notes]))


def _fresh(wanted: Path) -> Path:
    """Give a path that is not there yet: "name", then "name-2"."""
    number, path = 1, wanted
    while path.exists():
        number += 1
        path = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
    return path
