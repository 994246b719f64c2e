"""What a run gives: label map, regions in mL, warnings, and the passport that says how it came about.

Ring 0 (nouns).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .box import StageBox
from .doubt import Doubt
from .labels import LabelScheme
from .volume import Volume

RESEARCH_USE = "Research use only. Not for clinical decisions."


@dataclass(frozen=True)
class Notice:
    """A warning on a usable result; code, message and hint as in an error."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Passport:
    """The record that travels with every result and export; it holds no patient data.

    Args:
        task: name of the task ("brain-tumor").
        package: name, version and checksums of the package that ran.
        library: version of this library.
        engine: backend, device, precision, threads.
        options: run options after defaults.
        inputs: by role: sha256 of voxels and grid, shape and spacing; no names, no paths.
        repairs: what was changed before the network saw the case, in order.
        fallbacks: what was not done as asked, and why.
        seconds: by step, over all stages.
        stages: of each stage: name, whether it ran, how often it looked, whether it was kept from the run before, its
            seconds by step, its box.
        peak_memory_mb: of the computing process, 0 when unknown.
    """

    task: str
    package: Mapping[str, Any]
    library: str
    engine: Mapping[str, Any]
    options: Mapping[str, Any]
    inputs: Mapping[str, Any]
    repairs: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_memory_mb: float = 0.0
    use: str = RESEARCH_USE
    stages: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give a JSON-able dictionary; ``Passport.from_json`` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Passport:
        """Rebuild a passport that :meth:`to_json` wrote."""
        fields = {"stages": (), **data}
        return cls(**{**fields, **{name: tuple(fields[name]) for name in ("repairs", "fallbacks", "stages")}})


@dataclass(frozen=True, eq=False)
class Probabilities:
    """Region probabilities in the box that the network saw, on the working grid.

    Args:
        array: ``[k, z, y, x]``, float32, 0 to 1, one channel a region.
        regions: names of the channels.
        ijk_to_ras: 4x4 of the working grid.
    """

    array: npt.NDArray[np.float32]
    regions: tuple[str, ...]
    ijk_to_ras: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Result:
    """A segmentation on the grid of the case's reference, to the voxel.

    Args:
        labels: label map, uint8 or uint16, ``[z, y, x]``.
        scheme: what its values mean.
        passport: how it came about.
        notices: warnings that a user must see.
        probabilities: only when the options asked to keep them.
        doubt: where it may be wrong; None when nobody looked.
        boxes: where stages looked that did not see the whole image, in order.
    """

    labels: Volume
    scheme: LabelScheme
    passport: Passport
    notices: tuple[Notice, ...] = ()
    probabilities: Probabilities | None = None
    doubt: Doubt | None = None
    boxes: tuple[StageBox, ...] = ()

    def region_mask(self, name: str) -> npt.NDArray[np.bool_]:
        """Give the voxels of a region, bool, ``[z, y, x]``."""
        return self.scheme.mask(self.labels.array, name)

    def volumes_ml(self) -> dict[str, float]:
        """Give the volume of every region in mL, from voxels (not from a smoothed surface)."""
        voxel_ml = self.labels.grid.voxel_volume_ml
        return {
            region.name: int(np.count_nonzero(self.region_mask(region.name))) * voxel_ml
            for region in self.scheme.regions
        }
