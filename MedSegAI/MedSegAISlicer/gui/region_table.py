"""The regions of the result: color, name, volume; and what must be said in words beside them. Ring 10 (GUI)."""

from __future__ import annotations

import json
from typing import Any

import qt

from MedSegAISlicer.scene.segmentations import STATEMENTS_ATTRIBUTE
from MedSegAISlicer.scene.statistics import regionRows

from . import sentences


class RegionTable:
    """The table below the button.

    Args:
        ui: child widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        table = ui.regionTable
        table.columnCount = 3
        table.setHorizontalHeaderLabels(sentences.tableHeaders())
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(1, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(2, qt.QHeaderView.ResizeToContents)
        table.verticalHeader().visible = False
        self.show(None)

    def show(self, segmentationNode: Any) -> None:
        """Show the regions of a segmentation; None empties and hides the table."""
        rows = regionRows(segmentationNode) if segmentationNode is not None else []
        table = self.ui.regionTable
        table.rowCount = len(rows)
        for index, row in enumerate(rows):
            swatch = qt.QTableWidgetItem("")
            swatch.setData(qt.Qt.DecorationRole, qt.QColor(*(round(255 * part) for part in row.color)))
            volume = qt.QTableWidgetItem(f"{row.volume_ml:.1f}")
            volume.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            table.setItem(index, 0, swatch)
            table.setItem(index, 1, qt.QTableWidgetItem(row.title))
            table.setItem(index, 2, volume)
        self.ui.resultCollapsibleButton.visible = bool(rows)
        text = segmentationNode.GetAttribute(STATEMENTS_ATTRIBUTE) if segmentationNode is not None else None
        self.ui.statementsLabel.text = "\n".join(json.loads(text)) if text else ""
        self.ui.statementsLabel.visible = bool(self.ui.statementsLabel.text)
