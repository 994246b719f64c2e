"""The Python door: prompts of people on a result of the pipeline, with what the run knew."""

from __future__ import annotations

import numpy as np
import pytest

import MedSegAILib
from MedSegAILib import Click, RunOptions, Scribble
from MedSegAILib.core.errors import UsageError

OPTIONS = RunOptions(preset="fast", device="cpu", backend="openvino", threads=2, keep_probabilities=True)


def test_prompts_change_a_result_one_after_the_other_and_leave_the_given_one_alone(tiny_case, tiny_package):
    result = MedSegAILib.segment(tiny_case, options=OPTIONS, packages=[tiny_package])
    before = result.labels.array.copy()
    inside = result.region_mask("WT")
    prompts = []
    for sign in (True, False):
        k, j, i = np.argwhere(inside != sign)[50]
        point = tuple(float(value) for value in (result.labels.grid.ijk_to_ras @ [i, j, k, 1.0])[:3])
        prompts.append(Click(point, sign) if sign else Scribble((point,), sign))
    after, done = MedSegAILib.correct(result, tiny_case, "WT", prompts)
    assert np.array_equal(result.labels.array, before)
    assert [answer.facts["prompt"] for answer in done] == ["click", "scribble"]
    assert done[0].gained_ml["WT"] > 0
    assert done[1].lost_ml["WT"] > 0
    assert not np.array_equal(after.labels.array, before)
    assert after.passport is result.passport
    with pytest.raises(UsageError) as caught:
        MedSegAILib.correct(result, tiny_case, "WT", [])
    assert caught.value.code == "prompt.none"
