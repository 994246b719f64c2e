"""Which members of each ensemble take part in a preset. Needs no engine, so Slicer's own process may ask. Ring 3."""

from __future__ import annotations

from dataclasses import replace

from MedSegAILib.core.errors import PackageError

from .manifest import Stage
from .package import Package


def stages_of(package: Package, preset: str) -> tuple[Stage, ...]:
    """Give the stages with the members that take part in a preset: all, or the first few of each ensemble.

    Raises:
        PackageError: "package.preset".
    """
    count = package.presets.get(preset, {}).get("members")
    if count is None:
        return package.stages
    if not isinstance(count, int) or count < 1:
        raise unusable_preset(package, preset)
    return tuple(
        replace(stage, ensembles=tuple(replace(e, members=e.members[:count]) for e in stage.ensembles))
        for stage in package.stages
    )


def unusable_preset(package: Package, preset: str) -> PackageError:
    """Give the error for a preset that the package does not have, or that cannot be used."""
    return PackageError(
        "package.preset",
        f"{package.title} has no usable preset {preset!r}.",
        f"Its presets are {', '.join(package.presets)}.",
    )
