"""Laws of preparation: undo after prepare is the identity on the grid, in every axis order and plane."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import orient, reorientation_to
from MedSegAILib.tasks.boxes import from_space, to_space
from MedSegAILib.tasks.prepare import prepare
from Testing.makers.phantoms import oblique_grid

ORDERS = ("LPS", "RAS", "SPL", "AIR", "ILP", "PRS")
GEOMETRY = (
    (),
    ({"step": "crop_nonzero"},),
    ({"step": "pad", "multiple": [4, 8, 16], "fill": "min"},),
    ({"step": "crop_rough", "rough": {"I_to_S": [0.2, 0.9], "R_to_L": [0.1, 1.0]}}, {"step": "pad", "multiple": 8}),
)
INTENSITY = ({"step": "window_map", "low": 0, "high": 255, "to": [0, 255]},)
orders, planes = st.sampled_from(ORDERS), st.sampled_from(["axial", "coronal", "sagittal"])
shapes = st.tuples(*[st.integers(4, 14)] * 3)


def sides(shape, draws):
    return tuple(
        slice(min(a, b), max(a, b) + 1)
        for a, b in [sorted((d[0] % n, d[1] % n)) for d, n in zip(draws, shape, strict=True)]
    )


@settings(max_examples=60, deadline=None)
@given(
    shapes,
    orders,
    planes,
    st.sampled_from(GEOMETRY),
    st.booleans(),
    st.tuples(*[st.tuples(*[st.integers(0, 99)] * 2)] * 3),
)
def test_undo_after_prepare_gives_every_voxel_that_was_seen(shape, order, plane, steps, is_oblique, draws):
    matrix = oblique_grid().ijk_to_ras if is_oblique else np.diag([-1.0, -1.5, 2.0, 1.0])
    image = np.random.default_rng(sum(shape)).integers(1, 255, shape).astype(np.int16)
    volume = orient(Volume(image, Grid(shape, matrix)), order)
    box = sides(volume.array.shape, draws)
    made = prepare(Case({"CT": volume}), ["CT"], [{"step": "orient", "plane": plane}, *INTENSITY, *steps], box)
    trail = made.trail
    back = trail.place(trail.undo(made.array, trail.box)[0], trail.box)
    seen = np.zeros(volume.array.shape, bool)
    seen[trail.reorientation.undo_box(trail.box, volume.array.shape)] = True
    assert seen.any()
    assert not seen[~_mask(volume.array.shape, box)].any(), "nothing outside of the box is seen"
    assert np.allclose(back[seen], volume.array[seen], atol=1e-3)
    assert not back[~seen].any()
    if not steps:
        assert (seen == _mask(volume.array.shape, box)).all()


def _mask(shape, box):
    mask = np.zeros(shape, bool)
    mask[box] = True
    return mask


@settings(max_examples=40, deadline=None)
@given(orders, st.sampled_from([(0.0, 1.0), (0.2, 0.8)]), st.sampled_from([[4.0, 2.0, 2.0], 3.0]))
def test_the_network_sees_the_same_bits_however_the_case_is_stored(order, shares, spacing):
    rng = np.random.default_rng(5)
    volume = Volume(
        rng.integers(-1000, 400, (14, 15, 16)).astype(np.int16), Grid((14, 15, 16), np.diag([-2.0, -2.5, 3.0, 1.0]))
    )
    steps = [
        {"step": "orient", "axes": "LPS"},
        {"step": "crop_rough", "rough": {"of": "body", "A_to_P": list(shares)}},
        {"step": "resample", "spacing_mm": spacing, "around": "all", "fill": "min"},
        {"step": "zscore"},
    ]
    ours, theirs = (prepare(Case({"CT": v}), ["CT"], steps) for v in (volume, orient(volume, order)))
    assert (ours.array == theirs.array).all()


@settings(max_examples=60, deadline=None)
@given(shapes, orders, st.tuples(*[st.tuples(*[st.integers(0, 99)] * 2)] * 3))
def test_a_box_survives_axis_orders_and_space(shape, order, draws):
    grid = Grid(shape, oblique_grid().ijk_to_ras)
    box = sides(shape, draws)
    move = reorientation_to(grid, order)
    moved = move.box(box, shape)
    assert move.undo_box(moved, shape) == box
    index = np.arange(np.prod(shape)).reshape(shape)
    assert (move.apply(index)[moved] == move.apply(_only(index, box))[moved]).all()
    assert from_space(to_space("a", move.grid(grid), moved), move.grid(grid)) == moved


def _only(index, box):
    kept = np.full(index.shape, -1)
    kept[box] = index[box]
    return kept
