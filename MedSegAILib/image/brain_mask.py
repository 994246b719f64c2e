"""Where in a whole head is the brain: no network, only shapes and dark seams. Ring 1.

Brain and scalp are bright in every MR sequence, bone and the fluid below it dark in most. The head is flooded from its
middle and from its surface at once, and the two floods meet on the dark seam: a watershed, as Hahn and Peitgen (MICCAI
2000) use on T1, here on the mean of all sequences at hand. Bright tumors stay inside, because nothing that is brighter
than the middle counts as bright. How good it is stands in the docstring of :func:`brain_mask`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK
from scipy import ndimage

from MedSegAILib.core.volume import Array, Grid, Volume

from .head import depth
from .resample import resample
from .survey import Mask, filled, largest_piece, survey, survey_grid, tissue

SPACING_MM = 2.0
# The middle of a head surely is brain: so deep below the surface, and so far below the crown at most.
CORE_DEPTH_MM, CORE_BELOW_CROWN_MM = 36.0, 95.0
SHELL_MM = 5.0  # so much below the surface surely is scalp
# What surely is face or neck: in front of the middle, lower than a plane that rises by 0.7 to the front.
FACE_FROM_MM, FACE_BELOW_CROWN_MM, FACE_SLOPE, NECK_BELOW_CROWN_MM = 10.0, 137.0, 0.7, 150.0
NECK_MM = 6.0  # radius of the ball that must fit through what belongs together; optic nerves are thinner
# A brain is round: bites narrower than twice this are floods that broke through the seam.
ROUNDING_MM = 24.0
SKULL_MM = 8.0  # scalp and bone together are at least so thick
# Around the brain: the network does as well as on the bare mask, and less of a tumor at the surface is lost.
MARGIN_MM = 4.0
GRAIN_MM = 1.0  # blurs the noise, which would lead the floods through the seam


def brain_mask(volumes: Sequence[Volume], grid: Grid) -> Volume:
    """Mark the brain of a head with skull and scalp, with a margin of 4 mm.

    Args:
        volumes: sequences of one head that lie on each other, any grids, at least one.
        grid: the space that the mask must cover.

    Returns:
        1 in the brain, 0 elsewhere, uint8, on cubic voxels of 2 mm along the patient's axes; all 1 when no middle of a
        head is found.

    How good: every fifth train head of brain_tumor_lgg_flair (15, FLAIR and mostly T1ce, thick slices) has 1000 to
    1980 mL without the margin; of the tumor outlined by hand it leaves out 0 to 4 % in twelve, 12 to 28 % in three
    (tumors below the skull, two of the heads with FLAIR alone). No head here has an outline of the brain by hand; by
    look it follows the brain above the skull base, keeps some of sella and orbit roof, and frays at the vertex of thick
    slices. Good enough to blind a network to the face, not to measure a brain.
    """
    working = survey_grid(grid, SPACING_MM)
    arrays = [survey(volume, working) for volume in volumes]
    head = np.any([tissue(array) for array in arrays], axis=0)
    depth_mm = depth(head, working)
    core = _core(head, depth_mm)
    if not core.any():
        return Volume(np.ones(working.shape_zyx, np.uint8), working, name="brain")
    bright = np.mean([np.clip(array / max(float(np.median(array[core])), 1e-6), 0.0, 1.0) for array in arrays], axis=0)
    face = _face_and_neck(head, core) & ~core
    inside = _rounded(_flooded(bright, core, (depth_mm <= SHELL_MM) | face), working)
    inside &= (depth_mm > SKULL_MM) & ~face
    wide = _distance_mm(inside, working) <= MARGIN_MM
    return Volume(wide.astype(np.uint8), working, name="brain")


def masked(volume: Volume, mask: Volume) -> Volume:
    """Give a volume with every voxel set to 0 that lies outside a mask, float32."""
    inside = resample(mask.array.astype(np.float32), mask.grid, volume.grid) >= 0.5
    return Volume(np.where(inside, volume.array, 0).astype(np.float32), volume.grid, name=volume.name)


def _core(head: Mask, depth_mm: Array) -> Mask:
    """Give the middle of the head: deep, and not lower than a brain reaches below the crown."""
    slices = np.flatnonzero(head.any(axis=(1, 2)))
    core = depth_mm >= CORE_DEPTH_MM
    if slices.size:
        core[: max(0, int(slices[-1] - CORE_BELOW_CROWN_MM / SPACING_MM))] = False
    return largest_piece(core)


def _face_and_neck(head: Mask, core: Mask) -> Mask:
    """Mark what lies lower than a skull base reaches: a plane that rises to the front, and a level for the neck."""
    slices = np.flatnonzero(head.any(axis=(1, 2)))
    middle_y = float(np.nonzero(core)[1].mean())
    z, y = np.meshgrid(np.arange(head.shape[0]), np.arange(head.shape[1]), indexing="ij")
    below_crown_mm = (slices[-1] - z) * SPACING_MM
    to_front_mm = (middle_y - y) * SPACING_MM  # survey grids run to the back
    face = (to_front_mm > FACE_FROM_MM) & (below_crown_mm > FACE_BELOW_CROWN_MM - FACE_SLOPE * to_front_mm)
    return np.broadcast_to((face | (below_crown_mm > NECK_BELOW_CROWN_MM))[:, :, None], head.shape)


def _flooded(bright: Array, core: Mask, shell: Mask) -> Mask:
    """Flood bright things from the core and from the shell; give what the core's flood reaches first."""
    markers = np.zeros(core.shape, np.uint8)
    markers[shell] = 2
    markers[core] = 1
    seams = SimpleITK.GetImageFromArray(ndimage.gaussian_filter(1.0 - bright, GRAIN_MM / SPACING_MM))
    flood = SimpleITK.MorphologicalWatershedFromMarkers(
        SimpleITK.Cast(seams, SimpleITK.sitkFloat32), SimpleITK.GetImageFromArray(markers), False, False
    )
    reached: Mask = SimpleITK.GetArrayFromImage(flood) == 1
    return reached


def _rounded(mask: Mask, grid: Grid) -> Mask:
    """Cut what hangs on by a thin neck, then close grooves and holes."""
    eroded = largest_piece(depth(mask, grid) > NECK_MM)
    opened = mask & (_distance_mm(eroded, grid) <= NECK_MM)
    padded = int(np.ceil(ROUNDING_MM / SPACING_MM))
    wide = np.pad(opened, padded)
    grown = ndimage.distance_transform_edt(~wide, sampling=grid.spacing_zyx_mm) <= ROUNDING_MM
    closed = ndimage.distance_transform_edt(grown, sampling=grid.spacing_zyx_mm) > ROUNDING_MM
    inner = closed[padded:-padded, padded:-padded, padded:-padded]
    return filled(inner | opened)


def _distance_mm(mask: Mask, grid: Grid) -> Array:
    distance: Array = ndimage.distance_transform_edt(~mask, sampling=grid.spacing_zyx_mm)
    return distance
