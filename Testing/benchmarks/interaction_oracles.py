"""What a corrector could do at best that knows the truth: the bounds beside which the figures of ours are read.

None is reachable. "its error" repairs exactly the connected error that was clicked, whole, however far it goes within
the reach of a click; "its side, 10 mm" all that is wrong in the way of the click (lacking, or too much) within 10 mm,
"all, 10 mm" whatever is wrong there.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from MedSegAILib.core.correction import REACH_MM
from MedSegAILib.core.prompts import Click
from MedSegAILib.core.volume import Grid
from MedSegAILib.interaction.prompt_voxels import index_of

ERROR = "oracle: its error"
_RADII_MM = (10, 20, 30)
ORACLES = (
    ERROR,
    *(f"oracle: its side, {radius} mm" for radius in _RADII_MM),
    *(f"oracle: all, {radius} mm" for radius in _RADII_MM),
)


def ask_oracle(name: str, mask: np.ndarray, truth: np.ndarray, click: Click, grid: Grid) -> np.ndarray:
    """Give the region after a click, by one of ``ORACLES``."""
    at = index_of(click.position_ras_mm, grid)
    axes = np.ogrid[tuple(slice(0, count) for count in grid.shape_zyx)]
    squares = sum(((axis - p) * size) ** 2 for axis, p, size in zip(axes, at, grid.spacing_zyx_mm, strict=True))
    wrong = mask != truth
    if "all" not in name:
        wrong &= truth == click.is_include
    if name == ERROR:
        numbers, _ = ndimage.label(wrong)
        wrong &= numbers == numbers[at]
        radius_mm = REACH_MM
    else:
        radius_mm = float(name.split()[-2])
    return mask ^ (wrong & (squares <= radius_mm**2))
