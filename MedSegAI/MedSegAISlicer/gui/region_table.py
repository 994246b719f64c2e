"""The regions of the result: shown or hidden, color, name, volume, state. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from MedSegAISlicer.scene.review import RegionReview

from . import review_sentences as sentences

SHOW, REGION, VOLUME, STATE, LOCK = range(5)


class RegionTable:
    """The table of the review.

    Args:
        ui: child widgets by name.
        onShown: called with the id of a segment and whether it shall be seen, after a click on its box.
        onLocked: called with the id of a segment and whether it shall be locked, likewise.
    """

    def __init__(self, ui: Any, onShown: Callable[[str, bool], None], onLocked: Callable[[str, bool], None]) -> None:
        self.ui = ui
        self._boxes = {SHOW: onShown, LOCK: onLocked}
        self._ids: list[str] = []
        table = ui.regionTable
        table.columnCount = 5
        table.setHorizontalHeaderLabels(sentences.tableHeaders())
        header = table.horizontalHeader()
        for column in (SHOW, VOLUME, STATE, LOCK):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(REGION, qt.QHeaderView.Stretch)
        table.verticalHeader().visible = False
        table.connect("itemChanged(QTableWidgetItem*)", self.onItemChanged)

    def disconnect(self) -> None:
        """Undo the connections."""
        self.ui.regionTable.disconnect("itemChanged(QTableWidgetItem*)", self.onItemChanged)

    def fill(self, lines: Sequence[RegionReview], hidden: frozenset[str]) -> None:
        """Show the lines of a review; the chosen row stays chosen.

        Args:
            lines: one a region; none empties the table.
            hidden: ids of the segments that are not shown in the views.
        """
        table, chosen = self.ui.regionTable, self.chosen
        table.blockSignals(True)
        table.rowCount = len(lines)
        for row, line in enumerate(lines):
            for column, item in enumerate(_items(line, line.segmentId not in hidden)):
                table.setItem(row, column, item)
        table.blockSignals(False)
        self._ids = [line.segmentId for line in lines]
        self.choose(chosen)

    @property
    def chosen(self) -> str:
        """Id of the chosen segment; empty when none is."""
        row = self.ui.regionTable.currentRow()
        return self._ids[row] if 0 <= row < len(self._ids) else ""

    def choose(self, segmentId: str) -> None:
        """Choose the row of a segment; nothing when it has none."""
        if segmentId in self._ids:
            self.ui.regionTable.selectRow(self._ids.index(segmentId))

    def onItemChanged(self, item: Any) -> None:
        """A box was ticked or unticked."""
        if item.column() in self._boxes and item.row() < len(self._ids):
            self._boxes[item.column()](self._ids[item.row()], item.checkState() == qt.Qt.Checked)


def _items(line: RegionReview, isShown: bool) -> list[Any]:
    title = qt.QTableWidgetItem(line.title)
    title.setData(qt.Qt.DecorationRole, qt.QColor(*(round(255 * part) for part in line.color)))
    volume = qt.QTableWidgetItem(f"{line.volume_ml:.1f}")
    volume.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    state = qt.QTableWidgetItem(sentences.state(line.state))
    state.setToolTip(sentences.stateHint(line.reader, line.time, line.doubt_ml))
    lock = _box(line.isLocked)
    lock.setToolTip(sentences.lockHint())
    return [_box(isShown), title, volume, state, lock]


def _box(isTicked: bool) -> Any:
    box = qt.QTableWidgetItem("")
    box.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
    box.setCheckState(qt.Qt.Checked if isTicked else qt.Qt.Unchecked)
    return box
