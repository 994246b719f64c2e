"""What a preset takes part with: views, and how many members of each ensemble. Ring 3."""

from __future__ import annotations

from dataclasses import replace

from MedSegAILib.core.errors import PackageError
from MedSegAILib.engine.views import VIEW_SETS, View

from .manifest import Stage
from .package import Package


def views_of(package: Package, preset: str) -> tuple[View, ...]:
    """Give the looks of a preset.

    Raises:
        PackageError: "package.preset" when the package has no such preset, or one that cannot be used.
    """
    try:
        return VIEW_SETS[package.presets[preset]["views"]]
    except (KeyError, TypeError) as error:
        raise _unusable(package, preset) from error


def stages_of(package: Package, preset: str) -> tuple[Stage, ...]:
    """Give the stages with the members that take part in a preset: all, or the first few of each ensemble.

    Raises:
        PackageError: "package.preset".
    """
    count = package.presets.get(preset, {}).get("members")
    if count is None:
        return package.stages
    if not isinstance(count, int) or count < 1:
        raise _unusable(package, preset)
    return tuple(
        replace(stage, ensembles=tuple(replace(e, members=e.members[:count]) for e in stage.ensembles))
        for stage in package.stages
    )


def _unusable(package: Package, preset: str) -> PackageError:
    return PackageError(
        "package.preset",
        f"{package.title} has no usable preset {preset!r}.",
        f"Its presets are {', '.join(package.presets)}.",
    )
