"""What the corrections are compared with: grow from seeds (Slicer's) and a random walker, with the same clicks.

Both are given the automatic result as a reader would give it: what lies deeper than a band on either side of its border
is seed, the band is open. A click is a ball of seed, and takes away the seeds of the other side that lie nearer to it
than twice its distance to the border (else it could change nothing in the middle of a wrong part).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import cg

from MedSegAILib.core.prompts import Click
from MedSegAILib.core.volume import Grid

BAND_MM, BALL_MM, AROUND_MM = 3.0, 1.8, 12.0
FREE, OTHER, REGION = 0, 1, 2
BETA = 90.0  # of the walker, for an image scaled to 0..1; scikit-image's default is 130, Grady's paper has 90


def grow_from_seeds(image: np.ndarray, mask: np.ndarray, clicks: Sequence[Click], grid: Grid) -> np.ndarray:
    """Give the region by Slicer's grow cut (Zhu, Kolesov, Gao, Kikinis, Tannenbaum: MICCAI IMIC 2014)."""
    import slicer
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    box, seeds = _seeds(mask, clicks, grid)
    after = mask.copy()
    if not (seeds == REGION).any() or not (seeds == OTHER).any():
        return after

    def vtk_image(array):
        data = vtk.vtkImageData()
        data.SetDimensions(*array.shape[::-1])
        data.SetSpacing(*grid.spacing_zyx_mm[::-1])
        data.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
        return data

    grow = slicer.vtkImageGrowCutSegment()
    grow.SetIntensityVolume(vtk_image(_scaled(image[box], 1000.0).astype(np.int16)))
    grow.SetSeedLabelVolume(vtk_image(seeds.astype(np.uint8)))
    grow.SetMaskVolume(vtk_image(np.zeros(seeds.shape, np.uint8)))
    grow.Update()
    labels = vtk_to_numpy(grow.GetOutput().GetPointData().GetScalars()).reshape(seeds.shape)
    after[box] = labels == REGION
    return after


def random_walker(image: np.ndarray, mask: np.ndarray, clicks: Sequence[Click], grid: Grid) -> np.ndarray:
    """Give the region by a random walker (Grady, IEEE TPAMI 28(11), 2006), edges weighed by the image."""
    box, seeds = _seeds(mask, clicks, grid)
    after = mask.copy()
    if not (seeds == REGION).any() or not (seeds == OTHER).any():
        return after
    scaled = _scaled(image[box], 1.0)
    number = np.full(seeds.shape, -1)
    free = seeds == FREE
    number[free] = np.arange(int(free.sum()))
    size = int(free.sum())
    if not size:
        after[box] = seeds == REGION
        return after
    diagonal, right = np.zeros(size), np.zeros(size)
    rows, columns, values = [], [], []
    for axis in range(3):
        low, high = (tuple(part if a == axis else slice(None) for a in range(3)) for part in _ENDS)
        weight = np.exp(-BETA * np.square(scaled[high] - scaled[low])) + 1e-6
        for one, other in ((low, high), (high, low)):
            from_free = number[one] >= 0
            np.add.at(diagonal, number[one][from_free], weight[from_free])
            inner = from_free & (number[other] >= 0)
            rows.append(number[one][inner])
            columns.append(number[other][inner])
            values.append(-weight[inner])
            edge = from_free & (seeds[other] == REGION)
            np.add.at(right, number[one][edge], weight[edge])
    rows.append(np.arange(size))
    columns.append(np.arange(size))
    values.append(diagonal)
    matrix = sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))))
    solved, _ = cg(matrix, right, rtol=1e-3, maxiter=300, M=sparse.diags(1.0 / diagonal))
    found = seeds == REGION
    found[free] = solved > 0.5
    after[box] = found
    return after


_ENDS = (slice(None, -1), slice(1, None))


def _seeds(mask, clicks, grid):
    """Give the box that both look at, and its seeds."""
    to_index = np.linalg.inv(grid.ijk_to_ras)
    points = [(to_index @ [*click.position_ras_mm, 1.0])[:3][::-1] for click in clicks]
    where = np.argwhere(mask)
    all_points = np.concatenate([where.reshape(-1, 3), np.array(points).reshape(-1, 3)])
    margin = np.array([AROUND_MM / size for size in grid.spacing_zyx_mm])
    low = np.maximum(np.floor(all_points.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(all_points.max(axis=0) + margin) + 1, grid.shape_zyx).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    inside = mask[box]
    spacing = grid.spacing_zyx_mm
    seeds = np.full(inside.shape, FREE, np.uint8)
    within = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    deep = min(BAND_MM, 0.6 * float(within.max())) if inside.any() else 0.0
    seeds[(within >= deep) & inside] = REGION
    without = ndimage.distance_transform_edt(~inside, sampling=spacing) if inside.any() else np.full(inside.shape, 99.0)
    seeds[~inside & (without >= BAND_MM)] = OTHER
    axes = np.ogrid[tuple(slice(0, count) for count in inside.shape)]
    for point, click in zip(points, clicks, strict=True):
        local = point - low
        far = np.sqrt(sum(((a - p) * s) ** 2 for a, p, s in zip(axes, local, spacing, strict=True)))
        index = tuple(round(float(value)) for value in local)
        border = without[index] if click.is_include else within[index]
        against = OTHER if click.is_include else REGION
        seeds[(far < 2.0 * border) & (seeds == against)] = FREE
    for point, click in zip(points, clicks, strict=True):
        far = np.sqrt(sum(((a - p) * s) ** 2 for a, p, s in zip(axes, point - low, spacing, strict=True)))
        seeds[far <= max(BALL_MM, float(far.min()) + 1e-6)] = REGION if click.is_include else OTHER
    return box, seeds


def _scaled(image, top):
    low, high = np.percentile(image, (0.5, 99.5))
    return np.clip((image - low) / max(float(high - low), 1e-6), 0.0, 1.0) * top
