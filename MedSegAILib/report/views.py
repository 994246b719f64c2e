"""The three views of an overlay picture as plain arrays: which slice, which way up, how large in mm. Draws nothing.

Views lie along the scan's own axes, turned to the nearest patient axes in the way radiologists look: patient's left
on the right of the picture, front on top in axial and on the left in sagittal views. Ring 5 (report).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.result import Result
from MedSegAILib.core.volume import Array, Grid, Volume
from MedSegAILib.image.geometry import Box, crop_grid, nonzero_box, reorientation_to

Mask = npt.NDArray[np.bool_]

# Gray window: these percentiles of the finite voxels above the darkest one become black and white.
WINDOW_PERCENTILES = (0.5, 99.5)
SAMPLED_VOXELS = 1_000_000
# What is darker than this share of the window counts as air when the picture is cropped to the patient.
AIR_SHARE = 0.08
MARGIN_MM = 6.0
SMALLEST_SIDE_MM = 20.0  # a thinner view (a single slice seen from the side) is left out


@dataclass(frozen=True, eq=False)
class View:
    """One slice, ready to draw: row 0 on top, column 0 on the left.

    Args:
        name: "axial", "coronal" or "sagittal".
        image: ``[rows, columns]``, 0 (black) to 1 (white).
        masks: region name -> ``[rows, columns]``, bool.
        size_mm: height and width.
        letters: patient sides at left, right, top and bottom edge.
        place: where the slice lies, for people ("S 23 mm").
    """

    name: str
    image: npt.NDArray[np.float32]
    masks: Mapping[str, Mask]
    size_mm: tuple[float, float]
    letters: tuple[str, str, str, str]
    place: str


# Name, array axis across the view, letters (left, right, top, bottom), letters of the slice position (grows to, from).
_VIEWS = (
    ("axial", 0, ("R", "L", "A", "P"), ("S", "I")),
    ("coronal", 1, ("R", "L", "S", "I"), ("P", "A")),
    ("sagittal", 2, ("A", "P", "S", "I"), ("L", "R")),
)
_PATIENT_AXIS = (2, 1, 0)  # array axis of an LPS-oriented grid -> RAS component


def make_views(result: Result, reference: Volume) -> tuple[View, ...]:
    """Give the views of a result on its reference image.

    Each view shows the slice in which the regions together are largest; the middle one when nothing was found.

    Args:
        result: label map on the reference's grid.
        reference: the image behind it.
    """
    scheme = result.scheme
    move = reorientation_to(reference.grid, "LPS")
    image, labels = move.apply(reference.array), move.apply(result.labels.array)
    grid, window = move.grid(reference.grid), _gray_window(reference.array)
    union = _in_some_region(labels, scheme)
    box = _patient_box(image > window[0] + AIR_SHARE * (window[1] - window[0]), union, grid)
    image, labels, union, grid = image[box], labels[box], union[box], crop_grid(grid, box)
    center = [length // 2 for length in image.shape]
    views = []
    for name, axis, letters, sides in _VIEWS:
        areas = union.sum(axis=tuple(other for other in range(3) if other != axis))
        index = int(areas.argmax()) if areas.any() else center[axis]
        height_axis, width_axis = (other for other in range(3) if other != axis)
        spacing = grid.spacing_zyx_mm
        size_mm = (
            image.shape[height_axis] * spacing[height_axis],
            image.shape[width_axis] * spacing[width_axis],
        )
        if axis != 0 and min(size_mm) < SMALLEST_SIDE_MM:
            continue
        # Superior comes first in the picture but last in the array.
        upright = slice(None) if axis == 0 else slice(None, None, -1)
        shown = np.take(labels, index, axis)[upright]
        views.append(
            View(
                name=name,
                image=_windowed(np.take(image, index, axis)[upright], window),
                masks={region.name: scheme.mask(shown, region.name) for region in scheme.regions},
                size_mm=size_mm,
                letters=letters,
                place=_place(grid, axis, index, sides),
            )
        )
    return tuple(views)


def _in_some_region(labels: Array, scheme: LabelScheme) -> Mask:
    """Give the voxels of all regions together; by table, a whole body has 10^8 voxels."""
    is_shown = np.zeros(int(np.iinfo(labels.dtype).max) + 1, dtype=np.bool_)
    is_shown[[value for region in scheme.regions for value in region.labels]] = True
    union: Mask = is_shown[labels]
    return union


def _gray_window(array: Array) -> tuple[float, float]:
    """Give the values that become black and white, from an even sample; whole heads would cost a second copy."""
    sample = array.reshape(-1)[:: max(1, array.size // SAMPLED_VOXELS)]
    finite = sample[np.isfinite(sample)]
    lit = finite[finite > finite.min()] if finite.size else finite
    if not lit.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(lit.astype(np.float64), WINDOW_PERCENTILES))
    return low, high if high > low else low + max(1.0, abs(low)) * 1e-6


def _windowed(image: Array, window: tuple[float, float]) -> npt.NDArray[np.float32]:
    low, high = window
    scaled = np.nan_to_num((image.astype(np.float64) - low) / (high - low), nan=0.0, posinf=1.0, neginf=0.0)
    shown: npt.NDArray[np.float32] = np.clip(scaled, 0.0, 1.0).astype(np.float32)
    return shown


def _patient_box(patient: Mask, union: Mask, grid: Grid) -> Box:
    """Give the box of everything that is not air, with a margin; the regions are always in it."""
    found = nonzero_box([patient, union])
    sides = []
    for side, spacing, length in zip(found, grid.spacing_zyx_mm, patient.shape, strict=True):
        margin = round(MARGIN_MM / spacing)
        sides.append(slice(max(0, side.start - margin), min(length, side.stop + margin)))
    return sides[0], sides[1], sides[2]


def _place(grid: Grid, axis: int, index: int, sides: tuple[str, str]) -> str:
    """Give the slice position at the center of the slice along the nearest patient axis."""
    center = [(length - 1) / 2 for length in grid.shape_zyx]
    center[axis] = index
    ras = grid.ijk_to_ras @ np.array([*center[::-1], 1.0])
    value = float(ras[_PATIENT_AXIS[axis]])
    grows_to, comes_from = sides
    positive = {"S": "S", "P": "A", "L": "R"}[grows_to]
    letter = positive if value >= 0 else ({grows_to, comes_from} - {positive}).pop()
    return f"{letter} {abs(value):.0f} mm"
