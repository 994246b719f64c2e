"""The grid on which a network sees a case: voxels of one spacing, laid around what is imaged.

Place and direction come from the content, not from the file, so that the same anatomy meets the same lattice however
it was stored, turned or shifted. That matters: poolings and norms of a network answer to the phase of the lattice and
to the size of the box. Ring 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.volume import Grid, Matrix

# Below this tilt the image's own axes and the patient's are the same thing.
ALIGNED_DEGREES = 0.2
# Headers are float32; a distance below this share of a voxel must not decide about one more block of voxels.
NOISE_VOXELS = 1e-6
# The image's own axes win when their box is smaller by this much. A stripped brain is nearly as tight in any frame
# (0.94 to 1.12 for turns up to 20 degrees, ten studies), a head or a full field of view never is (0.95 to 1.6).
CLEARLY_SMALLER = 0.95


@dataclass(frozen=True)
class Lattice:
    """What the package wants of the grid.

    Args:
        spacing_zyx_mm: edges of the voxels.
        multiple_zyx: voxels are added on either side of the center in blocks of so many, as poolings need them.
        at_least_zyx: smallest shape, half of it on either side of the center, so it counts in pairs of blocks. One
            that holds most cases gives them all the same shape: then neither the share of background in the norms
            nor the compiled network changes from case to case.
    """

    spacing_zyx_mm: tuple[float, float, float]
    multiple_zyx: tuple[int, int, int] = (1, 1, 1)
    at_least_zyx: tuple[int, int, int] = (1, 1, 1)


def fitting_grid(grid: Grid, content: npt.NDArray[np.bool_], patient_axes: Matrix, lattice: Lattice) -> Grid:
    """Give a grid that covers the content.

    Its axes are those of the patient, or those of the image when they hold the content in a clearly smaller box: a
    head that lay turned in the scanner is imaged along its own axes and fills them, a brain that was resampled to a
    tilted grid stays upright in space. Its voxels are counted from the center of mass of the content.

    Args:
        grid: of the content, in canonical axis order.
        content: ``[z, y, x]``, true where something is imaged; all of the image when nothing is.
        patient_axes: 3x3, RAS directions of the canonical axes; see ``image.geometry.patient_axes``.
        lattice: size and number of the voxels.
    """
    if not content.any():
        content = np.ones_like(content)
    center, ends = _center_and_row_ends(content)
    index_axes = grid.ijk_to_ras[:3, :3]
    own_axes = index_axes / np.linalg.norm(index_axes, axis=0)
    axes = own_axes if grid.tilt_degrees() <= ALIGNED_DEGREES else patient_axes
    offsets = ends - center[:, None]
    own, patient = (_extent(index_axes, frame, offsets) for frame in (own_axes, patient_axes))
    # Along the image's own axes the outermost centers fall short of the content by half a voxel at either end; along
    # others some voxel always reaches nearly to its edge.
    own_size = own[1] - own[0] + np.linalg.norm(index_axes, axis=0)
    if np.prod(own_size) < CLEARLY_SMALLER * np.prod(patient[1] - patient[0]):
        axes = own_axes
    low, high = _extent(index_axes, axes, offsets)
    half_voxel = np.abs(np.linalg.inv(axes) @ index_axes).sum(axis=1) / 2.0
    low, high = low - half_voxel, high + half_voxel
    spacing_mm = np.array(lattice.spacing_zyx_mm[::-1])  # (x, y, z)
    before, after = (_blocks(distance / spacing_mm, lattice) for distance in (-low, high))
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing_mm
    matrix[:3, 3] = index_axes @ center + grid.ijk_to_ras[:3, 3] + axes @ ((0.5 - before) * spacing_mm)
    width, height, depth = (int(count) for count in before + after)
    return Grid((depth, height, width), matrix)


def _center_and_row_ends(content: npt.NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """Give the center of mass (i, j, k), and the first and last voxel of every row, ``[3, n]``.

    The ends of the rows along x hold every extreme point of the content, in any direction.
    """
    total = int(np.count_nonzero(content))
    center = []
    for axis in (2, 1, 0):
        others = tuple(a for a in range(3) if a != axis)
        # Whole numbers: the center is the same to the last bit for every axis order the case arrived in.
        counts = np.count_nonzero(content, axis=others)
        center.append(int(counts @ np.arange(content.shape[axis])) / total)
    k, j = np.nonzero(content.any(axis=2))
    rows = content[k, j]
    first = rows.argmax(axis=1)
    last = rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    ends = [np.concatenate([first, last]), np.concatenate([j, j]), np.concatenate([k, k])]
    return np.array(center), np.array(ends, dtype=np.float64)


def _extent(index_axes: Matrix, axes: Matrix, offsets: Matrix) -> tuple[Matrix, Matrix]:
    """Give the lowest and highest coordinate in mm along each axis, of voxel centers."""
    places = np.linalg.inv(axes) @ index_axes @ offsets
    return places.min(axis=1), places.max(axis=1)


def _blocks(voxels: Matrix, lattice: Lattice) -> Matrix:
    """Round voxels on one side of the center, (x, y, z), up to whole blocks, and to half of the smallest shape."""
    wanted = np.maximum(voxels, np.array(lattice.at_least_zyx[::-1]) / 2.0)
    multiple = np.array(lattice.multiple_zyx[::-1])
    blocks = np.round(wanted / multiple / NOISE_VOXELS) * NOISE_VOXELS
    return np.asarray(np.maximum(np.ceil(blocks), 1.0) * multiple)
