"""A region of a label map filled between the slices that it is drawn on, under the same rules as a click. Ring 4."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from MedSegAILib.core.correction import Corrected
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.volume import Volume

from .between_slices import drawn_axis, fill_between
from .evidence import gather
from .rules import changed_ml, relabel


def fill_region(
    labels: Volume, scheme: LabelScheme, region: str, locked: Sequence[str] = (), axis: int | None = None
) -> Corrected:
    """Fill a region between its slices.

    Args:
        labels: label map that holds the region, ``[z, y, x]``.
        scheme: what its values mean.
        region: name of the region.
        locked: names of regions that may not change.
        axis: across the slices: 0 for z, 1 for y, 2 for x; None finds the one that has gaps.

    Raises:
        UsageError: "between.too_few"; "labels.region".
    """
    started = perf_counter()
    mask = scheme.mask(labels.array, region)
    across = drawn_axis(mask) if axis is None else axis
    spacing = [size for along, size in enumerate(labels.grid.spacing_zyx_mm) if along != across]
    wanted = fill_between(mask, across, (spacing[0], spacing[1]))
    whole = (slice(0, mask.shape[0]), slice(0, mask.shape[1]), slice(0, mask.shape[2]))
    after = relabel(labels.array, wanted, region, scheme, gather(labels, whole, scheme, {}, None), locked)
    gained, lost = changed_ml(labels.array, after, scheme, labels.grid.voxel_volume_ml)
    facts = {"prompt": "between", "axis": across, "seconds": round(perf_counter() - started, 4)}
    return Corrected(Volume(after, labels.grid, name="labels"), (0, 0, 0), gained, lost, facts)
