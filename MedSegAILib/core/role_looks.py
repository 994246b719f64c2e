"""How a head looks, in eight numbers a volume and eight a pair of volumes: what tells T1, T1ce, T2 and FLAIR apart.

Fluid is dark on T1 and FLAIR and bright on T2; gray matter is darker than white on T1 and brighter on FLAIR; contrast
agent makes thin things bright. All is measured on averages of about 3 mm, deep inside the head, with the skull or
without it. What the numbers mean is in ``roles``. NumPy only, so that Slicer's process may ask too. Ring 0.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .volume import Array, Matrix, Volume

COARSE_MM = 3.0
NEIGHBORHOOD_MM = 6.0  # half edge of the box that "locally" means
CORE_SHARE = 0.33  # of the largest depth; what is deeper is brain, below scalp and skull too
PARTNER_SHARE = 0.25  # the same in the second volume of a pair
FEWEST_CORE_VOXELS = 500
TISSUE_SHARE_OF_OTSU = 0.5
DARK, BRIGHT = 0.8, 1.2  # times the median; between them is tissue
FLUID, LIT = 0.75, 1.33
TAIL = 0.08  # share of the voxels that count as the brightest, and as the darkest
LOWEST_MR_VALUE = -500.0  # CT has air at -1000; MR has no values below 0, normalized files reach -10
LARGEST_HEAD_MM = 300.0
VOXELS_A_STEP = 2**21  # averaged at once while looking: about 6 ms
VOLUME_NUMBERS = ("depth", "near_dark", "near_bright", "skew", "log_10", "log_98", "fluid", "lit")
PAIR_NUMBERS = ("rank", "tissue", "top", "top_back", "bottom", "bottom_back", "fine", "skew")
# Index of each pair number when the two volumes change places, and its sign.
_SWAPPED = np.array([0, 1, 3, 2, 5, 4, 6, 7])
_SIGN = np.array([1.0, 1, 1, 1, 1, 1, 1, -1])

Numbers = npt.NDArray[np.float64]
Float = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Look:
    """One volume at a glance.

    Args:
        problem: why it cannot be a sequence of a head, as a clause; "" when it can.
        numbers: eight, see ``VOLUME_NUMBERS``.
        relative: coarse values over their median in the core, 0 to 3, ``[z, y, x]``.
        local: what of them differs from the neighborhood.
        depth: below the surface, over the largest depth, 0 to 1.
        ijk_to_ras: 4x4 of the coarse voxels.
        tissue_ml: volume of the tissue and of what it encloses; 0 where there is a problem.
    """

    problem: str
    numbers: Numbers
    relative: Float
    local: Float
    depth: Float
    ijk_to_ras: Matrix
    tissue_ml: float = 0.0


Looking = Generator[None, None, Look]


def look(volume: Volume) -> Look:
    """Look at a volume: about a tenth of a second for 240 x 240 x 155 voxels.

    Args:
        volume: any grid and dtype; voxels that are not finite count as 0.
    """
    steps = looking(volume)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            seen: Look = end.value
            return seen


def looking(volume: Volume) -> Looking:
    """Look at a volume a little at a time, about a hundredth of a second a step: for a thread that a person waits for.

    Args:
        volume: as in :func:`look`; must stay as it is until the steps are over.
    """
    coarse, matrix = yield from _coarse(volume)
    spacing_mm = np.linalg.norm(matrix[:3, :3], axis=0)[::-1]
    problem = _problem(coarse, spacing_mm)
    if problem:
        return _nothing(problem, coarse, matrix)
    yield
    hull = _hull(coarse > _threshold(coarse))
    tissue_ml = float(np.count_nonzero(hull) * np.prod(spacing_mm)) / 1000.0
    yield
    depth_mm = yield from _depth_mm(hull, spacing_mm)
    depth = depth_mm / max(float(depth_mm.max()), 1e-6)
    core = depth > CORE_SHARE
    middle = float(np.median(coarse[core])) if np.count_nonzero(core) >= FEWEST_CORE_VOXELS else 0.0
    if middle <= 0:
        return _nothing("it shows too little of a head", coarse, matrix)
    yield
    relative = np.clip(coarse / middle, 0.0, 3.0).astype(np.float32)
    sizes = [2 * max(1, round(NEIGHBORHOOD_MM / size)) + 1 for size in spacing_mm]
    local = relative - (yield from _box_mean(relative, sizes))
    near_dark = yield from _box_mean(np.clip(DARK - relative, 0.0, 1.0), sizes)
    near_bright = yield from _box_mean(np.clip(relative - BRIGHT, 0.0, 1.0), sizes)
    numbers = _volume_numbers(relative, local, depth, core, (near_dark, near_bright))
    return Look("", numbers, relative, local, depth.astype(np.float32), matrix, tissue_ml)


def _nothing(problem: str, coarse: Float, matrix: Matrix) -> Look:
    nothing = np.zeros_like(coarse)
    return Look(problem, np.zeros(8), nothing, nothing, nothing, matrix)


def compare(first: Look, second: Look) -> Numbers | None:
    """Compare two volumes where both show the inside of the head.

    Returns:
        Eight numbers, see ``PAIR_NUMBERS``; None when the volumes hardly overlap. The same two in the other order
        give :func:`swapped`, nearly: voxels are those of the first.
    """
    values, local, depth = _on_grid(first, second)
    both = (first.depth > CORE_SHARE) & (depth > PARTNER_SHARE)
    if np.count_nonzero(both) < FEWEST_CORE_VOXELS:
        return None
    ours, theirs = first.relative[both], values[both]
    ours, theirs = ours / max(float(np.median(ours)), 1e-6), theirs / max(float(np.median(theirs)), 1e-6)
    tissue = (ours > FLUID) & (theirs > FLUID) & (ours < 2 * FLUID) & (theirs < 2 * FLUID)
    our_rank, their_rank = _ranks(ours), _ranks(theirs)
    fine_ours, fine_theirs = first.local[both], local[both]
    tails = np.array(
        [
            their_rank[our_rank >= 1 - TAIL].mean(),
            our_rank[their_rank >= 1 - TAIL].mean(),
            their_rank[our_rank <= TAIL].mean(),
            our_rank[their_rank <= TAIL].mean(),
        ]
    )
    clipped = np.clip(tails, 0.02, 0.98)
    correlations = [
        _correlation(our_rank, their_rank),
        _correlation(ours[tissue], theirs[tissue]),
        _correlation(fine_ours, fine_theirs),
    ]
    rank, in_tissue, fine = np.arctanh(np.clip(correlations, -0.98, 0.98))
    skew = np.arcsinh(_skewness(fine_ours - fine_theirs))
    return np.array([rank, in_tissue, *(0.5 * np.log(clipped / (1 - clipped))), fine, skew])


def swapped(numbers: Numbers) -> Numbers:
    """Give the numbers of a pair as if its volumes had changed places."""
    return np.asarray(numbers[_SWAPPED] * _SIGN)


def _coarse(volume: Volume) -> Generator[None, None, tuple[Float, Matrix]]:
    """Average blocks along the volume's own axes, whole blocks only; gives means ``[z, y, x]`` and their ijk_to_ras."""
    steps = [max(1, round(COARSE_MM / size)) for size in volume.grid.spacing_zyx_mm]
    steps = [min(step, count) for step, count in zip(steps, volume.array.shape, strict=True)]
    layers = volume.array.shape[0] // steps[0]
    at_once = max(1, VOXELS_A_STEP // (steps[0] * volume.array.shape[1] * volume.array.shape[2]))
    parts = []
    for first in range(0, layers, at_once):
        last = min(first + at_once, layers)
        parts.append(_block_means(volume.array[first * steps[0] : last * steps[0]], steps))
        yield
    matrix = np.array(volume.grid.ijk_to_ras)
    ijk_steps = np.array([*steps[::-1], 1.0])
    matrix[:3, 3] = (matrix @ np.append((ijk_steps[:3] - 1) / 2, 1.0))[:3]
    coarse = np.nan_to_num(np.concatenate(parts), posinf=0.0, neginf=0.0)
    return coarse, matrix @ np.diag(ijk_steps)


def _block_means(array: Array, steps: Sequence[int]) -> Float:
    for axis, step in enumerate(steps):
        if step > 1:
            count = array.shape[axis] // step
            cut = [slice(None)] * 3
            cut[axis] = slice(0, count * step)
            shape = list(array.shape)
            shape[axis : axis + 1] = [count, step]
            array = array[tuple(cut)].reshape(shape).mean(axis=axis + 1, dtype=np.float32)
    return array.astype(np.float32)


def _problem(coarse: Float, spacing_mm: Numbers) -> str:
    if float(coarse.min()) < LOWEST_MR_VALUE:
        return f"it holds values down to {coarse.min():g}, as CT does"
    if min(coarse.shape) < 4 or not np.any(coarse > 0) or coarse.max() == coarse.min():
        return "it shows too little of a head"
    tissue = coarse > _threshold(coarse)
    reached = [np.flatnonzero(tissue.any(axis=tuple(set(range(3)) - {axis}))) for axis in range(3)]
    extent_mm = max(
        float(np.ptp(index) + 1) * size for index, size in zip(reached, spacing_mm, strict=True) if index.size
    )
    return f"it is {extent_mm:.0f} mm long, a head at most 290" if extent_mm > LARGEST_HEAD_MM else ""


def _threshold(coarse: Float) -> float:
    """Give half of Otsu's threshold (IEEE Trans. SMC 9(1), 62-66, 1979), without the brightest 0.5 %."""
    values = coarse[coarse > 0]
    low, high = np.percentile(values, [0.0, 99.5])
    if high <= low:
        return float(low) * TISSUE_SHARE_OF_OTSU
    counts, edges = np.histogram(values, 128, (low, high))
    centers = (edges[:-1] + edges[1:]) / 2.0
    below, total = np.cumsum(counts), counts.sum()
    sum_below, sum_all = np.cumsum(counts * centers), (counts * centers).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * (total - below) * (sum_below / below - (sum_all - sum_below) / (total - below)) ** 2
    return float(edges[1 + int(np.nanargmax(between))]) * TISSUE_SHARE_OF_OTSU


def _hull(mask: Mask) -> Mask:
    """Give what has tissue on both sides along each of the three axes: the head with its dark inside."""
    inside = np.ones_like(mask)
    for axis in range(3):
        before = np.maximum.accumulate(mask, axis=axis)
        after = np.flip(np.maximum.accumulate(np.flip(mask, axis), axis=axis), axis)
        inside &= before & after
    return inside


def _depth_mm(inside: Mask, spacing_mm: Numbers) -> Generator[None, None, Float]:
    """Give the distance to the surface along the nearest axis, mm, an axis a step; the array ends at a surface."""
    depth = np.full(inside.shape, np.inf, dtype=np.float32)
    for axis, count in enumerate(inside.shape):
        shape = [1, 1, 1]
        shape[axis] = count
        index = np.arange(count, dtype=np.int32).reshape(shape)
        last = np.maximum.accumulate(np.where(inside, np.int32(-1), index), axis=axis)
        flipped = np.flip(np.where(inside, np.int32(count), index), axis)
        following = np.flip(np.minimum.accumulate(flipped, axis=axis), axis)
        np.minimum(depth, np.minimum(index - last, following - index) * np.float32(spacing_mm[axis]), out=depth)
        yield
    return depth


def _volume_numbers(relative: Float, local: Float, depth: Float, core: Mask, near: tuple[Float, Float]) -> Numbers:
    near_dark, near_bright = near
    tissue = core & (relative > DARK) & (relative < BRIGHT)
    inside = relative[core]
    low, high = np.log(np.maximum(np.percentile(inside, [10, 98]), 0.02))
    return np.array(
        [
            _correlation(relative[tissue], depth[tissue]),
            _correlation(relative[tissue], near_dark[tissue]),
            _correlation(relative[tissue], near_bright[tissue]),
            _skewness(local[core]),
            low,
            high,
            np.sqrt((inside < FLUID).mean()),
            np.sqrt((inside > LIT).mean()),
        ],
        dtype=np.float64,
    )


def _box_mean(array: Float, sizes: Sequence[int]) -> Generator[None, None, Float]:
    """Average over a box around each voxel, an axis a step; the border value goes on outside."""
    for axis, size in enumerate(sizes):
        half, count = size // 2, array.shape[axis]
        pad = [(0, 0)] * 3
        pad[axis] = (half + 1, half)
        total = np.cumsum(np.pad(array, pad, mode="edge"), axis=axis, dtype=np.float64)
        low, high = ([slice(None)] * 3 for _ in range(2))
        low[axis], high[axis] = slice(0, count), slice(size, size + count)
        difference = total[tuple(high)] - total[tuple(low)]
        difference /= size
        array = difference.astype(np.float32)
        yield
    return array


def _on_grid(first: Look, second: Look) -> tuple[Float, Float, Float]:
    """Give values, local values and depth of the second volume at the nearest voxels of the first; 0 outside."""
    to_second = np.linalg.inv(second.ijk_to_ras) @ first.ijk_to_ras
    depth, height, width = first.depth.shape
    k, j, i = np.meshgrid(np.arange(depth), np.arange(height), np.arange(width), indexing="ij", sparse=True)
    flat = np.zeros(first.depth.shape, dtype=np.int64)
    is_inside = np.ones(first.depth.shape, dtype=bool)
    for row, count in ((2, second.depth.shape[0]), (1, second.depth.shape[1]), (0, second.depth.shape[2])):
        index = np.rint(to_second[row, 0] * i + to_second[row, 1] * j + to_second[row, 2] * k + to_second[row, 3])
        is_inside &= (index >= 0) & (index < count)
        flat = flat * count + np.clip(index, 0, count - 1).astype(np.int64)
    values, local, deep = (np.where(is_inside, part.ravel()[flat], np.float32(0)) for part in _parts(second))
    return values, local, deep


def _parts(one: Look) -> tuple[Float, Float, Float]:
    return one.relative, one.local, one.depth


def _ranks(values: Array) -> Numbers:
    ranks = np.empty(values.size, dtype=np.float64)
    ranks[np.argsort(values, kind="stable")] = np.arange(values.size) / values.size
    return ranks


def _correlation(first: Array, second: Array) -> float:
    if first.size < 50 or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _skewness(values: Array) -> float:
    spread = float(values.std())
    return float(((values - values.mean()) ** 3).mean() / spread**3) if spread > 1e-6 else 0.0
