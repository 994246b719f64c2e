"""Surface distances against brute force over all pairs, against MONAI, and for masks apart against SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from scipy import ndimage
from scipy.spatial.distance import cdist

from MedSegAILib.image.surface_metrics import surface_distances, surface_of

SPACING = (3.0, 0.5, 0.7)


def blobs(seed):
    """Two smooth random masks that overlap in part and touch the image's edge."""
    random = np.random.default_rng(seed)
    return [ndimage.gaussian_filter(random.normal(size=(12, 20, 16)), 2) > 0.02 for _ in range(2)]


def surface_by_hand(mask):
    """Every voxel with a face neighbor that is not in the mask, one after the other."""
    padded = np.pad(mask, 1)
    found = []
    for z, y, x in np.argwhere(padded):
        steps = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
        if not all(padded[z + dz, y + dy, x + dx] for dz, dy, dx in steps):
            found.append((z - 1, y - 1, x - 1))
    return np.array(found)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distances_are_those_of_all_pairs(seed):
    ours, theirs = blobs(seed)
    a, b = (surface_by_hand(mask) for mask in (ours, theirs))
    assert np.array_equal(np.argwhere(surface_of(ours)), a)
    pairs = cdist(a * SPACING, b * SPACING)
    there, back = pairs.min(axis=1), pairs.min(axis=0)
    found = surface_distances(ours, theirs, SPACING)
    assert found.hausdorff_mm == pytest.approx(max(there.max(), back.max()))
    assert found.hausdorff95_mm == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert found.average_mm == pytest.approx((there.sum() + back.sum()) / (len(there) + len(back)))
    back = surface_distances(theirs, ours, SPACING)
    assert (back.hausdorff_mm, back.hausdorff95_mm) == (found.hausdorff_mm, found.hausdorff95_mm)
    assert back.average_mm == pytest.approx(found.average_mm)


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")  # MONAI's own call
def test_distances_are_monais():
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    ours, theirs = blobs(3)
    both = [torch.from_numpy(mask.astype(np.float32))[None, None] for mask in (ours, theirs)]
    shared = {"include_background": True, "spacing": SPACING}
    found = surface_distances(ours, theirs, SPACING)
    assert found.hausdorff_mm == pytest.approx(compute_hausdorff_distance(*both, **shared).item(), rel=1e-5)
    at_95 = compute_hausdorff_distance(*both, percentile=95, **shared).item()
    assert found.hausdorff95_mm == pytest.approx(at_95, rel=1e-5)
    average = compute_average_surface_distance(*both, symmetric=True, **shared).item()
    assert found.average_mm == pytest.approx(average, rel=1e-5)


def test_hausdorff_of_masks_apart_is_that_of_simpleitk():
    """SimpleITK measures between whole masks; where neither lies in the other the farthest voxels are on surfaces."""
    ours, theirs = np.zeros((2, 12, 30, 30), bool)
    ours[2:6, 3:9, 4:8] = True
    theirs[7:10, 15:24, 12:20] = True
    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (ours, theirs)]
    for image in images:
        image.SetSpacing(SPACING[::-1])
    measured = SimpleITK.HausdorffDistanceImageFilter()
    measured.Execute(*images)
    assert surface_distances(ours, theirs, SPACING).hausdorff_mm == pytest.approx(measured.GetHausdorffDistance())


def test_shift_by_one_slice_is_one_spacing():
    mask = np.zeros((10, 12, 12), bool)
    mask[3:6, 4:8, 4:8] = True
    assert surface_distances(mask, np.roll(mask, 1, axis=0), SPACING).hausdorff_mm == pytest.approx(3.0)
