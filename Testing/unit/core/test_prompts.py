"""Prompts survive the way through JSON and refuse what they cannot mean."""

import json

import pytest

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.prompts import BoxPrompt, Click, Lasso, Scribble, prompt_from_json, prompt_to_json

PROMPTS = [
    Click((1.0, -2.5, 3.0), False),
    Scribble(((0, 0, 0), (5.0, 1.0, 0.0)), True, 2.0),
    BoxPrompt((1, 2, 3), (10, 20, 30), True),
    Lasso(((0, 0, 0), (4, 0, 0), (4, 4, 1)), False, 3.0),
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.kind)
def test_a_prompt_comes_back_equal_from_json(prompt):
    assert prompt_from_json(json.loads(json.dumps(prompt_to_json(prompt)))) == prompt


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"kind": "wand"}, "prompt.unreadable"),
        ({"kind": "click", "where": 1}, "prompt.unreadable"),
        ({"kind": "click", "position_ras_mm": [0, 0]}, "prompt.points"),
        ({"kind": "click", "position_ras_mm": [0, 0, float("nan")]}, "prompt.points"),
        ({"kind": "scribble", "points_ras_mm": []}, "prompt.points"),
        ({"kind": "scribble", "points_ras_mm": [[0, 0, 0]], "radius_mm": 0}, "prompt.size"),
        ({"kind": "lasso", "points_ras_mm": [[0, 0, 0], [1, 0, 0]]}, "prompt.points"),
        ({"kind": "box", "center_ras_mm": [0, 0, 0], "size_mm": [1, 1, -1]}, "prompt.size"),
    ],
)
def test_what_is_no_prompt_is_refused(data, code):
    with pytest.raises(UsageError) as caught:
        prompt_from_json(data)
    assert caught.value.code == code


def test_a_box_has_its_eight_corners():
    corners = set(BoxPrompt((0, 0, 0), (2, 4, 6)).points_ras_mm)
    assert len(corners) == 8
    assert max(corners) == (1.0, 2.0, 3.0)
