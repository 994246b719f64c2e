"""The step crf in the real pipeline: an edge of the image draws a coarse answer to it."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.core.errors import Cancelled, PackageError
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.image.metrics import dice
from MedSegAILib.tasks.decide import Surroundings, decide
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment
from Testing.makers.abdomen import grid, make_abdomen
from Testing.makers.staged_package import PLAIN, ensemble, manifest, write_package

CRF = {"step": "crf", "window": [-100, 240], "settings": {"reach_mm": 6.0, "appearance_mm": 6.0, "iterations": 3}}
THRESHOLD = {"step": "threshold", "above": 0.5}
PAINT = {"step": "paint", "order": [["pancreas", 1]]}


def test_answer_on_a_coarse_grid_follows_the_image_again(tmp_path):
    weight = np.full((1, 1, 1, 1, 1), 12.0, np.float32)
    prepare = [*PLAIN, {"step": "resample", "spacing_mm": 9.0, "around": "all"}]
    case, _ = make_abdomen(grid((4.0, 4.0, 4.0)), axes="RIA")
    truth = case.volumes["CT"].array > 80
    scores = []
    for name, decision in (("without", [THRESHOLD, PAINT]), ("with", [CRF, THRESHOLD, PAINT])):
        net = ensemble("net", prepare, ["pancreas"])
        content = manifest([{"name": "all", "ensembles": [net], "decide": decision}], {"pancreas": 1})
        folder = write_package(tmp_path / name / "staged", content, {"net": (weight, np.array([-4.8], np.float32))})
        labels = segment(case, read_package(folder), RunOptions(preset="fast")).labels.array
        scores.append(dice(labels == 1, truth))
    assert scores[1] > scores[0] + 0.03


def test_cancel_is_heard_between_iterations():
    cancel = Cancel()
    cancel.set()
    probabilities = {"pancreas": np.full((4, 5, 6), 0.4, np.float32)}
    around = Surroundings((2.0, 2.0, 2.0), lambda: np.zeros((1, 4, 5, 6), np.float32), cancel)
    with pytest.raises(Cancelled):
        decide(probabilities, [CRF, THRESHOLD, PAINT], around)


def test_settings_that_the_field_does_not_know_are_named():
    probabilities = {"pancreas": np.full((4, 5, 6), 0.4, np.float32)}
    around = Surroundings(image=lambda: np.zeros((1, 4, 5, 6), np.float32))
    with pytest.raises(PackageError) as caught:
        decide(probabilities, [{"step": "crf", "settings": {"sharpness": 3}}, THRESHOLD, PAINT], around)
    assert caught.value.code == "package.step"
    assert decide(probabilities, [CRF, THRESHOLD, PAINT], Surroundings()).max() == 0, "only looked at: passed over"
