import json
import math

import pytest

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions


def test_corners_lie_half_a_side_from_the_center_along_its_axes():
    turned = ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    corners = StageBox("a", (1, 2, 3), (2, 4, 6), turned).corners_ras_mm()
    assert len(set(corners)) == 8
    assert {round(corner[0], 9) for corner in corners} == {-1.0, 3.0}
    assert {round(corner[1], 9) for corner in corners} == {1.0, 3.0}
    assert {round(corner[2], 9) for corner in corners} == {0.0, 6.0}


def test_box_survives_json_and_may_leave_its_axes_out():
    box = StageBox("tumor", (1.5, -2.0, 3.0), (10.0, 20.0, 30.0))
    data = json.loads(json.dumps(box.to_json()))
    assert StageBox.from_json(data) == box
    del data["axes"]
    assert StageBox.from_json(data) == box


def test_options_take_boxes_as_json_brings_them():
    box = StageBox("tumor", (0, 0, 0), (1, 1, 1))
    options = RunOptions(boxes=[box.to_json()])
    assert options.boxes == (box,)
    assert RunOptions(**json.loads(json.dumps(options.to_json()))) == options


@pytest.mark.parametrize(
    "fields",
    [
        {"size_mm": (1, 0, 1)},
        {"size_mm": (1, 1)},
        {"center_ras_mm": (0, 0, math.nan)},
        {"center_ras_mm": "middle"},
        {"axes": ((2, 0, 0), (0, 1, 0), (0, 0, 1))},
        {"axes": ((1, 0, 0), (0, 1, 0))},
    ],
)
def test_box_that_is_none_is_refused(fields):
    with pytest.raises(UsageError) as caught:
        StageBox(**{"stage": "a", "center_ras_mm": (0, 0, 0), "size_mm": (1, 1, 1), **fields})
    assert caught.value.code == "options.boxes"


@pytest.mark.parametrize("boxes", [[{"stage": "a"}], ["a"], [StageBox("a", (0, 0, 0), (1, 1, 1))] * 2])
def test_options_refuse_boxes_that_cannot_be_read_or_repeat(boxes):
    with pytest.raises(UsageError) as caught:
        RunOptions(boxes=boxes)
    assert caught.value.code == "options.boxes"
