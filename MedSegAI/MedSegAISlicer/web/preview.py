"""A correction that is looked at before it is applied: its outline in the slices, then yes or no. Ring 10 (web)."""

from __future__ import annotations

from MedSegAISlicer.gui import correct_sentences as words
from MedSegAISlicer.scene.correct import Correcting
from MedSegAISlicer.scene.correct_preview import removePreview, showPreview

from .desk import Desk


class Preview:
    """Holds one correction that waits for the reader."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.state = desk.state
        self._waiting: Correcting | None = None
        self.state.update({"looks_first": False, "has_preview": False})

    @property
    def isWanted(self) -> bool:
        """Whether the next correction shall only be looked at."""
        return bool(self.state.looks_first)

    def hold(self, correcting: Correcting) -> None:
        """Show what a correction would make of its region; an earlier one is discarded."""
        showPreview(correcting)
        self._waiting = correcting
        self.state.has_preview = True
        self.desk.say(words.looked(correcting.words))

    def take(self) -> Correcting | None:
        """Give the correction that waits, and let it wait no longer; nothing is applied."""
        waiting, self._waiting = self._waiting, None
        self.state.has_preview = False
        if waiting is not None and waiting.node.GetScene() is not None:
            removePreview(waiting.node.GetScene())
        return waiting
