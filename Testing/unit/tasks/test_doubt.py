"""Places in doubt: found where they were put, ranked by mL, in RAS mm on any grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAILib.core.doubt import REASONS, Doubt
from MedSegAILib.core.volume import Grid
from MedSegAILib.tasks.doubt import MOST_PLACES, REACH_MM, SMALLEST_ML, Evidence, content_on, find_doubt
from MedSegAILib.tasks.stage import threshold_of
from Testing.makers.phantoms import aligned_grid, centers_ras_mm, make_case, make_labels, oblique_grid
from Testing.makers.results import SCHEME

GRIDS = [aligned_grid(), oblique_grid()]


def ball(grid, center_mm, radius_mm):
    return np.linalg.norm(centers_ras_mm(grid) - np.array(center_mm), axis=-1) <= radius_mm


def evidence(grid, **more):
    labels = make_labels(grid).array
    return Evidence(grid, labels, grid, np.ones(grid.shape_zyx, bool), **more)


def with_labels(found, value, *masks):
    labels = found.labels.copy()
    for mask in masks:
        labels[mask] = value
    return replace(found, labels=labels)


def votes_of(grid, *balls):
    """All passes agree on the labels, but for balls in which a share of them votes for a region."""
    labels = make_labels(grid).array
    votes = {region.name: SCHEME.mask(labels, region.name).astype(np.float32) for region in SCHEME.regions}
    for region, center_mm, radius_mm, share in balls:
        votes[region][ball(grid, center_mm, radius_mm)] = share
    return {"votes": votes, "pass_count": 8, "vote_above": dict.fromkeys(votes, 0.5)}


@pytest.mark.parametrize("grid", GRIDS, ids=["aligned", "oblique left-handed"])
def test_disagreement_is_found_where_it_is_with_its_volume(grid):
    at, radius_mm = (-14.0, 12.0, -4.0), 7.0
    doubt = find_doubt(evidence(grid, **votes_of(grid, ("WT", at, radius_mm, 0.375))), SCHEME)
    (place,) = doubt.places
    voxels = np.count_nonzero(ball(grid, at, radius_mm))
    assert (place.region, place.reason) == ("WT", "disagreement")
    assert place.at_stake_ml == pytest.approx(voxels * grid.voxel_volume_ml, rel=1e-4)
    assert place.share_against == pytest.approx(0.375, abs=1e-4)
    assert np.linalg.norm(np.subtract(place.position_ras_mm, at)) <= max(grid.spacing_zyx_mm)
    assert doubt.contested_ml == {"WT": place.at_stake_ml, "TC": 0.0, "ET": 0.0}
    assert "8 passes (members, views, ensembles) compared at probability 0.5;" in doubt.method


def test_regions_that_begin_at_other_probabilities_are_compared_there_and_it_is_said():
    more = votes_of(aligned_grid())
    levels = {"WT": 0.5, "TC": 0.6, "ET": 0.5}
    assert threshold_of(({"step": "threshold", "above": levels},), "TC") == 0.6
    assert threshold_of(({"step": "threshold", "above": 0.4},), "TC") == 0.4
    assert threshold_of(({"step": "argmax"},), "TC") == 0.5
    for broken in ({}, {"above": "high"}, {"above": {"TC": "high"}}, {"above": {"WT": 0.4}}):
        assert threshold_of(({"step": "threshold", **broken},), "TC") == 0.5  # the decision refuses it, by name
    doubt = find_doubt(evidence(aligned_grid(), **{**more, "vote_above": levels}), SCHEME)
    assert "compared at probability 0.5 (WT), 0.6 (TC), 0.5 (ET);" in doubt.method


@pytest.mark.parametrize(
    ("share", "is_listed"), [(0.24, False), (0.25, True), (0.75, True), (0.76, False), (1.0, False)]
)
def test_a_quarter_of_the_passes_against_the_others_is_contested(share, is_listed):
    grid = aligned_grid()
    doubt = find_doubt(evidence(grid, **votes_of(grid, ("WT", (-20, 20, 0), 6.0, share))), SCHEME)
    assert bool(doubt.places) is is_listed


def test_places_are_ranked_by_the_volume_at_stake():
    grid = aligned_grid()
    balls = [("WT", (-20, 20, 0), 4.0, 0.5), ("ET", (20, 24, -20), 8.0, 0.5), ("TC", (-20, -20, 20), 6.0, 0.5)]
    places = find_doubt(evidence(grid, **votes_of(grid, *balls)), SCHEME).places
    assert [place.region for place in places] == ["ET", "TC", "WT"]
    assert [place.at_stake_ml for place in places] == sorted((p.at_stake_ml for p in places), reverse=True)


def test_same_voxels_in_doubt_for_nested_regions_are_listed_once_for_the_outermost():
    grid = aligned_grid()
    balls = [(region, (-20, 20, 0), 6.0, 0.5) for region in ("WT", "TC", "ET")]
    doubt = find_doubt(evidence(grid, **votes_of(grid, *balls)), SCHEME)
    assert [place.region for place in doubt.places] == ["WT"]
    assert doubt.contested_ml["ET"] == doubt.contested_ml["WT"] > 0


def test_a_long_seam_of_doubt_becomes_several_looks():
    grid = aligned_grid()
    found = evidence(grid, **votes_of(grid))
    found.votes["WT"][18:22, 4:7, 2:38] = 0.5  # 72 mm long
    places = find_doubt(found, SCHEME).places
    assert len(places) >= 2
    for one in places:
        assert all(
            other is one or np.linalg.norm(np.subtract(one.position_ras_mm, other.position_ras_mm)) > REACH_MM
            for other in places
        )
    total_ml = 4 * 3 * 36 * grid.voxel_volume_ml
    assert sum(place.at_stake_ml for place in places) == pytest.approx(total_ml, abs=len(places) * SMALLEST_ML)


def test_a_single_pass_knows_of_no_disagreement_and_says_so():
    doubt = find_doubt(evidence(aligned_grid()), SCHEME)
    assert (doubt.places, doubt.contested_ml, doubt.pass_count) == ((), {}, 1)
    assert "One pass only" in doubt.method


def test_a_part_apart_from_the_rest_is_an_island():
    grid = aligned_grid()
    island = ball(grid, (-22, 20, 10), 5.0)
    (place,) = find_doubt(with_labels(evidence(grid), 4, island), SCHEME).places
    assert (place.region, place.reason, place.share_against) == ("WT", "island", 0.0)
    assert place.at_stake_ml == pytest.approx(np.count_nonzero(island) * grid.voxel_volume_ml)
    assert island[tuple(np.argwhere((centers_ras_mm(grid) == place.position_ras_mm).all(axis=-1))[0])]


def test_two_parts_that_hang_together_by_little_are_a_thin_bridge():
    grid = aligned_grid()
    lobe = ball(grid, (-24, 20, 10), 8.0)
    thread = np.zeros(grid.shape_zyx, bool)
    nodes = np.linspace((-24, 20, 10), (0.0, 0.0, 0.0), 60)
    for node in nodes:
        thread |= ball(grid, node, 1.5)
    found = find_doubt(with_labels(evidence(grid), 2, lobe, thread & (evidence(grid).labels == 0)), SCHEME)
    (place,) = found.places
    assert (place.region, place.reason) == ("WT", "thin_bridge")
    assert place.at_stake_ml == pytest.approx(np.count_nonzero(lobe) * grid.voxel_volume_ml, rel=0.25)


def test_an_island_of_a_nested_region_within_the_outer_one_is_its_own():
    grid = aligned_grid()
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[ball(grid, (0, 0, 0), 24.0)] = 2
    labels[ball(grid, (10, 0, 0), 6.0)] = 4
    labels[ball(grid, (-14, 0, 0), 4.0)] = 4
    (place,) = find_doubt(replace(evidence(grid), labels=labels), SCHEME).places
    assert (place.region, place.reason) == ("TC", "island")
    assert np.linalg.norm(np.subtract(place.position_ras_mm, (-14, 0, 0))) < 2


def test_specks_are_no_places():
    grid = aligned_grid()
    speck = ball(grid, (-23, 21, 11), 1.5)
    assert 0 < np.count_nonzero(speck) * grid.voxel_volume_ml < SMALLEST_ML
    assert find_doubt(with_labels(evidence(grid), 2, speck), SCHEME).places == ()


@pytest.mark.parametrize("shift_voxels", [0, 10])
def test_region_at_the_edge_of_the_image_is_named_also_inside_a_larger_working_grid(shift_voxels):
    grid = aligned_grid()
    matrix = grid.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ np.full(3, float(shift_voxels))
    native = Grid((40 - 2 * shift_voxels,) * 3, matrix)
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[20:26, 20:26, shift_voxels : shift_voxels + 6] = 2
    found = replace(evidence(grid), labels=labels, native_grid=native)
    (place,) = find_doubt(found, SCHEME).places
    assert (place.region, place.reason) == ("WT", "image_edge")
    assert place.at_stake_ml == pytest.approx(36 * grid.voxel_volume_ml)
    inner = np.roll(labels, 1, axis=2)
    assert find_doubt(replace(found, labels=inner), SCHEME).places == ()


@pytest.mark.parametrize("grid", GRIDS, ids=["aligned", "oblique left-handed"])
def test_region_outside_the_stripped_brain_is_named(grid):
    case = make_case(grid)
    content = content_on(aligned_grid(), case)
    assert content[20, 20, 20]
    assert not content[1, 1, 1]
    if grid is GRIDS[0]:
        np.testing.assert_array_equal(content, np.logical_or.reduce([v.array != 0 for v in case.volumes.values()]))
    # The brain's half axis to the left is 28 mm: most of this ball lies beyond.
    beyond = ball(aligned_grid(), (-33, 0, 0), 4.5)
    found = with_labels(replace(evidence(aligned_grid()), content=content), 2, beyond)
    reasons = {place.reason for place in find_doubt(found, SCHEME).places}
    assert "outside_brain" in reasons


def test_holes_in_the_brain_are_not_outside():
    case = make_case()
    for volume in case.volumes.values():
        volume.array[18:23, 18:23, 18:23] = 0
    assert content_on(aligned_grid(), case)[20, 20, 20]


def test_the_list_is_cut_and_says_by_how_much():
    grid = aligned_grid(size=64)
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[2:6, 2:6, 2:6] = 2
    for index in range(MOST_PLACES + 7):
        z, y, x = 10 + 6 * (index // 64), 4 + 7 * (index // 8 % 8), 4 + 7 * (index % 8)
        labels[z : z + 3, y : y + 3, x : x + 3] = 2
    doubt = find_doubt(Evidence(grid, labels, grid, np.ones(grid.shape_zyx, bool)), SCHEME)
    assert len(doubt.places) == MOST_PLACES
    assert doubt.left_out == 7


def test_doubt_survives_json_and_every_reason_has_words():
    grid = aligned_grid()
    doubt = find_doubt(evidence(grid, **votes_of(grid, ("WT", (-20, 20, 0), 6.0, 0.5))), SCHEME)
    assert Doubt.from_json(doubt.to_json()) == doubt
    assert all(place.words == REASONS[place.reason] for place in doubt.places)
