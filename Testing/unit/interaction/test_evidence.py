"""What is known around a prompt: the same from a part of the run as from all of it, and what is told outweighs it."""

import numpy as np
import pytest

from MedSegAILib.core.correction import Correction
from MedSegAILib.core.prompts import BoxPrompt, Click
from MedSegAILib.core.result import Probabilities
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.resample import resample
from MedSegAILib.interaction.evidence import gather
from MedSegAILib.interaction.local import Answer
from MedSegAILib.interaction.session import correct
from Testing.makers.phantoms import TUMOR_CENTER_RAS_MM
from Testing.makers.wrong_heads import SCHEME, cut_head, probabilities_of

LABELS = Volume(np.zeros((40, 44, 48), np.uint8), Grid((40, 44, 48), np.diag([1.0, 1.0, 1.5, 1.0])))


def run_on(spacing_mm, turn_degrees, start_mm):
    """Give random probabilities on a grid of its own."""
    angle = np.radians(turn_degrees)
    matrix = np.diag([*[spacing_mm] * 3, 1.0])
    matrix[:2, :2] = spacing_mm * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix[:3, 3] = start_mm
    array = np.random.default_rng(0).random((3, 30, 32, 34), dtype=np.float32)
    return Probabilities(array, ("ET", "TC", "WT"), matrix)


@pytest.mark.parametrize(
    ("spacing_mm", "turn_degrees", "start_mm"),
    [(2.0, 0.0, -4.0), (0.5, 0.0, 3.0), (1.0, 0.0, 0.0), (2.0, 20.0, -6.0), (2.0, 0.0, 500.0)],
    ids=["coarse", "fine, ends within", "equal", "turned", "elsewhere"],
)
def test_odds_come_from_the_part_of_the_run_that_is_near_and_are_those_of_all_of_it(spacing_mm, turn_degrees, start_mm):
    known = run_on(spacing_mm, turn_degrees, start_mm)
    box = (slice(8, 20), slice(10, 25), slice(30, 48))
    evidence = gather(LABELS, box, SCHEME, {}, known)
    whole = resample(known.array, Grid(known.array.shape[1:], known.ijk_to_ras), evidence.grid)
    nothing = np.log1p(-np.clip(whole, 1e-3, 1.0 - 1e-3)).sum(axis=0)
    assert evidence.scores[0] == pytest.approx(nothing, abs=1e-4)


def test_what_is_told_outweighs_what_is_known_there_and_nowhere_else():
    evidence = gather(LABELS, (slice(0, 4),) * 3, SCHEME, {}, run_on(2.0, 0.0, -4.0))
    there = np.zeros((4, 4, 4), bool)
    there[1] = True
    told = evidence.told(there, 2)
    assert (told.scores.argmax(axis=0)[there] == evidence.values.index(2)).all()
    assert np.array_equal(told.scores[:, ~there], evidence.scores[:, ~there])


@pytest.mark.parametrize("is_known", [True, False], ids=["with probabilities", "from the image alone"])
def test_only_a_region_found_in_a_box_without_a_run_counts_as_boxed(is_known):
    _, cut, images = cut_head()
    told = []

    def corrector(local):
        told.append(local.is_boxed)
        return Answer(local.mask, 0.0)

    box, click = BoxPrompt(TUMOR_CENTER_RAS_MM, (40.0,) * 3), Click((21.0, -7.0, 5.0))
    for prompts in ((click,), (box, click)):
        kept = probabilities_of(cut) if is_known else None
        correct(Correction(cut, SCHEME, "WT", prompts, images, (), kept), corrector)
    assert told == [False, not is_known]
