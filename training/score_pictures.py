"""A study with the result and with its reference, side by side: three planes through the reference's largest slices.

Agg, no global state; the same input gives the same bytes. Beside the library (training).
"""

from __future__ import annotations

from io import BytesIO
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from MedSegAILib.core.case import Case
from MedSegAILib.core.result import Result
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.geometry import reorientation_to

PLANES = ("axial", "coronal", "sagittal")
DOTS_PER_INCH = 90


def pair_png(case: Case, result: Result, reference: Volume, title: str) -> bytes:
    """Draw a study.

    Args:
        case: its reference input is shown.
        result: on the grid of that input.
        reference: label map on the same grid.
        title: over the picture.
    """
    image = case.volumes[case.reference]
    move = reorientation_to(image.grid, "LPS")
    shown = np.asarray(move.apply(image.array), dtype=np.float32)
    ours, theirs = (np.asarray(move.apply(one.array)) for one in (result.labels, reference))
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    panels = figure.subplots(2, 3, squeeze=False)
    low, high = np.percentile(shown[np.isfinite(shown)], [1, 99.5])
    spacing = move.grid(image.grid).spacing_zyx_mm
    for row, (words, labels) in enumerate((("result", ours), ("reference", theirs))):
        for axis, plane in enumerate(PLANES):
            panel = panels[row, axis]
            place = _largest(theirs if theirs.any() else ours, axis)
            height, width = (spacing[other] for other in range(3) if other != axis)
            panel.imshow(
                _plane(shown, axis, place), cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect=height / width
            )
            _outline(panel, labels, axis, place, result)
            panel.set(xticks=[], yticks=[])
            panel.set_title(f"{words}, {plane}", fontsize=8)
    figure.suptitle(fill(title, 100), fontsize=10)
    figure.set_dpi(DOTS_PER_INCH)
    buffer = BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _outline(panel: Any, labels: npt.NDArray[Any], axis: int, place: int, result: Result) -> None:
    for region in result.scheme.regions:
        piece = _plane(result.scheme.mask(labels, region.name).astype(np.float32), axis, place)
        if piece.any() and not piece.all():
            panel.contour(piece, levels=[0.5], colors=[region.color], linewidths=1.0)


def _plane(array: npt.NDArray[Any], axis: int, place: int) -> npt.NDArray[Any]:
    """Give rows from top to bottom: up, or for axial slices the front, is at the top."""
    piece = np.take(array, place, axis=axis)
    return piece if axis == 0 else piece[::-1]


def _largest(labels: npt.NDArray[Any], axis: int) -> int:
    return int((labels > 0).sum(axis=tuple(other for other in range(3) if other != axis)).argmax())
