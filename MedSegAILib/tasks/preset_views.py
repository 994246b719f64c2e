"""The looks that a preset takes. Ring 3."""

from __future__ import annotations

from MedSegAILib.engine.views import VIEW_SETS, View

from .package import Package
from .preset_members import unusable_preset


def views_of(package: Package, preset: str) -> tuple[View, ...]:
    """Give the looks of a preset.

    Raises:
        PackageError: "package.preset" when the package has no such preset, or one that cannot be used.
    """
    try:
        return VIEW_SETS[package.presets[preset]["views"]]
    except (KeyError, TypeError) as error:
        raise unusable_preset(package, preset) from error
