import numpy as np
import pytest

from MedSegAILib.core.errors import PackageError
from MedSegAILib.tasks.decide import Surroundings, decide

THRESHOLD = {"step": "threshold", "above": 0.5}
PAINT = {"step": "paint", "order": [["a", 1], ["b", 2]]}


def row(*values: float) -> np.ndarray:
    """A row of voxels in a block whose other voxels are 0."""
    block = np.zeros((3, 3, len(values)), np.float32)
    block[1, 1] = values
    return block


def decided(a, b, *steps, around=None):
    return decide({"a": row(*a), "b": row(*b)}, steps, around)[1, 1].tolist()


def test_each_region_may_have_its_own_threshold():
    steps = [{"step": "threshold", "above": {"a": 0.2, "b": 0.8}}, PAINT]
    assert decided([0.1, 0.3, 0.9], [0.9, 0.7, 0.8], *steps) == [2, 1, 1]


def test_largest_component_of_each_mask_before_painting():
    steps = [THRESHOLD, {"step": "largest_component", "regions": ["a"]}, PAINT]
    assert decided([1, 1, 0, 1, 0, 0], [0, 0, 0, 1, 0, 1], *steps) == [1, 1, 0, 2, 0, 2]


def test_largest_component_of_a_union_of_labels_after_painting():
    clean = {"step": "largest_component", "labels": [1, 2]}
    assert decided([1, 1, 0, 1, 0], [0, 0, 1, 0, 0], THRESHOLD, PAINT, clean) == [1, 1, 2, 1, 0]
    assert decided([1, 1, 0, 0, 1], [0, 0, 1, 0, 0], THRESHOLD, PAINT, clean) == [1, 1, 2, 0, 0]


def test_largest_component_of_every_label_by_itself_when_none_is_named():
    clean = {"step": "largest_component"}
    assert decided([1, 1, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1], THRESHOLD, PAINT, clean) == [1, 1, 2, 0, 0, 0]


def test_connectivity_says_what_hangs_together():
    block = np.zeros((3, 3, 3), np.float32)
    block[0, 0, 0] = block[1, 1, 1] = block[1, 1, 2] = 1.0
    counts = {}
    for connectivity in (6, 18, 26):
        steps = [
            THRESHOLD,
            {"step": "largest_component", "connectivity": connectivity},
            {"step": "paint", "order": [["a", 1]]},
        ]
        counts[connectivity] = int(decide({"a": block}, steps).sum())
    assert counts == {6: 2, 18: 2, 26: 3}


def test_holes_are_filled_where_nothing_else_was_painted():
    shell = np.ones((5, 5, 5), np.float32)
    shell[2, 2, 1:4] = 0.0
    other = np.zeros_like(shell)
    other[2, 2, 2] = 1.0
    steps = [THRESHOLD, PAINT, {"step": "fill_holes", "labels": [1]}]
    assert decide({"a": shell, "b": other}, steps)[2, 2].tolist() == [1, 1, 2, 1, 1]
    masks = [THRESHOLD, {"step": "fill_holes", "regions": ["a"]}, {"step": "paint", "order": [["a", 1]]}]
    assert decide({"a": shell, "b": other}, masks).all()


def test_small_components_are_removed_by_their_volume_in_ml():
    around = Surroundings((10.0, 10.0, 10.0))  # 1 mL a voxel
    keep = {"step": "min_volume", "ml": 2.0}
    assert decided([1, 1, 0, 1, 0, 0], [0] * 6, THRESHOLD, keep, PAINT, around=around) == [1, 1, 0, 0, 0, 0]
    by_region = {"step": "min_volume", "ml": {"b": 2.0}}
    assert decided([1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 1, 1], THRESHOLD, by_region, PAINT, around=around) == [
        1,
        0,
        0,
        0,
        2,
        2,
    ]
    by_label = {"step": "min_volume", "ml": {"1": 2.0}}
    assert decided([1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], THRESHOLD, PAINT, by_label, around=around)[:3] == [0, 0, 2]


def test_a_component_of_just_the_volume_stays():
    around = Surroundings((0.7, 0.7, 0.7))
    keep = {"step": "min_volume", "ml": 3 * around.voxel_ml}
    assert decided([1, 1, 1, 0, 1], [0] * 5, THRESHOLD, keep, PAINT, around=around) == [1, 1, 1, 0, 0]


def test_label_of_the_most_probable_channel_and_none_where_nothing_was_seen():
    probabilities = {
        "tissue": row(0.4, 0.1, 0.0, 0.5),
        "background": row(0.3, 0.8, 0.0, 0.1),
        "fluid": row(0.3, 0.1, 0.0, 0.4),
    }
    labels = decide(probabilities, [{"step": "argmax", "labels": {"tissue": 3, "fluid": 300}}])
    assert labels[1, 1].tolist() == [3, 0, 0, 3]
    assert labels.dtype == np.uint16


def test_empty_masks_stay_empty():
    steps = [THRESHOLD, {"step": "largest_component"}, {"step": "fill_holes"}, {"step": "min_volume", "ml": 1}, PAINT]
    assert decided([0, 0], [0, 0], *steps) == [0, 0]


@pytest.mark.parametrize(
    "steps",
    [
        [{"step": "largest_component"}, THRESHOLD, PAINT],
        [THRESHOLD, {"step": "largest_component", "labels": [1]}, PAINT],
        [THRESHOLD, PAINT, {"step": "fill_holes", "regions": ["a"]}],
        [THRESHOLD, {"step": "largest_component", "connectivity": 8}, PAINT],
        [{"step": "argmax", "labels": {"c": 1}}],
        [{"step": "threshold", "above": {"c": 0.5}}, PAINT],
    ],
)
def test_steps_that_do_not_fit_are_named(steps):
    with pytest.raises(PackageError) as caught:
        decided([1, 0], [0, 1], *steps)
    assert caught.value.code == "package.step"
