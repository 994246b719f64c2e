"""Does the case fit the task? Roles, contents, exact copies; more is asked by ``plausible`` and ``repair``. Ring 3."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import Volume

from .outlook import dice_words, expected_dice_of
from .package import Package

# A network with three poolings learns nothing from fewer slices; thinner input is a slab or a 2D image.
FEWEST_VOXELS = 8


@dataclass(frozen=True, eq=False)
class CheckedCase:
    """A case that fits its task.

    Args:
        case: inputs in channel order, the reference named, non-finite voxels set to 0.
        notices: what a user must know about the result.
        repairs: what was changed, for the passport.
    """

    case: Case
    notices: tuple[Notice, ...]
    repairs: tuple[str, ...]


def check(case: Case, package: Package) -> CheckedCase:
    """Check roles and contents against a package.

    Raises:
        UsageError: "case.role" for a role that the task does not know.
        InputError: "case.missing_role", "volume.too_thin", "volume.not_finite", "volume.constant",
            "case.same_volume".
    """
    unknown = [role for role in case.volumes if role not in package.roles]
    if unknown:
        raise UsageError(
            "case.role",
            f"{package.title} has no input {unknown[0]!r}.",
            f"Its inputs are {', '.join(package.roles)}.",
        )
    notices = check_subset(tuple(case.volumes), package)
    repairs = []
    volumes = {}
    for role in (role for role in package.roles if role in case.volumes):
        volume, replaced = _check_contents(role, case.volumes[role])
        volumes[role] = volume
        if replaced:
            repairs.append(f"{role}: {replaced} voxels without a finite value set to 0")
            notices.append(
                Notice(
                    "volume.not_finite",
                    f"{replaced} voxels of {role} have no finite value; they were set to 0.",
                    "Look at the source of the image if they lie inside the body.",
                )
            )
    reference = case.reference or next(role for role in package.reference if role in volumes)
    _check_same(volumes)
    return CheckedCase(Case(volumes, reference=reference, name=case.name), tuple(notices), tuple(repairs))


def check_subset(roles: Collection[str], package: Package) -> list[Notice]:
    """Check which sequences are given against those that the package was trained for.

    Raises:
        InputError: "case.missing_role".
    """
    missing = [role for role in package.roles if role not in roles]
    if not missing:
        return []
    given = [role for role in package.roles if role in roles]
    if frozenset(given) not in package.subsets:
        trained = "; ".join(", ".join(r for r in package.roles if r in subset) for subset in package.subsets)
        raise InputError(
            "case.missing_role",
            f"{package.title} cannot work from {', '.join(given)} alone: {', '.join(missing)} is missing.",
            f"Give one of the sets that it was trained for: {trained}.",
            missing=missing,
        )
    dice = expected_dice_of(package, given)
    worth = f"expect {dice_words(dice)}" if dice else "what that costs was not measured"
    return [
        Notice(
            "case.missing_role",
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; the result rests on "
            f"{', '.join(given)} alone and is less certain: {worth}.",
            "Add the missing sequences if they exist.",
        )
    ]


def check_shape(role: str, shape_zyx: Sequence[int]) -> None:
    """Refuse what is no volume but a slice or a localizer.

    Raises:
        InputError: "volume.too_thin".
    """
    if min(shape_zyx) < FEWEST_VOXELS:
        raise InputError(
            "volume.too_thin",
            f"{role} has {' x '.join(map(str, shape_zyx[::-1]))} voxels; every axis needs {FEWEST_VOXELS}.",
            "Give the whole 3D series, not a single slice or a localizer.",
        )


def _check_contents(role: str, volume: Volume) -> tuple[Volume, int]:
    check_shape(role, volume.array.shape)
    array = volume.array
    broken = 0
    if np.issubdtype(array.dtype, np.floating):
        finite = np.isfinite(array)
        broken = int(array.size - np.count_nonzero(finite))
        if broken == array.size:
            raise InputError(
                "volume.not_finite", f"{role} has no voxel with a finite value.", "Export the image again."
            )
        if broken:
            array = np.where(finite, array, 0).astype(array.dtype)
    if array.min() == array.max():
        raise InputError(
            "volume.constant",
            f"Every voxel of {role} has the same value ({array.flat[0]:g}).",
            "Choose the series that shows the patient.",
        )
    return (Volume(array, volume.grid, name=volume.name) if broken else volume), broken


def _check_same(volumes: dict[str, Volume]) -> None:
    roles = list(volumes)
    for index, first in enumerate(roles):
        for second in roles[index + 1 :]:
            ours, theirs = volumes[first].array, volumes[second].array
            if ours.shape == theirs.shape and np.array_equal(ours, theirs):
                raise InputError(
                    "case.same_volume",
                    f"{first} and {second} are the same image.",
                    f"Choose another series for {first} or {second}, or leave one out.",
                )
