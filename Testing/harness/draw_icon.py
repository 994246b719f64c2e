"""Draws the module's icon: a head in section with three nested regions. ``python -m Testing.harness.draw_icon``."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui

ICON = Path(__file__).resolve().parents[2] / "MedSegAI" / "Resources" / "Icons" / "MedSegAI.png"
SIZE = 128
SKULL, BRAIN, FISSURE = "#2f3e4e", "#c9d3dc", "#7c8c9b"
# The colors of the regions in the package (Okabe and Ito: told apart by color-blind people).
WHOLE, CORE, ENHANCING = "#56b4e9", "#f0e442", "#d55e00"


def draw(path: Path = ICON) -> None:
    """Write the icon as PNG, 128 x 128 pixels, transparent around the head."""
    image = QtGui.QImage(SIZE, SIZE, QtGui.QImage.Format.Format_ARGB32)
    image.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(image)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setPen(QtCore.Qt.PenStyle.NoPen)

    def ellipse(x: float, y: float, half_width: float, half_height: float, color: str) -> None:
        painter.setBrush(QtGui.QColor(color))
        painter.drawEllipse(QtCore.QPointF(x, y), half_width, half_height)

    ellipse(64, 64, 52, 60, SKULL)
    ellipse(64, 64, 45, 53, BRAIN)
    painter.setPen(QtGui.QPen(QtGui.QColor(FISSURE), 4, c=QtCore.Qt.PenCapStyle.RoundCap))
    painter.drawLine(QtCore.QPointF(64, 16), QtCore.QPointF(64, 112))
    painter.setPen(QtCore.Qt.PenStyle.NoPen)
    ellipse(80, 56, 25, 28, WHOLE)
    ellipse(82, 55, 17, 19, CORE)
    ellipse(84, 53, 9, 10, ENHANCING)
    painter.end()
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(str(path))


if __name__ == "__main__":
    draw()
