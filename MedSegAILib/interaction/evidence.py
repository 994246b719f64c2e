"""What is known around a prompt before anyone clicked: odds of each label, and the images. Ring 4 (interaction).

Odds come from the probabilities of the run; where those are not known any more, from the distance to the border of
each label as it is now, so that a correction works on any label map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.result import Probabilities
from MedSegAILib.core.volume import Array, Grid, Volume
from MedSegAILib.image.components import smooth
from MedSegAILib.image.geometry import Box, crop_grid
from MedSegAILib.image.resample import resample

Floats = npt.NDArray[np.float32]

_SUREST = 1e-3  # a network is never surer than this; log-odds of +-7
_TOLD = 100.0  # log-odds of what somebody has said
_SMOOTHING_MM = 0.6  # of the images: their noise is no border


@dataclass(frozen=True, eq=False)
class Evidence:
    """All arrays on one small grid.

    Args:
        grid: of the arrays.
        values: label values, 0 first.
        scores: log-odds of each label up to a common term, ``[l, z, y, x]``, in the order of ``values``.
        images: ``[c, z, y, x]``, in units of their own spread around the prompt; c may be 0.
        is_from_run: whether the scores come from probabilities of the run; else from the label map alone.
    """

    grid: Grid
    values: tuple[int, ...]
    scores: Floats
    images: Floats
    is_from_run: bool

    def log_odds(self, inside: tuple[int, ...]) -> Floats:
        """Give the log-odds that a voxel has one of the labels, ``[z, y, x]``."""
        is_in = np.isin(self.values, inside)
        odds: Floats = _log_sum(self.scores[is_in]) - _log_sum(self.scores[~is_in])
        return odds

    def told(self, voxels: npt.NDArray[np.bool_], value: int) -> Evidence:
        """Give the same, but that in these voxels, ``[z, y, x]``, all speaks for one label."""
        scores = self.scores.copy()
        scores[self.values.index(value), voxels] += _TOLD
        return replace(self, scores=scores)


def gather(
    labels: Volume, box: Box, scheme: LabelScheme, images: Mapping[str, Volume], probabilities: Probabilities | None
) -> Evidence:
    """Give what is known in a box of a label map.

    Args:
        labels: label map as it is now.
        box: part of it.
        scheme: what its values mean.
        images: by role, on the same grid.
        probabilities: of the run, on any grid; None when they are not known.
    """
    grid = crop_grid(labels.grid, box)
    values = (0, *(label.value for label in scheme.labels))
    if probabilities is None:
        scores = _from_labels(labels.array[box], values, grid)
    else:
        scores = _from_probabilities(probabilities, values, scheme, grid)
    z, y, x = (_SMOOTHING_MM / size for size in grid.spacing_zyx_mm)
    channels = [_in_own_spread(smooth(volume.array[box], (z, y, x))) for volume in images.values()]
    stacked = np.stack(channels) if channels else np.zeros((0, *grid.shape_zyx), np.float32)
    return Evidence(grid, values, scores, stacked, probabilities is not None)


def doubt_of(known: Probabilities, scheme: LabelScheme, region: str) -> npt.NDArray[np.uint8]:
    """Give where a region is undecided, on the grid of the probabilities: 0 (sure) to 100 (one half)."""
    depth, height, width = known.array.shape[1:]
    values = (0, *(label.value for label in scheme.labels))
    scores = _from_probabilities(known, values, scheme, Grid((depth, height, width), known.ijk_to_ras))
    evidence = Evidence(Grid((depth, height, width), known.ijk_to_ras), values, scores, scores[:0], True)
    odds = evidence.log_odds(scheme.region(region).labels)
    share = 1.0 / (1.0 + np.exp(-odds))
    doubt: npt.NDArray[np.uint8] = np.rint(100.0 * (1.0 - np.abs(2.0 * share - 1.0))).astype(np.uint8)
    return doubt


def _from_probabilities(known: Probabilities, values: tuple[int, ...], scheme: LabelScheme, grid: Grid) -> Floats:
    """Give the score of a label: how well all channels together speak for it."""
    depth, height, width = known.array.shape[1:]
    seen = Grid((depth, height, width), known.ijk_to_ras)
    near = z, y, x = _box_of(grid, seen)
    array = resample(known.array[:, z, y, x], crop_grid(seen, near), grid)
    array = np.clip(array, _SUREST, 1.0 - _SUREST)
    yes, no = np.log(array), np.log1p(-array)
    holds = [_labels_of(name, scheme) for name in known.regions]
    scores = [sum(yes[k] if value in held else no[k] for k, held in enumerate(holds)) for value in values]
    return np.stack(scores).astype(np.float32)


def _box_of(grid: Grid, seen: Grid) -> Box:
    """Give the part of a grid that the voxels of another one are resampled from: a click needs no more of a run."""
    to_seen = np.linalg.inv(seen.ijk_to_ras) @ grid.ijk_to_ras
    last = np.array(grid.shape_zyx[::-1]) - 1
    corners = np.array(list(product(*((0, count) for count in last)))) @ to_seen[:3, :3].T + to_seen[:3, 3]
    margin = 2.0 + np.abs(to_seen[:3, :3]).sum(axis=1)  # in voxels: linear weights, and the extent of a large voxel
    counts = np.array(seen.shape_zyx[::-1])
    start = np.clip(np.floor(corners.min(axis=0) - margin), 0, counts - 1).astype(int)
    stop = np.clip(np.ceil(corners.max(axis=0) + margin) + 1, start + 1, counts).astype(int)
    x, y, z = (slice(int(first), int(end)) for first, end in zip(start, stop, strict=True))
    return z, y, x


def _labels_of(channel: str, scheme: LabelScheme) -> tuple[int, ...]:
    """Give the labels that a channel stands for; one that the scheme does not name is the background."""
    for region in scheme.regions:
        if region.name == channel:
            return region.labels
    return next(((label.value,) for label in scheme.labels if label.name == channel), (0,))


def _from_labels(labels: Array, values: tuple[int, ...], grid: Grid) -> Floats:
    """Give scores that fall with the distance to each label: 0 within it, -1 a mm."""
    from scipy import ndimage

    scores = np.full((len(values), *labels.shape), -10.0, dtype=np.float32)
    for index, value in enumerate(values):
        is_other = labels != value
        if not is_other.all():
            distance = ndimage.distance_transform_edt(is_other, sampling=grid.spacing_zyx_mm)
            scores[index] = -np.minimum(distance, 10.0)
    return scores


def _in_own_spread(image: Floats) -> Floats:
    """Bring an image to units of its spread; what is exactly 0 (outside of a stripped head) does not count."""
    content = image[image != 0.0]
    if content.size < 2:
        return np.zeros_like(image)
    low, middle, high = np.percentile(content[:: max(1, content.size // 20000)], (16.0, 50.0, 84.0))
    spread = max(float(high - low) / 2.0, 1e-6)
    scaled: Floats = np.clip((image - np.float32(middle)) / np.float32(spread), -6.0, 6.0)
    return scaled


def _log_sum(scores: Floats) -> Floats:
    summed: Floats = np.logaddexp.reduce(scores, axis=0)
    return summed
