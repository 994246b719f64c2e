"""One correction as nouns: what is asked about a part of a result, and what came of it. Ring 0 (nouns)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import UsageError
from .labels import LabelScheme
from .prompts import Prompt
from .result import Probabilities
from .volume import Volume

# Nothing changes farther than this from a prompt, whatever the evidence says.
REACH_MM = 30.0


@dataclass(frozen=True, eq=False)
class Correction:
    """What is asked.

    Args:
        labels: label map as it is now, ``[z, y, x]``: of the whole image, or of a part that holds the prompts.
        scheme: what its values mean.
        region: name of the region that the prompts are about.
        prompts: at least one; the last one is new, those before still hold.
        images: by role, on the grid of ``labels``; may be empty.
        locked: names of regions that may not change.
        probabilities: of the run that made the labels, on any grid; None when they are not known any more.

    Raises:
        UsageError: "prompt.none" without a prompt; "prompt.locked" when the region itself is locked; "labels.region"
            for an unknown name; "prompt.image_grid" when an image does not lie on the grid of the labels.
    """

    labels: Volume
    scheme: LabelScheme
    region: str
    prompts: tuple[Prompt, ...]
    images: Mapping[str, Volume] = field(default_factory=dict)
    locked: tuple[str, ...] = ()
    probabilities: Probabilities | None = None

    def __post_init__(self) -> None:
        if not self.prompts:
            raise UsageError("prompt.none", "There is nothing to correct by.", "Click, draw or lay a box first.")
        for name in (self.region, *self.locked):
            self.scheme.region(name)
        if self.region in self.locked:
            raise UsageError("prompt.locked", f"The region {self.region} is locked.", "Unlock it, then correct it.")
        for role, image in self.images.items():
            if not image.grid.is_same_as(self.labels.grid):
                raise UsageError(
                    "prompt.image_grid",
                    f"{role} does not lie on the grid of the result.",
                    "Leave it out, or resample it to the grid of the result.",
                )


@dataclass(frozen=True, eq=False)
class Corrected:
    """What came of it.

    Args:
        labels: the label map after, ``[z, y, x]``, in the box that was looked at.
        offset_zyx: index of the first voxel of the box in the label map that was given.
        gained_ml: by region, volume that it gained; regions that did not change are left out.
        lost_ml: likewise, volume that it lost.
        facts: how it was found, for the record: box, rounds, seconds.
    """

    labels: Volume
    offset_zyx: tuple[int, int, int]
    gained_ml: Mapping[str, float] = field(default_factory=dict)
    lost_ml: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_changed(self) -> bool:
        """Whether any region changed."""
        return bool(self.gained_ml or self.lost_ml)

    def words(self, region: str) -> str:
        """Give the change of a region for people, as "+1.2 mL" or "no change"."""
        gained, lost = self.gained_ml.get(region, 0.0), self.lost_ml.get(region, 0.0)
        parts = [f"{sign}{value:.2g} mL" for sign, value in (("+", gained), ("−", lost)) if value > 0.0]
        return ", ".join(parts) or "no change"
