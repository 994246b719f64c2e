"""What is done to a case so that it fits: other grids resampled, sequences registered, the brain masked. Ring 3.

Each step can be refused in the run options, and each that was done is named in the passport and on the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.run import Cancel
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import reorientation_to
from MedSegAILib.image.registration import Alignment, align, gain_nearby, round_trip_mm
from MedSegAILib.image.resample import resample
from MedSegAILib.image.survey import survey, survey_grid, tissue

from .check import CheckedCase

# Sequences count as apart when the best place is so far from where the headers say and tells so much more. The 90
# aligned pairs of the train studies move by 2.1 mm at most; the study as scanned by 8 to 20 mm, telling 0.22 to 1.6
# more. Below 3 mm an interpolation would cost more than it brings.
APART_MM, APART_GAIN = 3.0, 0.05
# There and back the study as scanned misses by 0.5 to 0.6 mm; a wrong match missed by 8 mm.
DOUBTFUL_MM = 3.0


@dataclass(frozen=True, eq=False)
class _Fitted:
    """One input on the reference's grid, and what it took."""

    volume: Volume
    repairs: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()


def repair(checked: CheckedCase, allowed: Sequence[str], cancel: Cancel, *, is_head: bool) -> CheckedCase:
    """Bring all inputs of a case onto the grid of its reference.

    Args:
        checked: a case that passed ``check``, its reference named.
        allowed: of "resample" and "register"; see ``RunOptions``.
        cancel: checked between two inputs and at every step of a registration.
        is_head: whether sequences of a head are given; only then they are looked at for misalignment.

    Returns:
        The case, whose volumes now have the same voxels as the reference (each may keep its own axis order), with
        further notices and repairs.

    Raises:
        InputError: "case.grids_differ" when grids differ and resampling is refused.
    """
    case = checked.case
    fixed = case.volumes[case.reference]
    fitted: dict[str, _Fitted] = {}
    for role, volume in case.volumes.items():
        cancel.check()
        if role == case.reference:
            fitted[role] = _Fitted(volume)
        else:
            placed = _aligned(role, case, allowed, cancel) if is_head else _Fitted(volume)
            fitted[role] = _on_grid(role, volume, placed, (case.reference, fixed.grid), allowed)
    volumes = {role: entry.volume for role, entry in fitted.items()}
    return CheckedCase(
        Case(volumes, reference=case.reference, name=case.name),
        checked.notices + tuple(notice for entry in fitted.values() for notice in entry.notices),
        checked.repairs + tuple(words for entry in fitted.values() for words in entry.repairs),
    )


def _aligned(role: str, case: Case, allowed: Sequence[str], cancel: Cancel) -> _Fitted:
    """Give the volume where its anatomy agrees with the reference's, or with a notice that it does not."""
    volume, fixed, reference = case.volumes[role], case.volumes[case.reference], case.reference
    if gain_nearby(volume, fixed) <= 0.0:
        return _Fitted(volume)
    found = align(volume, fixed, fine="register" in allowed, cancel=cancel)
    if found.moved_mm < APART_MM or found.information_after < (1.0 + APART_GAIN) * found.information_before:
        return _Fitted(volume)
    if "register" not in allowed:
        notice = Notice(
            "case.misaligned",
            f"{role} and {reference} do not lie on each other: the best match is {found.moved_mm:.0f} mm and "
            f"{found.turn_degrees():.0f} degrees away.",
            "Allow the repair register, or register them yourself.",
        )
        return _Fitted(volume, notices=(notice,))
    miss_mm = _miss_mm(found, volume, fixed, cancel)
    words = (
        f"{role} registered to {reference}: moved by {found.moved_mm:.1f} mm on average, turned by "
        f"{found.turn_degrees():.1f} degrees; there and back a point misses itself by {miss_mm:.1f} mm"
    )
    notice = (
        Notice(
            "case.registered",
            f"{role} and {reference} did not lie on each other; {words}.",
            "Look whether both show the same anatomy at the same place.",
        )
        if miss_mm <= DOUBTFUL_MM
        else Notice(
            "case.registration_doubtful",
            f"{words}: the match is not certain.",
            f"Compare {role} with {reference}; register them yourself, or leave {role} out.",
        )
    )
    return _Fitted(found.placed(volume), (words,), (notice,))


def _miss_mm(found: Alignment, moving: Volume, fixed: Volume, cancel: Cancel) -> float:
    """Give how far a point misses itself, there by this alignment and back by one that was found on its own."""
    grid = survey_grid(fixed.grid)
    back = align(fixed, moving, fine=True, cancel=cancel)
    return round_trip_mm(found.fixed_to_moving, back.fixed_to_moving, grid, tissue(survey(fixed, grid)))


def _on_grid(role: str, given: Volume, placed: _Fitted, reference: tuple[str, Grid], allowed: Sequence[str]) -> _Fitted:
    """Resample where the voxels are others; the same voxels in another axis order stay as they are."""
    name, grid = reference
    volume = placed.volume
    if is_same_box(volume.grid, grid):
        return placed
    words = f"{_words(given.grid)} against {_words(grid)}"
    if "resample" not in allowed and not placed.repairs:
        raise grids_differ(role, given.grid, name, grid)
    moved = Volume(resample(volume.array, volume.grid, grid).astype(np.float32), grid, name=volume.name)
    step = f"{role} resampled to the grid of {name}: {words}"
    if placed.repairs:
        return _Fitted(moved, (*placed.repairs, step), placed.notices)
    notice = Notice(
        "case.resampled",
        f"{role} lies on another grid than {name} and was resampled: {words}.",
        "Nothing, if both were taken in one session; else compare their places.",
    )
    return _Fitted(moved, (step,), (*placed.notices, notice))


def is_same_box(grid: Grid, other: Grid) -> bool:
    """Tell whether two grids have the same voxels, in whatever axis order."""
    return reorientation_to(grid).grid(grid).is_same_as(reorientation_to(other).grid(other))


def grids_differ(role: str, grid: Grid, reference: str, reference_grid: Grid) -> InputError:
    """Give the error for an input on another grid than the reference, where resampling is refused."""
    return InputError(
        "case.grids_differ",
        f"{role} lies on another grid than {reference}: {_words(grid)} against {_words(reference_grid)}, or at another"
        " place.",
        f"Allow the repair resample, or bring {role} to the grid of {reference} first.",
    )


def _words(grid: Grid) -> str:
    voxels = " x ".join(str(count) for count in grid.shape_zyx[::-1])
    return f"{voxels} voxels of {' x '.join(f'{size:.3g}' for size in grid.spacing_zyx_mm[::-1])} mm"
