"""The labels as they were before the first correction, kept packed on the node: half of a training pair.

A few kB for a tumor, some hundred for a whole brain. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.volume import Grid

from .label_view import labelMasks
from .segment_box import boxOf, together

BEFORE_ATTRIBUTE = "MedSegAI.BeforeCorrection"


def keepBefore(segmentationNode: Any, scheme: LabelScheme) -> None:
    """Keep the labels as they are now, unless those before an earlier correction are kept already."""
    if segmentationNode.GetAttribute(BEFORE_ATTRIBUTE):
        return
    kept = _labelsNow(segmentationNode, scheme)
    if kept is None:
        return
    array, first, matrix = kept
    packed = {
        "shape_zyx": list(array.shape),
        "dtype": array.dtype.str,
        "first_ijk": list(first),
        "ijk_to_ras": np.asarray(matrix).tolist(),
        "zlib": base64.b64encode(zlib.compress(array.tobytes(), 6)).decode("ascii"),
    }
    segmentationNode.SetAttribute(BEFORE_ATTRIBUTE, json.dumps(packed))


def labelsBefore(segmentationNode: Any, grid: Grid) -> npt.NDArray[Any] | None:
    """Give the label map before the first correction on the grid of the volume; None when nothing was corrected."""
    text = segmentationNode.GetAttribute(BEFORE_ATTRIBUTE)
    if not text:
        return None
    kept = json.loads(text)
    flat = np.frombuffer(zlib.decompress(base64.b64decode(kept["zlib"])), np.dtype(kept["dtype"]))
    return _placed(flat.reshape(kept["shape_zyx"]), kept["first_ijk"], np.array(kept["ijk_to_ras"]), grid)


def labelsNow(segmentationNode: Any, scheme: LabelScheme, grid: Grid) -> npt.NDArray[Any]:
    """Give the label map of a result as it is now on the grid of the volume."""
    kept = _labelsNow(segmentationNode, scheme)
    if kept is None:
        return np.zeros(grid.shape_zyx, np.uint8)
    return _placed(*kept, grid)


def _labelsNow(node: Any, scheme: LabelScheme) -> tuple[npt.NDArray[Any], tuple[int, int, int], Any] | None:
    regions = [region for region in scheme.regions if node.GetSegmentation().GetSegment(region.name) is not None]
    place = together(*(boxOf(node, region.name) for region in regions)) if regions else None
    if place is None:
        return None
    masks = {region.name: mask for region, mask in zip(regions, place.masks, strict=True)}
    values = {label.name: label.value for label in scheme.labels}
    labels = np.zeros(place.masks[0].shape, np.uint8 if max(values.values()) < 256 else np.uint16)
    for name, mask in labelMasks(scheme, masks).items():
        labels[mask] = values[name]
    return labels, place.first_ijk, place.ijk_to_ras


def _placed(array: npt.NDArray[Any], first_ijk: Any, matrix: Any, grid: Grid) -> npt.NDArray[Any]:
    """Put the labels of a box into the whole grid, whose lattice is the same; its origin may be another."""
    whole = np.zeros(grid.shape_zyx, array.dtype)
    start = np.linalg.solve(grid.ijk_to_ras, np.asarray(matrix) @ [*first_ijk, 1.0])[:3]
    low = np.round(start).astype(int)[::-1]
    sides, parts = [], []
    for at, count, size in zip(low, array.shape, grid.shape_zyx, strict=True):
        first, last = max(int(at), 0), max(min(int(at) + count, size), max(int(at), 0))
        sides.append(slice(first, last))
        parts.append(slice(first - int(at), last - int(at)))
    whole[tuple(sides)] = array[tuple(parts)]
    return whole
