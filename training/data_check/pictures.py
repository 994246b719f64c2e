"""One picture for each finding: three slices of the study with the outline of its reference; of two for copies.

Agg, no global state; a study that cannot be drawn gives a picture that says so. Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Array = npt.NDArray[np.float32]
AXES = ("axial", "coronal", "sagittal")
OWN, MIRRORED = "#E69F00", "#56B4E9"
DOTS_PER_INCH = 90
Looks = tuple[str, Array | None, npt.NDArray[np.bool_] | None]


def finding_png(title: str, studies: Sequence[Looks], *, show_mirrored: bool = False) -> bytes:
    """Draw a finding.

    Args:
        title: what is wrong.
        studies: (name, image [z, y, x] in axis order LPS or None, what the reference marks on the same voxels or None).
        show_mirrored: draw the outline of the mirrored reference too.
    """
    figure = Figure(figsize=(9.0, 0.7 + 3.1 * len(studies)), layout="constrained")
    panels = figure.subplots(len(studies), 3, squeeze=False)
    for row, (name, image, mask) in zip(panels, studies, strict=True):
        canvas = image if image is not None or mask is None else mask.astype(np.float32)
        for axis, (panel, plane) in enumerate(zip(row, AXES, strict=True)):
            panel.set(xticks=[], yticks=[])
            panel.set_title(f"{name}, {plane}", fontsize=8)
            if canvas is None:
                panel.text(0.5, 0.5, "nothing to show", ha="center", va="center", transform=panel.transAxes)
            else:
                _draw(panel, canvas, mask, axis, show_mirrored=show_mirrored)
    figure.suptitle(fill(title, 100), fontsize=10)
    figure.set_dpi(DOTS_PER_INCH)
    buffer = BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _draw(panel: Any, image: Array, mask: npt.NDArray[np.bool_] | None, axis: int, *, show_mirrored: bool) -> None:
    place = _middle(mask, axis, image.shape)
    values = image[np.isfinite(image)].astype(np.float32)
    low, high = np.percentile(values, [1, 99.5]) if values.size else (0.0, 1.0)
    panel.imshow(_plane(image, axis, place), cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect="auto")
    if mask is None or mask.shape != image.shape:
        return
    outlines = [(mask, OWN)] + ([(mask[:, :, ::-1], MIRRORED)] if show_mirrored else [])
    for shown, color in outlines:
        spot = place if axis != 2 or shown is mask else image.shape[2] - 1 - place
        piece = _plane(shown, axis, spot)
        if piece.any() and not piece.all():
            panel.contour(piece, levels=[0.5], colors=[color], linewidths=1.0)


def _plane(array: npt.NDArray[Any], axis: int, place: int) -> npt.NDArray[Any]:
    """Give rows from top to bottom: the head of the patient is up, the front of an axial slice too."""
    piece = np.take(array, place, axis=axis).astype(np.float32)
    return piece if axis == 0 else piece[::-1]


def _middle(mask: npt.NDArray[np.bool_] | None, axis: int, shape: tuple[int, ...]) -> int:
    if mask is None or mask.shape != shape or not mask.any():
        return shape[axis] // 2
    return int(mask.sum(axis=tuple(other for other in range(3) if other != axis)).argmax())
