"""A flat border between two labels moves as a whole: to the prompt, which lies behind it. Ring 4 (interaction).

Where somebody cut a structure in two (the head of the hippocampus from its body, a segment from the next), the cut is a
plane, mostly along the slices that it was drawn on, and one voxel behind it tells where all of it should be. The sheet
is the mean of the faces between the voxels of both labels around the prompt: their summed normals give its direction
(those of a staircase sum up to its slope), their middle its place. How far they lie from it, and how much they face one
way, tells whether it is a plane at all. A border to the background never counts as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from MedSegAILib.image.components import parts_with

from .appearance import looks_like
from .depth import Floats, Mask, Spacing
from .energy import halves
from .local import Local, Taken

ROUGHEST = 0.75  # of a flat sheet, in voxels: root of the mean square of its faces' distances from it
LEAST_COHERENCE = 0.6  # of the directions of its faces, 0 to 1
SMALLEST_FACES = 16.0
SLICED = 0.85  # a normal is taken to be an axis of the voxels when its part along it is at least this
ROUNDING = 0.25  # of a voxel
FARTHEST_MM = 6.0  # from the sheet to the prompt; a plane that far off is not off by a bit
HELD_MM = 3.0  # behind a cut that nothing was said about
LOOK_MM = 4.0  # around a prompt, of what both sides look like
CLEARLY, MOST_OF_LOOK = 0.69, 4.0  # log-odds: twice as likely; at most
AROUND_MM = 18.0  # of the prompt; nothing changes farther away


@dataclass(frozen=True, eq=False)
class Sheet:
    """A plane through a border.

    Args:
        ahead_mm: how far each voxel lies behind it, on the side of the prompt, ``[z, y, x]``.
        roughness_mm: how far its faces lie from it (root of the mean square).
        coherence: how much their directions are one, 0 to 1.
        face_count: of the border.
    """

    ahead_mm: Floats
    roughness_mm: float
    coherence: float
    face_count: int


@dataclass(frozen=True, eq=False)
class _Faces:
    """Between two sets of voxels: middles in mm, ways to the first set as ``axis + 1`` with a sign."""

    places: npt.NDArray[np.float64]
    ways: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cuts:
    """What a prompt says about the flat borders around it.

    Args:
        taken: the voxels between a flat border and the prompt behind it, and whose they are; None where there are none.
        held: voxels right behind the other ones, which the prompt says nothing about, bool ``[z, y, x]``.
    """

    taken: Taken | None
    held: Mask


def cuts_around(local: Local) -> Cuts:
    """Give the flat borders around a prompt: a cut moves as a whole or not at all.

    Args:
        local: the region.
    """
    around = local.distance_mm <= AROUND_MM
    seeds, right = local.prompt & local.free, around & (local.mask if local.is_include else ~local.mask)
    taken, held = None, np.zeros(seeds.shape, dtype=bool)
    if not seeds.any() or not right.any():
        return Cuts(None, held)
    spacing, own = local.evidence.grid.spacing_zyx_mm, int(local.labels[seeds][0])
    beyond = _across(local, seeds, right)
    for value in np.unique(local.labels[around & local.free & (local.labels > 0)]):
        here = around & local.free & (local.labels == value)
        for across in np.unique(local.labels[right & (local.labels > 0)]):
            sheet = sheet_between(here, right & (local.labels == across), spacing)
            if sheet is None or not _is_flat(sheet, min(spacing)):
                continue
            held |= here & (sheet.ahead_mm > 0.0) & (sheet.ahead_mm <= HELD_MM)
            reach_mm = float(sheet.ahead_mm[seeds].max())
            if value == own and across == beyond and 0.0 < reach_mm <= FARTHEST_MM:
                between = here & (sheet.ahead_mm <= reach_mm + ROUNDING * min(spacing))
                # An earlier prompt between the border and this one says that the border is no whole.
                taken = None if (between & local.fixed).any() else Taken(parts_with(between, seeds), int(across))
    return Cuts(taken, held & ~seeds)


def _across(local: Local, seeds: Mask, right: Mask) -> int:
    """Give the label on the other side of the border that a prompt lies behind: the nearest one.

    The surface of a thin structure is about as near as a cut through it. Where the background is as near, the prompt is
    about the cut when what it lies in looks like that label rather than like the background around; there, and where
    the background is nearer by one voxel at most, also when the run finds that label likelier and the look does not
    object. A cut that is moved wrongly costs two regions, one that stays costs a click: where nothing tells, it stays.
    """
    distances = np.where(right, local.distance_mm, np.inf)
    labeled = np.where(local.labels > 0, distances, np.inf)
    other = int(local.labels.flat[int(np.argmin(labeled))])
    ahead_mm = float(labeled.min()) - float(np.where(local.labels > 0, np.inf, distances).min())
    if ahead_mm < 0.0:
        return other
    if ahead_mm > max(local.evidence.grid.spacing_zyx_mm):
        return 0
    near = np.exp(np.square(local.distance_mm / np.float32(LOOK_MM)) / np.float32(-2.0)) * ~seeds
    looks = looks_like(local.evidence.images, near * (local.labels == other), near * (local.labels == 0), MOST_OF_LOOK)
    look = float(looks[seeds].mean())
    scores = local.evidence.scores[:, seeds].mean(axis=1)
    is_likelier = local.evidence.is_from_run and bool(scores[local.evidence.values.index(other)] > scores[0])
    is_alike = ahead_mm <= 0.0 and look > CLEARLY
    return other if is_alike or (is_likelier and look > -CLEARLY) else 0


def sheet_between(wrong: Mask, right: Mask, spacing_zyx_mm: Spacing) -> Sheet | None:
    """Give the sheet between two sets of voxels, None where they do not touch.

    Args:
        wrong: voxels that a prompt is among, ``[z, y, x]``.
        right: voxels across the border.
        spacing_zyx_mm: of the voxels.
    """
    faces = _faces(wrong, right, spacing_zyx_mm)
    areas = np.abs(faces.ways) @ (np.prod(spacing_zyx_mm) / np.array(spacing_zyx_mm))
    direction = (faces.ways * np.prod(spacing_zyx_mm) / np.array(spacing_zyx_mm)).sum(axis=0)
    length = float(np.linalg.norm(direction))
    if not len(areas) or length <= 0.0:
        return None
    normal = direction / length
    axis = int(np.argmax(np.abs(normal)))
    if abs(normal[axis]) >= SLICED:
        normal = np.sign(normal[axis]) * np.eye(3)[axis]
    heights = faces.places @ normal
    middle = float(np.median(heights))
    ahead = np.full(wrong.shape, -middle, dtype=np.float32)
    for steps, size, part in zip(np.ogrid[tuple(map(slice, wrong.shape))], spacing_zyx_mm, normal, strict=True):
        ahead += (steps * (size * part)).astype(np.float32)
    rough = float(np.sqrt(np.average(np.square(heights - middle), weights=areas)))
    return Sheet(ahead, rough, length / float(areas.sum()), len(areas))


def _faces(wrong: Mask, right: Mask, spacing_zyx_mm: Spacing) -> _Faces:
    places, ways = [np.zeros((0, 3))], [np.zeros((0, 3))]
    for axis in range(3):
        low, high = halves(axis)
        for where, sign in ((wrong[low] & right[high], -1.0), (wrong[high] & right[low], 1.0)):
            found = np.argwhere(where).astype(np.float64)
            found[:, axis] += 0.5
            places.append(found * spacing_zyx_mm)
            ways.append(np.tile(sign * np.eye(3)[axis], (len(found), 1)))
    return _Faces(np.concatenate(places), np.concatenate(ways))


def _is_flat(sheet: Sheet, voxel_mm: float) -> bool:
    return (
        sheet.roughness_mm <= ROUGHEST * voxel_mm
        and sheet.coherence >= LEAST_COHERENCE
        and sheet.face_count >= SMALLEST_FACES
    )
