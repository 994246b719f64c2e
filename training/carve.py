"""A tumor of one study carved into the brain of another: new pairs of brain and tumor out of few. Beside the library.

Source of the idea: Zhang et al., CarveMix (MICCAI 2021), who paste a lesion with a margin of random width. Here the
tumor may also change sides, move a little, and lie beside the one that is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.image.geometry import Box, grown_box, nonzero_box

from .cache import Sample

Mask = npt.NDArray[np.bool_]

WIDEST_MARGIN = 4  # voxels of healthy tissue that may come along
JITTER = 6  # voxels by which a tumor may leave its place, along each axis
ENOUGH = 0.6  # of a carved tumor must land inside the brain


def donors_for(sample: Sample, samples: Sequence[Sample]) -> list[Sample]:
    """Give the studies whose tumor may come into a sample.

    Both are of people, not phantoms, and drawn in the same regions; where these are not all, they are of one set. The
    donor has every sequence of the sample; where the core is drawn these are several: with FLAIR alone the core is a
    guess on any brain.
    """
    if sample.set_name == "phantom" or (all(sample.known) and len(sample.roles) < 2):
        return []
    return [donor for donor in samples if donor is not sample and _fits(donor, sample)]


def _fits(donor: Sample, sample: Sample) -> bool:
    return (
        donor.set_name != "phantom"
        and donor.known == sample.known
        and (all(sample.known) or donor.set_name == sample.set_name)
        and set(sample.roles) <= set(donor.roles)
        and bool(donor.target.any())
    )


def carve(sample: Sample, donor: Sample, generator: np.random.Generator) -> Sample:
    """Put the donor's tumor, with a margin, into the sample's brain.

    Args:
        sample: receives; unchanged itself. Background is where the last sequence is exactly 0.
        donor: gives; has at least the sequences of the sample.
        generator: source of chance: margin, side, and place.

    Returns:
        A study of the same shape; the sample itself where too little of the tumor would lie inside its brain.
    """
    tumor: Mask = donor.target.max(axis=0) > 0
    box = grown_box(nonzero_box([tumor]), (WIDEST_MARGIN,) * 3, tumor.shape)
    cut = (slice(None), *box)
    image = donor.image[cut][[donor.roles.index(role) for role in sample.roles]]
    target = donor.target[cut]
    carved: Mask = _with_margin(tumor[box], int(generator.integers(WIDEST_MARGIN + 1))) & (image[-1] != 0)
    middle = _center(box) - _middle(donor.image[-1])
    if generator.random() < 0.5:
        image, target, carved = image[..., ::-1], target[..., ::-1], carved[..., ::-1]
        middle[2] = -middle[2]
    place = _middle(sample.image[-1]) + middle + generator.integers(-JITTER, JITTER + 1, 3)
    start = np.round(place - (np.array(carved.shape) - 1) / 2.0).astype(int)
    inner, outer = _overlap(start, carved.shape, sample.target.shape[1:])
    brain: Mask = sample.image[-1] != 0
    lands = carved[inner] & brain[outer]
    if lands.sum() < ENOUGH * carved.sum():
        return sample
    give, take = (slice(None), *inner), (slice(None), *outer)
    new_image, new_target = sample.image.copy(), sample.target.copy()
    new_image[take][:, lands] = image[give][:, lands]
    new_target[take][:, lands] = target[give][:, lands]
    return Sample(sample.set_name, sample.name, new_image, new_target, sample.roles, sample.known)


def _with_margin(tumor: Mask, voxels: int) -> Mask:
    return ndimage.binary_dilation(tumor, iterations=voxels) if voxels else tumor.copy()


def _middle(image: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    """Give the middle of what is not background, in voxels; of the whole image where there is none."""
    return _center(nonzero_box([image]))


def _center(box: Box) -> npt.NDArray[np.float64]:
    return np.array([(part.start + part.stop - 1) / 2.0 for part in box])


def _overlap(
    start: npt.NDArray[np.int_], shape: Sequence[int], have: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Give the part of a piece that lies inside, in its own voxels and in those of the whole."""
    low = np.clip(start, 0, have)
    high = np.maximum(low, np.clip(start + shape, 0, have))
    inner = tuple(slice(int(a), int(b)) for a, b in zip(low - start, high - start, strict=True))
    return inner, tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
