"""A study that is given twice, also when one copy was rescaled, mirrored or cut a little: thumbnails are compared.

Copies to the voxel are found by ``report.dataset``. Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from .finding import Finding

Thumbnail = npt.NDArray[np.float32]
SIDE = 24
SAME = 0.995  # correlation of two thumbnails; different heads of one space reach less


def thumbnail(image: npt.NDArray[np.float32]) -> Thumbnail:
    """Give ``[SIDE, SIDE, SIDE]`` of what is not background, mean 0 and length 1.

    Args:
        image: [z, y, x] in axis order LPS.
    """
    inside = np.argwhere(image > image.min())
    if not len(inside):
        return np.zeros((SIDE, SIDE, SIDE), np.float32)
    low, high = inside.min(axis=0), inside.max(axis=0) + 1
    small = image[low[0] : high[0], low[1] : high[1], low[2] : high[2]].astype(np.float32)
    for axis in range(3):
        small = _averaged(small, axis)
    # Ranks would hide a change of contrast too; a copy that was only rescaled needs no more than this.
    small = small - small.mean()
    length = float(np.sqrt((small**2).sum()))
    return (small / length if length else small).astype(np.float32)


def _averaged(array: Thumbnail, axis: int) -> Thumbnail:
    """Average an axis to ``SIDE`` parts of one length, which may end within a voxel: a mirror gives the mirror."""
    count = array.shape[axis]
    sums = np.insert(np.cumsum(array, axis=axis, dtype=np.float64), 0, 0.0, axis=axis)
    edges = np.linspace(0.0, count, SIDE + 1)
    below = np.minimum(edges.astype(int), count - 1)
    shape = [1, 1, 1]
    shape[axis] = SIDE + 1
    share = (edges - below).reshape(shape)
    at_edges = np.take(sums, below, axis=axis) * (1.0 - share) + np.take(sums, below + 1, axis=axis) * share
    return (np.diff(at_edges, axis=axis) * (SIDE / count)).astype(np.float32)


def near_copies(thumbnails: Mapping[str, Thumbnail]) -> list[Finding]:
    """Name the later of two studies whose thumbnails are one another, or the mirror of one another."""
    names = list(thumbnails)
    if len(names) < 2:
        return []
    flat = np.stack([thumbnails[name].ravel() for name in names])
    mirrored = np.stack([thumbnails[name][:, :, ::-1].ravel() for name in names])
    found: dict[tuple[int, int], Finding] = {}
    for likeness, word in ((flat @ flat.T, "almost the same image as"), (flat @ mirrored.T, "the mirror image of")):
        for first, second in np.argwhere(np.triu(likeness, 1) > SAME):
            # A head is nearly its own mirror image: the first that is found of a pair is enough.
            words = f"holds {word} {names[first]} (correlation {likeness[first, second]:.4f})"
            found.setdefault((first, second), Finding(names[second], "copy", words, names[first]))
    return list(found.values())
