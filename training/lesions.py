"""Tumors that look otherwise: cysts, cavities, faint and bright ones, out of those at hand. Beside the library.

Tumors with a large dark cyst were missed even where they had trained, for they are few. Here the inside of a tumor,
from a random depth below its outline, takes a random level of gray.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

DEEPEST = 4  # voxels of the tumor's own look that may stay along its outline
DARK_CHANCE = 0.5  # of a cyst or cavity, which is dark in FLAIR and T1ce
DARK_SHARE = 0.15  # the darkest share of the voxels is as dark as that
TEXTURE = 0.06  # standard deviation inside, as a share of the range of the image
LOOKED_AT = 4096  # voxels that tell the range


def changed_lesion(image: Tensor, target: Tensor, generator: np.random.Generator) -> Tensor:
    """Give the inside of a tumor another look: the same place in every sequence, a level of its own in each.

    Args:
        image: ``[c, z, y, x]``; background 0.
        target: ``[k, z, y, x]``; the tumor is all that any region covers.
        generator: source of chance: depth, strength, levels.

    Returns:
        A new image; with the same values where no tumor voxel lies deep enough.
    """
    depth = int(generator.integers(DEEPEST + 1))
    outside = 1.0 - target.amax(dim=0)[None, None]
    if depth:
        outside = functional.max_pool3d(outside, 2 * depth + 1, stride=1, padding=depth)
    inside = functional.avg_pool3d(1.0 - outside, 3, stride=1, padding=1)[0, 0]  # with a soft edge
    share = float(generator.uniform(0.5, 1.0)) * inside
    highest = DARK_SHARE if generator.random() < DARK_CHANCE else 1.0
    return torch.stack(
        [_with_level(channel, share, float(generator.uniform(0, highest)), generator) for channel in image]
    )


def _with_level(channel: Tensor, share: Tensor, place: float, generator: np.random.Generator) -> Tensor:
    """Mix a channel with the gray that stands at a place (0 darkest, 1 brightest) in its own order of voxels."""
    values: npt.NDArray[np.float32] = channel[channel != 0].numpy()
    if not values.size:
        return channel
    low, level, high = np.quantile(values[:: max(1, values.size // LOOKED_AT)], [0.05, place, 0.95])
    texture = torch.from_numpy(generator.standard_normal(tuple(channel.shape), dtype=np.float32))
    look = float(level) + TEXTURE * float(high - low) * texture
    return torch.where(channel != 0, channel + share * (look - channel), channel)
