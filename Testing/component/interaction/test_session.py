"""A click repairs what it is about, and nothing else."""

import numpy as np
import pytest

from MedSegAILib.core.correction import REACH_MM, Correction
from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.prompts import BoxPrompt, Click, Lasso, Scribble
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.metrics import evaluate_regions
from MedSegAILib.interaction.session import correct
from Testing.makers.phantoms import TUMOR_CENTER_RAS_MM, centers_ras_mm, oblique_grid
from Testing.makers.wrong_heads import SCHEME, cut_head, probabilities_of

MISSING = (21.0, -7.0, 5.0)  # in the whole tumor, right of the cut


@pytest.fixture(scope="module")
def head():
    return cut_head()


def asked(head, region, *prompts, known=True, locked=()):
    _, cut, images = head
    kept = probabilities_of(cut) if known else None
    answer = correct(Correction(cut, SCHEME, region, prompts, images, locked, kept))
    after = cut.array.copy()
    place = tuple(slice(o, o + n) for o, n in zip(answer.offset_zyx, answer.labels.array.shape, strict=True))
    after[place] = answer.labels.array
    return after, answer


def dice(head, labels, region):
    truth = head[0]
    scores = evaluate_regions(labels, truth.array, SCHEME, truth.grid)
    return next(score.dice for score in scores if score.region == region)


@pytest.mark.parametrize("known", [True, False], ids=["with probabilities", "from labels alone"])
def test_a_click_into_what_is_missing_brings_most_of_it_back(head, known):
    after, answer = asked(head, "WT", Click(MISSING), known=known)
    assert dice(head, after, "WT") > dice(head, head[1].array, "WT") + 0.02
    assert answer.gained_ml["WT"] > 0.1
    assert "WT" not in answer.lost_ml


def test_an_exclude_click_takes_away_and_never_adds(head):
    after, answer = asked(head, "WT", Click(TUMOR_CENTER_RAS_MM, False))
    was, is_now = SCHEME.mask(head[1].array, "WT"), SCHEME.mask(after, "WT")
    assert not (is_now & ~was).any()
    assert answer.lost_ml["WT"] > 0.0


def test_nested_regions_stay_nested_when_the_inner_one_grows(head):
    after, answer = asked(head, "ET", Click(MISSING))
    for inner, outer in (("ET", "TC"), ("TC", "WT")):
        assert not (SCHEME.mask(after, inner) & ~SCHEME.mask(after, outer)).any()
    assert answer.gained_ml["WT"] == pytest.approx(answer.gained_ml["ET"], rel=0.5)


def test_a_locked_region_keeps_every_voxel(head):
    after, answer = asked(head, "ET", Click(MISSING), locked=("WT",))
    assert np.array_equal(SCHEME.mask(after, "WT"), SCHEME.mask(head[1].array, "WT"))
    assert not answer.is_changed, "there is no tumor at the click that could become enhancing"


@pytest.mark.parametrize("region", ["WT", "TC", "ET"])
def test_nothing_changes_farther_than_the_reach(head, region):
    after, _ = asked(head, region, Click(MISSING))
    where = centers_ras_mm(head[1].grid)[after != head[1].array]
    half = np.linalg.norm(head[1].grid.spacing_zyx_mm) / 2
    assert np.linalg.norm(where - MISSING, axis=1).max(initial=0.0) <= REACH_MM + half


def test_the_voxel_of_a_click_has_its_way(head):
    _, cut, _ = head
    for is_include in (True, False):
        spot = MISSING if is_include else (11.0, -7.0, 5.0)
        after, _ = asked(head, "WT", Click(spot, is_include))
        nearest = np.linalg.norm(centers_ras_mm(cut.grid) - spot, axis=-1).argmin()
        assert SCHEME.mask(after, "WT").flat[nearest] == is_include


def test_a_click_on_what_is_right_changes_nothing(head):
    after, answer = asked(head, "WT", Click(TUMOR_CENTER_RAS_MM, True))
    assert not answer.is_changed
    assert np.array_equal(after, head[1].array)
    assert answer.words("WT") == "no change"


def test_what_an_earlier_prompt_said_stands(head):
    first = Click((19.0, -7.0, 5.0), True)
    after, _ = asked(head, "WT", first)
    _, cut, images = head
    later = Correction(Volume(after, cut.grid), SCHEME, "WT", (first, Click((23.0, -7.0, 5.0), False)), images)
    answer = correct(later)
    after[tuple(slice(o, o + n) for o, n in zip(answer.offset_zyx, answer.labels.array.shape, strict=True))] = (
        answer.labels.array
    )
    distances = np.linalg.norm(centers_ras_mm(cut.grid) - first.position_ras_mm, axis=-1)
    assert SCHEME.mask(after, "WT").reshape(-1)[distances.argmin()]


def test_a_scribble_holds_all_its_voxels(head):
    line = ((20.0, -14.0, 6.0), (20.0, -2.0, 6.0))
    after, _ = asked(head, "WT", Scribble(line, True, 1.5))
    centers = centers_ras_mm(head[1].grid)
    on_line = (np.abs(centers[..., 0] - 20) <= 1) & (np.abs(centers[..., 2] - 6) <= 1)
    on_line &= (centers[..., 1] > -13) & (centers[..., 1] < -3)
    assert SCHEME.mask(after, "WT")[on_line].all()


def test_a_lasso_is_taken_to_the_letter_on_its_slice(head):
    square = ((18.0, -12.0, 5.0), (26.0, -12.0, 5.0), (26.0, -4.0, 5.0), (18.0, -4.0, 5.0))
    after, _ = asked(head, "WT", Lasso(square))
    changed = centers_ras_mm(head[1].grid)[after != head[1].array]
    assert len(changed) == 16, "4 x 4 voxels of 2 mm on one slice"
    assert set(changed[:, 2]) == {5.0}


def test_an_excluding_box_empties_itself_and_nothing_else(head):
    after, _ = asked(head, "WT", BoxPrompt(TUMOR_CENTER_RAS_MM, (10.0, 10.0, 10.0), False))
    inside = (np.abs(centers_ras_mm(head[1].grid) - TUMOR_CENTER_RAS_MM) <= 5.0 + 1e-6).all(axis=-1)
    assert not after[inside].any()
    assert np.array_equal(after[~inside], head[1].array[~inside])


def test_a_box_from_nothing_finds_the_tumor_by_its_looks(head):
    _, cut, images = head
    nothing = Volume(np.zeros_like(cut.array), cut.grid)
    answer = correct(Correction(nothing, SCHEME, "WT", (BoxPrompt(TUMOR_CENTER_RAS_MM, (31.0,) * 3),), images))
    after = nothing.array.copy()
    after[tuple(slice(o, o + n) for o, n in zip(answer.offset_zyx, answer.labels.array.shape, strict=True))] = (
        answer.labels.array
    )
    assert dice(head, after, "WT") > 0.85


def test_a_click_means_the_same_on_an_oblique_left_handed_grid():
    head = cut_head(oblique_grid())
    after, _ = asked(head, "WT", Click(MISSING))
    assert dice(head, after, "WT") > dice(head, head[1].array, "WT") + 0.02


def test_a_click_outside_of_the_image_is_refused(head):
    with pytest.raises(InputError) as caught:
        asked(head, "WT", Click((500.0, 0.0, 0.0)))
    assert caught.value.code == "prompt.outside"


@pytest.mark.parametrize(
    ("region", "prompts", "locked", "code"),
    [
        ("WT", (), (), "prompt.none"),
        ("WT", (Click(MISSING),), ("WT",), "prompt.locked"),
        ("XX", (Click(MISSING),), (), "labels.region"),
    ],
)
def test_a_correction_that_cannot_be_meant_is_refused(head, region, prompts, locked, code):
    with pytest.raises(UsageError) as caught:
        asked(head, region, *prompts, locked=locked)
    assert caught.value.code == code
