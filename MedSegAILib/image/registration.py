"""How one volume of a patient must be turned and shifted to lie on another: rigid, by mutual information. Ring 1.

Many starts on 8 mm voxels, the best few refined on 4 mm, the winner on the fine grid. One thread and every voxel of
the coarse grids: the same input gives the same answer to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import SimpleITK
from scipy import ndimage

from MedSegAILib.core.run import Cancel
from MedSegAILib.core.volume import Array, Grid, Matrix, Volume

from .mutual_information import BINS, MutualInformation
from .survey import Mask, survey, survey_grid, tissue

START_SPACING_MM, SURVEY_SPACING_MM, FINE_SPACING_MM = 8.0, 4.0, 2.0
# A study as scanned, four sequences apart, needed turns of 8 to 13 degrees; the optimizer itself reaches about 10.
START_ANGLES_DEGREES = (-12.0, 0.0, 12.0)
NEARBY_MM, NEARBY_DEGREES = 4.0, 5.0
STARTS_REFINED = 6
ENDS_REFINED = 2
# Share of the voxels that enter a step of the optimizer, in a regular pattern; comparisons take every voxel.
SAMPLED_SHARE = {START_SPACING_MM: 1.0, SURVEY_SPACING_MM: 0.3, FINE_SPACING_MM: 0.12}
SEED = 2020  # the regular pattern is jittered
MARGIN_MM = 12.0  # around the tissue of the fixed volume: outlines count, the empty rest does not


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a moving volume belongs.

    Args:
        fixed_to_moving: 4x4, maps a point of the fixed volume to the same anatomy in the moving one, RAS mm.
        moved_mm: mean distance by which it moves the tissue of the fixed volume.
        information_before: mutual information (nats) as the headers place the two.
        information_after: the same when aligned.
    """

    fixed_to_moving: Matrix
    moved_mm: float
    information_before: float
    information_after: float

    def placed(self, moving: Volume) -> Volume:
        """Give the moving volume at its new place; voxels unchanged, only the grid turns and shifts."""
        matrix = np.linalg.inv(self.fixed_to_moving) @ moving.grid.ijk_to_ras
        return Volume(moving.array, Grid(moving.grid.shape_zyx, matrix), name=moving.name)

    def turn_degrees(self) -> float:
        """Give the angle of the turn."""
        return turn_degrees(self.fixed_to_moving)


def align(moving: Volume, fixed: Volume, *, fine: bool = True, cancel: Cancel | None = None) -> Alignment:
    """Find the rigid move of one volume onto another.

    Args:
        moving: any sequence of the same patient, any grid.
        fixed: the volume that stays.
        fine: refine on 2 mm after 4 mm; without it the answer is good to about a millimeter and takes a third.
        cancel: checked at every step of the search.

    Raises:
        Cancelled: "run.cancelled".

    Source: Mattes mutual information as in SimpleITK; regular step gradient descent.
    """
    with _one_thread():
        return _align(moving, fixed, fine=fine, cancel=cancel or Cancel())


def _align(moving: Volume, fixed: Volume, *, fine: bool, cancel: Cancel) -> Alignment:
    coarse = _Pair(moving, fixed, START_SPACING_MM)
    identity = coarse.moved_by((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    starts = [identity, *sorted(coarse.starts(), key=coarse.value)[:STARTS_REFINED]]
    reached = sorted((coarse.refined(start, 4.0, cancel) for start in starts), key=coarse.value)
    middle = _Pair(moving, fixed, SURVEY_SPACING_MM)
    found = [middle.refined(start, 2.0, cancel) for start in (identity, *reached[:ENDS_REFINED])]
    best = min(found, key=middle.value)
    before, after = -middle.value(identity), -middle.value(best)
    if fine:
        best = _Pair(moving, fixed, FINE_SPACING_MM).refined(best, 1.0, cancel)
    matrix = _ras_matrix(best)
    return Alignment(matrix, middle.moved_mm(matrix), before, after)


def gain_nearby(moving: Volume, fixed: Volume) -> float:
    """Tell whether a small move would bring two volumes together; no search.

    Args:
        moving: any sequence of the same patient, any grid.
        fixed: the volume that stays.

    Returns:
        The most that one of twelve moves (4 mm or 5 degrees, each axis, each way) adds to the mutual information, as a
        share of it. Aligned studies lose: -0.05 at most over 47 pairs of train studies; the study as scanned
        gains 0.08 to 0.18.
    """
    pair = _Pair(moving, fixed, SURVEY_SPACING_MM)
    here = -pair.value(pair.moved_by((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
    if not np.isfinite(here) or here <= 0:
        return float("inf")  # they do not even meet
    steps = np.concatenate([np.eye(3), -np.eye(3)])
    values = [-pair.value(pair.moved_by(tuple(step * NEARBY_MM), (0.0, 0.0, 0.0))) for step in steps]
    values += [-pair.value(pair.moved_by((0.0, 0.0, 0.0), tuple(step * np.radians(NEARBY_DEGREES)))) for step in steps]
    return float(max(values) / here - 1.0)


def round_trip_mm(forward: Matrix, backward: Matrix, grid: Grid, mask: Mask) -> float:
    """Give by how many mm a point misses itself on the way there and back, mean over a mask.

    Args:
        forward: fixed to moving, 4x4 RAS.
        backward: moving to fixed, 4x4 RAS, found independently.
        grid: of the mask.
        mask: ``[z, y, x]``.
    """
    return _mean_shift_mm(backward @ forward, grid, mask)


def turn_degrees(matrix: Matrix) -> float:
    """Give the angle of a rigid 4x4 matrix."""
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix[:3, :3]) - 1.0) / 2.0, -1.0, 1.0))))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let ITK add in one order: with several threads the sums, and with them the end of the search, vary by chance.

    The metric takes its threads from ITK's default when it is made; the setting of the method does not reach it.
    """
    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


class _Pair:
    """Both volumes on cubic voxels of one size, and what compares them there."""

    def __init__(self, moving: Volume, fixed: Volume, spacing_mm: float) -> None:
        self.grid = survey_grid(fixed.grid, spacing_mm)
        self.sampled = SAMPLED_SHARE[spacing_mm]
        fixed_array = survey(fixed, self.grid)
        moving_grid = survey_grid(moving.grid, spacing_mm)
        moving_array = survey(moving, moving_grid)
        self.tissue = tissue(fixed_array)
        self.near = ndimage.distance_transform_edt(~self.tissue) * spacing_mm <= MARGIN_MM
        self.fixed, self.moving = _clipped(fixed_array), _clipped(moving_array)
        self.moving_grid, self._moving_survey = moving_grid, moving_array
        self.center_lps = [float(v) for v in _center_lps(self.tissue, self.grid)]
        self._information = MutualInformation(self.fixed, self.near, self.moving)

    def starts(self) -> list[SimpleITK.Euler3DTransform]:
        """Give turns about three axes, once as the headers place the volumes, once with centers of mass together."""
        moving_center_lps = _center_lps(tissue(self._moving_survey), self.moving_grid)
        shifts = ([0.0, 0.0, 0.0], [float(v) for v in moving_center_lps - np.array(self.center_lps)])
        turns = [tuple(angles) for angles in product(np.radians(START_ANGLES_DEGREES), repeat=3)]
        return [self.moved_by(tuple(shift), turn) for turn in turns for shift in shifts]

    def moved_by(self, shift_lps_mm: tuple[float, ...], turn: tuple[float, ...]) -> SimpleITK.Euler3DTransform:
        """Give a move by a shift (mm) and a turn (radians about x, y, z) around the middle of the tissue."""
        start = SimpleITK.Euler3DTransform()
        start.SetCenter(self.center_lps)
        start.SetRotation(*(float(angle) for angle in turn))
        start.SetTranslation([float(length) for length in shift_lps_mm])
        return start

    def value(self, transform: SimpleITK.Euler3DTransform) -> float:
        """Give minus the mutual information; large when the volumes do not even meet."""
        to_moving = np.linalg.inv(self.moving_grid.ijk_to_ras) @ _ras_matrix(transform) @ self.grid.ijk_to_ras
        return -self._information.at(to_moving)

    def refined(self, start: SimpleITK.Euler3DTransform, step_mm: float, cancel: Cancel) -> SimpleITK.Euler3DTransform:
        """Give the best transform near a start; the start itself when the volumes do not meet."""
        method = SimpleITK.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        if self.sampled < 1.0:
            method.SetMetricSamplingStrategy(method.REGULAR)
            method.SetMetricSamplingPercentage(self.sampled, SEED)
        method.SetMetricFixedMask(_image(self.near.astype(np.uint8), self.grid))
        method.SetInterpolator(SimpleITK.sitkLinear)
        moved = SimpleITK.Euler3DTransform(start)
        method.SetInitialTransform(moved, True)
        # ITK swallows what a callback raises: it is told to stop, and the error is ours to raise.
        method.AddCommand(SimpleITK.sitkIterationEvent, lambda: method.StopRegistration() if cancel.is_set else None)
        method.SetOptimizerAsRegularStepGradientDescent(step_mm, 0.005, 100, 0.7)
        method.SetOptimizerScalesFromPhysicalShift()
        try:
            method.Execute(_image(self.fixed, self.grid), _image(self.moving, self.moving_grid))
        except RuntimeError:
            moved = start
        cancel.check()
        return moved

    def moved_mm(self, matrix: Matrix) -> float:
        """Give the mean distance by which a matrix moves the tissue."""
        return _mean_shift_mm(matrix, self.grid, self.tissue)


def _mean_shift_mm(matrix: Matrix, grid: Grid, mask: Mask) -> float:
    k, j, i = np.nonzero(mask) if mask.any() else np.nonzero(np.ones_like(mask))
    points = grid.ijk_to_ras @ np.stack([i, j, k, np.ones_like(i)])
    return float(np.linalg.norm((matrix @ points - points)[:3], axis=0).mean())


def _center_lps(mask: Mask, grid: Grid) -> npt.NDArray[np.float64]:
    k, j, i = np.nonzero(mask) if mask.any() else np.nonzero(np.ones_like(mask))
    center = grid.ijk_to_ras @ np.array([i.mean(), j.mean(), k.mean(), 1.0])
    return np.array([-center[0], -center[1], center[2]])


def _clipped(array: Array) -> Array:
    """Give the array without its brightest voxels: one bright vessel must not take half of the bins."""
    clipped: Array = np.clip(array, 0, float(np.percentile(array, 99.8)))
    return clipped


def _image(array: Array, grid: Grid) -> SimpleITK.Image:
    """Give the array as an ITK image; survey grids go along L, P, S, so ITK's directions are the identity."""
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(grid.spacing_zyx_mm[::-1])
    origin = grid.ijk_to_ras[:3, 3]
    image.SetOrigin([float(-origin[0]), float(-origin[1]), float(origin[2])])
    return image


def _ras_matrix(transform: SimpleITK.Euler3DTransform) -> Matrix:
    turn = np.array(transform.GetMatrix()).reshape(3, 3)
    center, shift = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = turn, shift + center - turn @ center
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    return flip @ lps @ flip
