"""Skull seen, brain masked, on a head made by code; the enhanced T1 told from the native one."""

import numpy as np
from scipy import ndimage

from MedSegAILib.core.volume import Volume
from MedSegAILib.image.brain_mask import MARGIN_MM, brain_mask, masked
from MedSegAILib.image.head import look_at
from MedSegAILib.image.metrics import dice
from MedSegAILib.image.survey import survey, survey_grid
from Testing.makers.phantoms import centers_ras_mm
from Testing.makers.whole_head import brain_of, make_head


def look(volume: Volume):
    grid = survey_grid(volume.grid)
    return look_at(survey(volume, grid), grid)


def test_skull_is_seen_on_whole_heads_only():
    bare, whole = make_head().volumes, make_head(with_skull=True).volumes
    assert [look(volume).has_skull for volume in bare.values()] == [False] * 4
    assert [look(volume).has_skull for volume in whole.values()] == [True] * 4
    assert not any(look(volume).is_too_large or look(volume).is_too_small for volume in whole.values())


def test_mask_holds_the_brain_but_for_a_rind_and_no_scalp():
    case = make_head(with_skull=True)
    mask = brain_mask(list(case.volumes.values()), case.reference_grid())
    # The head made by code has no skull base; what is compared is above it.
    above = centers_ras_mm(mask.grid)[..., 2] > -5.0
    truth, ours = brain_of(mask.grid) & above, (mask.array > 0) & above
    # What it leaves out is a thin rind of the brain, never a bite.
    deep = ndimage.binary_erosion(truth, iterations=4)
    assert not np.any(deep & ~ours)
    assert np.count_nonzero(ours) < (1.0 + 3.5 * MARGIN_MM / 66.0) * np.count_nonzero(truth)
    assert dice(ours, truth) > 0.85


def test_masked_volume_keeps_its_voxels_inside_and_nothing_outside():
    case = make_head(with_skull=True)
    volume = case.volumes["FLAIR"]
    mask = Volume(brain_of(volume.grid).astype(np.uint8), volume.grid)
    stripped = masked(volume, mask)
    assert np.array_equal(stripped.array[mask.array > 0], volume.array[mask.array > 0])
    assert not stripped.array[mask.array == 0].any()
