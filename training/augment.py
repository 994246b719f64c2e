"""Training crops: where they lie, how they are bent, and how their intensities are changed.

Image and target move together; only the image changes its intensities. Every draw comes from the generator that is
given, so a step can be repeated to the bit. Arrays are [c, z, y, x]. Beside the library (training).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .cache import Sample
from .lesions import changed_lesion
from .recipes.recipe import Augmentation, PublishedChanges, Recipe
from .tasks import find_task

Size = tuple[int, int, int]
AFFINE_MARGIN = 1.3  # a box this much larger than the crop still fills it after turning by 15 degrees, but corners


def draw_crop(sample: Sample, size: Size, recipe: Recipe, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw one augmented crop of a sample.

    Args:
        sample: prepared study.
        size: of the crop, (z, y, x) voxels; beyond the study's edge there are zeros.
        recipe: gives the share of crops around a region, the strengths, and the task with its inputs.
        generator: source of chance.

    Returns:
        Image ``[c, z, y, x]`` float32, channels by the task's roles, absent or dropped ones 0; target
        ``[k, z, y, x]`` float32, 0 or 1.
    """
    options, every_role = recipe.augmentation, find_task(recipe.task).roles
    start = choose_start(sample, size, recipe.tumor_chance, generator)
    if generator.random() < options.affine_chance:
        image, target = _bent(sample, start, size, options, generator)
    else:
        image = torch.from_numpy(_cut(sample.image, start, size).astype(np.float32))
        target = torch.from_numpy(_cut(sample.target, start, size).astype(np.float32))
    axes = [axis + 1 for axis in range(3) if generator.random() < options.flip_chances_zyx[axis]]
    if axes:
        image, target = image.flip(axes), target.flip(axes)
    if options.lesion_chance and not all(sample.known) and generator.random() < options.lesion_chance:
        image = changed_lesion(image, target, generator)
    kept = keep_roles(sample.roles, options.drop_chance, generator)
    whole = torch.zeros((len(every_role), *size))
    for role, channel in zip(sample.roles, image, strict=True):
        if role in kept:
            is_ours = options.published is None
            whole[every_role.index(role)] = vary_intensity(channel, options, generator) if is_ours else channel
    if options.published is not None:
        whole = published_changes(whole, options.published, generator)
    return whole, target


def published_changes(image: Tensor, options: PublishedChanges, generator: np.random.Generator) -> Tensor:
    """Change ``[c, z, y, x]`` as a paper does; what is drawn in each call depends on the chances alone.

    Source: design page "brats2020", sections 4 and 7: independent chances, one factor a channel.
    """
    changed = image.clone()
    for channel in changed:
        if generator.random() < options.rescale_chance:
            channel *= float(generator.uniform(1.0 - options.rescale, 1.0 + options.rescale))
        if generator.random() < options.shift_chance:
            channel += float(generator.uniform(-options.shift, options.shift))
    if generator.random() < options.noise_chance:
        noise = generator.standard_normal(tuple(changed.shape), dtype=np.float32)
        changed += options.noise * torch.from_numpy(noise)
    if generator.random() < options.blank_chance:
        changed[int(generator.integers(len(changed)))] = 0.0
    return changed


def choose_start(sample: Sample, size: Size, tumor_chance: float, generator: np.random.Generator) -> Size:
    """Choose the first voxel of a crop: around a voxel of a random known region, or anywhere."""
    shape = sample.target.shape[1:]
    regions = [mask for mask, known in zip(sample.target, sample.known, strict=True) if known and mask.any()]
    if regions and generator.random() < tumor_chance:
        inside = np.flatnonzero(regions[int(generator.integers(len(regions)))])
        voxel = np.unravel_index(int(inside[generator.integers(len(inside))]), shape)
        first = [
            int(middle) - count // 2 + int(generator.integers(-count // 4, count // 4 + 1))
            for middle, count in zip(voxel, size, strict=True)
        ]
    else:
        first = [
            int(generator.integers(min(0, have - count), max(0, have - count) + 1))
            for have, count in zip(shape, size, strict=True)
        ]
    bounds = [sorted((0, have - count)) for have, count in zip(shape, size, strict=True)]
    start = [min(max(value, low), high) for value, (low, high) in zip(first, bounds, strict=True)]
    return start[0], start[1], start[2]


def keep_roles(roles: tuple[str, ...], drop_chance: float, generator: np.random.Generator) -> tuple[str, ...]:
    """Choose which sequences of a study are shown; FLAIR and T1ce are never both hidden.

    The subsets that the package names (T1ce with FLAIR, FLAIR alone) come up most.
    """
    if len(roles) < 2 or generator.random() >= drop_chance:
        return roles
    if len(roles) == 2:
        return (roles[0],) if generator.random() < 0.15 else (roles[1],)
    choice = generator.random()
    if choice < 0.4:
        return ("T1ce", "FLAIR")
    if choice < 0.65:
        return ("FLAIR",)
    lost = {roles[i] for i in generator.choice(len(roles), size=int(generator.integers(1, 3)), replace=False)}
    if {"T1ce", "FLAIR"} <= lost:
        lost.remove("FLAIR")
    return tuple(role for role in roles if role not in lost)


def vary_intensity(channel: Tensor, options: Augmentation, generator: np.random.Generator) -> Tensor:
    """Change one channel ``[z, y, x]`` as scanners differ: contrast, uneven coil, slice thickness, noise.

    Zeros stay zeros where the background is exactly 0, so a stripped brain keeps its outline.
    """
    inside = channel != 0
    channel = (channel - options.lowest) / (options.highest - options.lowest)
    gamma = float(np.exp(generator.uniform(-options.gamma, options.gamma)))
    gain = float(np.exp(generator.uniform(-options.gain, options.gain)))
    changed = channel.clamp(min=0.0).pow(gamma) * gain
    if generator.random() < options.bias_chance:
        lattice = generator.uniform(-options.bias_size, options.bias_size, (1, 1, 3, 3, 3)).astype(np.float32)
        coil = functional.interpolate(
            torch.from_numpy(lattice), size=channel.shape, mode="trilinear", align_corners=True
        )
        changed = changed * coil[0, 0].exp()
    if generator.random() < options.blur_chance:
        width = float(generator.uniform(0.5, options.blur_voxels))
        changed = blur(changed, int(generator.integers(3)), width)
    if generator.random() < options.noise_chance:
        spread = float(generator.uniform(0.0, options.noise_size))
        noise = generator.standard_normal(tuple(channel.shape), dtype=np.float32)
        changed = changed + spread * torch.from_numpy(noise)
    changed = options.lowest + changed.clamp(0.0, 1.0) * (options.highest - options.lowest)
    return changed * inside


def blur(channel: Tensor, axis: int, sigma_voxels: float) -> Tensor:
    """Smooth ``[z, y, x]`` along one axis by a Gaussian of five voxels, as thick slices do."""
    taps = torch.exp(-0.5 * (torch.arange(-2.0, 3.0) / sigma_voxels) ** 2)
    shape = [1, 1, 1]
    shape[axis] = 5
    padding = [0, 0, 0]
    padding[axis] = 2
    kernel = (taps / taps.sum()).reshape(1, 1, *shape)
    return functional.conv3d(channel[None, None], kernel, padding=tuple(padding))[0, 0]


def random_affine(options: Augmentation, generator: np.random.Generator) -> Tensor:
    """Draw a rotation about all three axes times a scaling, 3 x 3, acting on (x, y, z)."""
    matrix = np.eye(3)
    for axis in range(3):
        angle = np.radians(generator.uniform(-options.rotation_degrees, options.rotation_degrees))
        turn = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    scale = generator.uniform(1.0 - options.scaling, 1.0 + options.scaling) * np.ones(3)
    scale *= generator.uniform(1.0 - options.scaling / 2, 1.0 + options.scaling / 2, 3)
    return torch.from_numpy((matrix * scale).astype(np.float32))


def _bent(
    sample: Sample, start: Size, size: Size, options: Augmentation, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    box = [int(np.ceil(count * AFFINE_MARGIN / 2.0)) * 2 for count in size]
    box_size = (box[0], box[1], box[2])
    first = [begin - (large - count) // 2 for begin, large, count in zip(start, box, size, strict=True)]
    box_start = (first[0], first[1], first[2])
    stacked = np.concatenate(
        [_cut(sample.image, box_start, box_size), _cut(sample.target, box_start, box_size)]
    ).astype(np.float32)
    # Normalized coordinates run from -1 to 1 over the box; half lengths turn them into voxels and back.
    half = torch.tensor(box_size[::-1], dtype=torch.float32) / 2.0
    reach = torch.tensor(size[::-1], dtype=torch.float32) / 2.0
    theta = torch.zeros((1, 3, 4))
    theta[0, :, :3] = random_affine(options, generator) * reach[None, :] / half[:, None]
    places = functional.affine_grid(theta, [1, 1, *size], align_corners=False)
    moved = functional.grid_sample(torch.from_numpy(stacked)[None], places, align_corners=False)[0]
    channels = sample.image.shape[0]
    return moved[:channels], (moved[channels:] >= 0.5).float()


def _cut(array: np.ndarray, start: Size, size: Size) -> np.ndarray:
    """Cut ``[c, z, y, x]`` from ``start``; what lies outside is 0."""
    cut = np.zeros((array.shape[0], *size), dtype=array.dtype)
    source, goal = [slice(None)], [slice(None)]
    for begin, count, have in zip(start, size, array.shape[1:], strict=True):
        low, high = max(begin, 0), min(begin + count, have)
        source.append(slice(low, max(low, high)))
        goal.append(slice(low - begin, max(low, high) - begin))
    cut[tuple(goal)] = array[tuple(source)]
    return cut
