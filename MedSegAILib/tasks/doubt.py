"""Where the result may be wrong: places found on the working grid, ranked by the mL at stake. Ring 3.

Five reasons: passes (members, views, ensembles) vote against each other; a part of a region lies apart from the rest;
two parts hang together by a thin bridge; a region reaches the edge of the image; a region lies where all inputs are 0.
A voxel is listed once a reason, for the outermost region that it concerns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.doubt import Doubt, Place
from MedSegAILib.core.labels import LabelScheme, Region
from MedSegAILib.core.volume import Array, Grid
from MedSegAILib.image.bridges import thin_bridges
from MedSegAILib.image.components import parts_of, smooth, without_holes
from MedSegAILib.image.geometry import reorientation_to
from MedSegAILib.image.resample import resample

# A voxel is contested when at least this share of the passes votes against the others.
CONTESTED_FROM = 0.25
_ROUNDING = 1e-5  # shares are sums of float32
# What is smaller is not worth a look; 0.1 mL is a ball of 6 mm.
SMALLEST_ML = 0.1
# One place is what is seen in one look: contested voxels within this distance of the peak.
REACH_MM = 15.0
# The peak is looked for after a blur of this size, so that it lies where the doubt is thick, not on a lone voxel.
BLUR_MM = 3.0
MOST_PLACES = 50
# A neck of a few millimeters is drawn by chance as often as it is there; what hangs on it must be worth a look.
BRIDGE_MM = 4.0
BRIDGED_ML = 0.5

Indices = npt.NDArray[np.intp]  # [n, 3], (z, y, x)
Test = Callable[[Indices], npt.NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What places are found from; all arrays on one working grid.

    Args:
        grid: of the arrays.
        labels: the decision, ``[z, y, x]``.
        native_grid: of the image, whose edge counts.
        content: bool ``[z, y, x]``: some input is not 0 there; see :func:`content_on`.
        votes: by region, weighted share of the passes that see it, ``[z, y, x]``, 0 to 1; empty with one pass.
        pass_count: looks by a member.
        vote_above: by region of ``votes``, the probability above which a pass votes for it.
    """

    grid: Grid
    labels: Array
    native_grid: Grid
    content: Array
    votes: Mapping[str, Array] = field(default_factory=dict)
    pass_count: int = 1
    vote_above: Mapping[str, float] = field(default_factory=dict)


def find_doubt(evidence: Evidence, scheme: LabelScheme) -> Doubt:
    """Give the places to look at, the most mL at stake first."""
    regions = sorted(scheme.regions, key=lambda region: -len(region.labels))
    masks = {region.name: scheme.mask(evidence.labels, region.name) for region in regions}
    places = [
        *_disagreements(evidence, regions),
        *_islands(evidence, masks),
        *_bridges(evidence, masks),
        *_at_edge(evidence, masks),
        *_outside(evidence, masks),
    ]
    places.sort(key=lambda place: -place.at_stake_ml)
    contested_ml = {
        name: round(int(np.count_nonzero(_against(votes) >= CONTESTED_FROM)) * evidence.grid.voxel_volume_ml, 4)
        for name, votes in evidence.votes.items()
    }
    left_out = max(0, len(places) - MOST_PLACES)
    return Doubt(tuple(places[:MOST_PLACES]), contested_ml, evidence.pass_count, _method(evidence), left_out)


def content_on(grid: Grid, case: Case) -> npt.NDArray[np.bool_]:
    """Give the voxels of a grid that hold any part of what is imaged: some input is not 0, holes filled."""
    canonical = []
    for volume in case.volumes.values():
        move = reorientation_to(volume.grid)
        canonical.append((move.apply(volume.array != 0), move.grid(volume.grid)))
    is_filled = np.logical_or.reduce([filled for filled, _ in canonical])
    shares = resample(is_filled.astype(np.float32), canonical[0][1], grid)
    return without_holes(shares > 0)


def _disagreements(evidence: Evidence, regions: Sequence[Region]) -> list[Place]:
    taken = np.zeros(evidence.labels.shape, dtype=bool)
    z, y, x = (BLUR_MM / size for size in evidence.grid.spacing_zyx_mm)
    places: list[Place] = []
    for region in (region for region in regions if region.name in evidence.votes):
        against = _against(evidence.votes[region.name])
        contested = (against >= CONTESTED_FROM) & ~taken
        taken |= contested
        if not contested.any():
            continue
        thickness = smooth(np.where(contested, against, 0.0), (z, y, x))
        for part in parts_of(contested):
            places.extend(_peaks(evidence.grid, region.name, part, against, thickness))
    return places


def _peaks(grid: Grid, region: str, part: Indices, against: Array, thickness: Array) -> list[Place]:
    """Cut a contested part into looks: the voxels around its peak, then those around the peak of the rest."""
    positions = _positions(grid, part)
    height, share = thickness[tuple(part.T)], against[tuple(part.T)]
    places = []
    is_left = np.ones(len(part), dtype=bool)
    while is_left.sum() * grid.voxel_volume_ml >= SMALLEST_ML:
        peak = int(np.argmax(np.where(is_left, height, -1.0)))
        near = is_left & (np.linalg.norm(positions - positions[peak], axis=1) <= REACH_MM)
        is_left &= ~near
        volume_ml = int(near.sum()) * grid.voxel_volume_ml
        if volume_ml >= SMALLEST_ML:
            places.append(_place(region, "disagreement", positions[peak], volume_ml, float(share[near].mean())))
    return places


def _islands(evidence: Evidence, masks: Mapping[str, Array]) -> list[Place]:
    places = []
    taken = np.zeros(evidence.labels.shape, dtype=bool)
    for name, mask in masks.items():
        for part in parts_of(mask)[1:]:
            is_new = ~taken[tuple(part.T)]
            taken[tuple(part.T)] = True
            if is_new.all():
                places.extend(_whole(evidence.grid, name, "island", part))
    return places


def _bridges(evidence: Evidence, masks: Mapping[str, Array]) -> list[Place]:
    """Find where a part of a region hangs on the rest by little; at stake is the smaller of the two."""
    places: list[Place] = []
    least = BRIDGED_ML / evidence.grid.voxel_volume_ml
    for name, mask in masks.items():
        for where, smaller in thin_bridges(mask, evidence.grid.spacing_zyx_mm, BRIDGE_MM, least):
            positions = _positions(evidence.grid, where)
            middle = positions[int(np.argmin(np.linalg.norm(positions - positions.mean(axis=0), axis=1)))]
            is_known = any(np.linalg.norm(middle - place.position_ras_mm) < REACH_MM / 2.0 for place in places)
            if not is_known:  # an inner region often has the bridge of the outer one
                places.append(_place(name, "thin_bridge", middle, smaller * evidence.grid.voxel_volume_ml, 0.0))
    return places


def _at_edge(evidence: Evidence, masks: Mapping[str, Array]) -> list[Place]:
    """Find where a region reaches the outermost voxels of the image, whose edge may lie inside the working grid."""
    to_native = np.linalg.inv(evidence.native_grid.ijk_to_ras) @ evidence.grid.ijk_to_ras
    half = np.abs(to_native[:3, :3]).sum(axis=1) / 2.0
    last = np.array(evidence.native_grid.shape_zyx[::-1]) - 1.0

    def reaches(where: Indices) -> npt.NDArray[np.bool_]:
        native = where[:, ::-1] @ to_native[:3, :3].T + to_native[:3, 3]
        touches: npt.NDArray[np.bool_] = ((native - half <= 0.0) | (native + half >= last)).any(axis=1)
        return touches

    return _once(evidence, masks, "image_edge", reaches)


def _outside(evidence: Evidence, masks: Mapping[str, Array]) -> list[Place]:
    return _once(evidence, masks, "outside_brain", lambda where: ~evidence.content[tuple(where.T)])


def _once(evidence: Evidence, masks: Mapping[str, Array], reason: str, tells: Test) -> list[Place]:
    """List the connected voxels of a region that pass a test, each voxel for the outermost region only."""
    places = []
    taken = np.zeros(evidence.labels.shape, dtype=bool)
    for name, mask in masks.items():
        where = np.argwhere(mask & ~taken)
        found = where[tells(where)]
        if not len(found):
            continue
        taken[tuple(found.T)] = True
        chosen = np.zeros_like(taken)
        chosen[tuple(found.T)] = True
        for part in parts_of(chosen):
            places.extend(_whole(evidence.grid, name, reason, part))
    return places


def _whole(grid: Grid, region: str, reason: str, part: Indices) -> list[Place]:
    """Give a part as one place, at its voxel nearest to its center; nothing when it is too small to matter."""
    volume_ml = len(part) * grid.voxel_volume_ml
    if volume_ml < SMALLEST_ML:
        return []
    positions = _positions(grid, part)
    nearest = int(np.argmin(np.linalg.norm(positions - positions.mean(axis=0), axis=1)))
    return [_place(region, reason, positions[nearest], volume_ml, 0.0)]


def _place(region: str, reason: str, position: Array, volume_ml: float, share: float) -> Place:
    right, anterior, superior = (round(float(value), 2) for value in position)
    return Place(region, reason, (right, anterior, superior), round(volume_ml, 4), round(share, 4))


def _against(votes: Array) -> Array:
    return np.asarray(np.minimum(votes, 1.0 - votes) + _ROUNDING)


def _positions(grid: Grid, where: Indices) -> npt.NDArray[np.float64]:
    return np.asarray(where[:, ::-1] @ grid.ijk_to_ras[:3, :3].T + grid.ijk_to_ras[:3, 3])


def _method(evidence: Evidence) -> str:
    size = " x ".join(f"{size:.3g}" for size in evidence.grid.spacing_zyx_mm[::-1])
    passes = f"{evidence.pass_count} passes (members, views, ensembles)"
    compared = (
        f"{passes} compared at probability {_levels(evidence.vote_above)}; "
        f"a voxel is contested when at least {CONTESTED_FROM:.0%} of them, by weight, vote against the others"
        if evidence.votes
        else "One pass only, so nothing is known of disagreement"
    )
    return f"{compared}. Places of at least {SMALLEST_ML:g} mL on the working grid of {size} mm."


def _levels(vote_above: Mapping[str, float]) -> str:
    """Give one number where all regions have the same, else one for each."""
    if len(set(vote_above.values())) == 1:
        return f"{next(iter(vote_above.values())):g}"
    return ", ".join(f"{level:g} ({name})" for name, level in vote_above.items())
