"""The small picture of a study for pages with many: three views side by side, regions outlined. Ring 5 (report).

Arrays and one encoder, no figure: a tenth of the time and size of the overlay picture.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.image import imsave
from scipy.ndimage import binary_erosion, map_coordinates

from MedSegAILib.core.result import Result
from MedSegAILib.core.volume import Volume

from .views import View, make_views

HEIGHT_PIXELS, GAP_PIXELS = 300, 6
LARGEST_WIDTH_PIXELS = 1200
FILL_SHARE = 0.22
LINE_PIXELS = 2
JPEG_QUALITY = 82
Picture = npt.NDArray[np.float32]


def preview_jpeg(result: Result, reference: Volume) -> bytes:
    """Give the picture as the bytes of a JPEG file; the same input gives the same bytes.

    Args:
        result: label map and scheme.
        reference: image on the same grid.
    """
    views = make_views(result, reference)
    tallest_mm = max(view.size_mm[0] for view in views)
    wide_mm = sum(view.size_mm[1] for view in views)
    # One scale for all views.
    pixels_per_mm = min(HEIGHT_PIXELS / tallest_mm, LARGEST_WIDTH_PIXELS / wide_mm)
    height = max(1, round(tallest_mm * pixels_per_mm))
    parts: list[Picture] = []
    for view in views:
        parts += [_framed(_draw(view, result, pixels_per_mm), height), np.zeros((height, GAP_PIXELS, 3), np.float32)]
    picture = np.concatenate(parts[:-1], axis=1)
    buffer = BytesIO()
    imsave(buffer, picture, format="jpeg", pil_kwargs={"quality": JPEG_QUALITY, "optimize": True})
    return buffer.getvalue()


def _draw(view: View, result: Result, pixels_per_mm: float) -> Picture:
    shape = (max(1, round(view.size_mm[0] * pixels_per_mm)), max(1, round(view.size_mm[1] * pixels_per_mm)))
    gray = _sampled(view.image, shape, order=1)
    picture: Picture = np.repeat(gray[..., None], 3, axis=2).astype(np.float32)
    for region in result.scheme.outer_first():
        mask = _sampled(view.masks[region.name].astype(np.float32), shape, order=1) > 0.5
        color = np.array(region.color, np.float32)
        picture[mask] = (1.0 - FILL_SHARE) * picture[mask] + FILL_SHARE * color
        picture[mask & ~binary_erosion(mask, iterations=LINE_PIXELS)] = color
    return np.clip(picture, 0.0, 1.0)


def _sampled(image: npt.NDArray[Any], shape: tuple[int, int], order: int) -> npt.NDArray[np.float32]:
    """Give the image at the centers of another raster over the same field."""
    rows, columns = (
        (np.arange(count) + 0.5) * size / count - 0.5 for count, size in zip(shape, image.shape, strict=True)
    )
    where = np.meshgrid(rows, columns, indexing="ij")
    sampled: npt.NDArray[np.float32] = map_coordinates(image, where, order=order, mode="nearest").astype(np.float32)
    return sampled


def _framed(picture: Picture, height: int) -> Picture:
    above = (height - picture.shape[0]) // 2
    return np.pad(picture, ((above, height - picture.shape[0] - above), (0, 0), (0, 0)))
