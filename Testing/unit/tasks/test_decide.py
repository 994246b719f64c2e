import itertools

import numpy as np
import pytest

from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.tasks.decide import decide

STEPS = (
    {"step": "threshold", "above": 0.5},
    {"step": "paint", "order": [["WT", 2], ["TC", 1], ["ET", 4]]},
)


def test_labels_follow_the_papers_row_in_all_eight_cases():
    """BraTS 2020 page, section 6, table of ET TC WT: the paper's row."""
    cases = np.array(list(itertools.product([0.0, 1.0], repeat=3))).reshape(1, 1, 8, 3)
    probabilities = {name: cases[..., i] for i, name in enumerate(("ET", "TC", "WT"))}
    assert decide(probabilities, STEPS).ravel().tolist() == [0, 2, 1, 1, 4, 4, 4, 4]


def test_regions_of_the_labels_are_the_papers():
    """ET = {4}, TC = {1, 4}, WT = {1, 2, 4}; the row ET outside TC and WT (label 4) is whole tumor too."""
    from Testing.makers.tiny_package import manifest

    scheme = LabelScheme.from_json(manifest())
    values = np.array([0, 1, 2, 4])
    found = {name: scheme.mask(values, name).tolist() for name in ("ET", "TC", "WT")}
    assert found == {
        "ET": [False, False, False, True],
        "TC": [False, True, False, True],
        "WT": [False, True, True, True],
    }


def test_threshold_is_strict():
    half = np.full((1, 1, 1), 0.5)
    labels = decide({"WT": half, "TC": half, "ET": half}, STEPS)
    assert labels.dtype == np.uint8
    assert not labels.any()


@pytest.mark.parametrize("steps", [STEPS[:1], ({"step": "magic"},), (STEPS[0], {"step": "paint", "order": [["X", 1]]})])
def test_decision_that_cannot_be_made_is_refused(steps):
    with pytest.raises(PackageError):
        decide({"WT": np.zeros((1, 1, 1))}, steps)
