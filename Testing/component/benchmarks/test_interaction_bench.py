"""The simulated reader clicks where the error is, and the rivals take its clicks: else nothing is measured."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.core.prompts import Click
from MedSegAILib.core.volume import Grid
from MedSegAILib.image.metrics import dice
from MedSegAILib.interaction.prompt_voxels import index_of, voxels_of
from Testing.benchmarks.interaction_reader import Reader, truth_box
from Testing.benchmarks.interaction_report import SPEED, table, write_page
from Testing.benchmarks.interaction_rivals import grow_from_seeds, random_walker

GRID = Grid((30, 32, 34), np.diag([-1.0, 1.0, 1.0, 1.0]))


def ball(center, radius):
    axes = np.ogrid[tuple(slice(0, count) for count in GRID.shape_zyx)]
    return sum((axis - at) ** 2 for axis, at in zip(axes, center, strict=True)) <= radius**2


TRUTH = ball((15, 16, 17), 9)
LACKING = TRUTH & ~ball((15, 16, 25), 6)
IMAGE = np.where(TRUTH, 100.0, 20.0).astype(np.float32) + np.random.default_rng(0).normal(0, 3, TRUTH.shape)


@pytest.mark.parametrize("is_human", [False, True])
def test_the_reader_clicks_into_the_error_and_says_what_is_right(is_human):
    click = Reader(is_human, seed=1).next_click(LACKING, TRUTH, GRID)
    assert click.is_include
    assert (TRUTH & ~LACKING)[index_of(click.position_ras_mm, GRID)]
    too_much = TRUTH | ball((5, 5, 5), 3)
    click = Reader(is_human, seed=1).next_click(too_much, TRUTH, GRID)
    assert not click.is_include
    assert (too_much & ~TRUTH)[index_of(click.position_ras_mm, GRID)]


def test_a_reader_with_nothing_to_correct_does_not_click():
    assert Reader().next_click(TRUTH, TRUTH, GRID) is None


def test_the_box_of_the_truth_is_one_voxel_larger():
    held = voxels_of(truth_box(TRUTH, GRID), GRID)
    where, inner = np.argwhere(held), np.argwhere(TRUTH)
    assert (inner.min(axis=0) - where.min(axis=0)).tolist() == [1, 1, 1]
    assert (where.max(axis=0) - inner.max(axis=0)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("rival", [grow_from_seeds, random_walker])
def test_a_rival_repairs_a_clear_image_with_one_click(rival):
    click = Reader().next_click(LACKING, TRUTH, GRID)
    found = rival(IMAGE, LACKING, [click], GRID)
    assert dice(found, TRUTH) > max(0.97, dice(LACKING, TRUTH))
    far = Click((0.0, 2.0, 2.0), False)
    assert not rival(IMAGE, LACKING, [click, far], GRID)[index_of(far.position_ras_mm, GRID)]


def course(way, values, step=0.0):
    return {"study": "a", "region": "WT", "is_held_out": True, "way": way, "dice": values, "other_step": step,
            "seconds": [0.1], "far_voxels": 0}  # fmt: skip


def test_goals_are_judged_from_the_courses():
    told = table(
        "x", [course("MedSegAI", [0.5, 0.6, 0.7, 0.8] + [0.91] * 7, -0.01), course("random walker", [0.5] * 11)]
    )
    assert "+0.300 (goal +0.100): reached" in told
    assert "1 of 1 units" in told
    assert "4.00 against 11.00 (random walker): fewer" in told


def test_a_page_keeps_the_sections_of_what_was_not_measured_again(tmp_path):
    first, later = [course("MedSegAI", [0.5] * 11)], [course("MedSegAI", [0.7] * 11)]
    write_page(tmp_path, {"a": first, "b": first}, {"a": "`first`", "b": "`first`"}, f"### {SPEED}\n\n0.1 s")
    write_page(tmp_path, {"a": [], "b": later}, {"b": "`later`"}, "")
    page = (tmp_path / "interaction.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("### ")] == ["### a", "### b", f"### {SPEED}"]
    assert page.index("`first`") < page.index("| 0.500 |") < page.index("`later`") < page.index("| 0.700 |")
    assert page.endswith("0.1 s\n")
    assert (tmp_path / "interaction.svg").stat().st_size > 1000
