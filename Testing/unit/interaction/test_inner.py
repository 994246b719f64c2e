"""What was said about a region is not said about the one inside it, unless the click is there or all of it goes."""

import numpy as np
import pytest

from MedSegAILib.core.correction import Correction
from MedSegAILib.core.labels import Label, LabelScheme, Region
from MedSegAILib.core.prompts import Click
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.interaction import corrector
from MedSegAILib.interaction.local import Answer
from MedSegAILib.interaction.session import correct

_GRAY = (0.5, 0.5, 0.5)
SCHEME = LabelScheme(
    (Label(1, "core", "Core", _GRAY), Label(2, "spot", "Spot", _GRAY)),
    (Region("core", "Core", (1, 2), _GRAY), Region("spot", "Spot", (2,), _GRAY)),
)


def labels_with_a_spot() -> np.ndarray:
    labels = np.zeros((24, 24, 24), np.uint8)
    labels[4:20, 4:20, 4:20] = 1
    labels[8:16, 8:16, 8:16] = 2
    return labels


def after_exclude(monkeypatch, where, goes):
    """Exclude from the core at (x, y, z), when the corrector takes all voxels of a box away."""

    def takes(local):
        mask = local.mask.copy()
        mask[goes] = False
        return Answer(mask, 0.0)

    monkeypatch.setattr(corrector, "CORRECTORS", {"learned": takes, "known": takes})
    volume = Volume(labels_with_a_spot(), Grid((24, 24, 24), np.eye(4)))
    answer = correct(Correction(volume, SCHEME, "core", (Click(where, is_include=False),)), corrector.by_depth)
    assert answer.offset_zyx == (0, 0, 0)
    return answer.labels.array


@pytest.mark.parametrize("depth", [1, 3, 7])
def test_a_click_beside_a_spot_takes_nothing_of_it(monkeypatch, depth):
    goes = np.s_[:, :, : 8 + depth]
    after = after_exclude(monkeypatch, (5.0, 12.0, 12.0), goes)
    before = labels_with_a_spot()
    assert np.array_equal(after == 2, before == 2)
    assert not (after[goes] == 1).any()
    assert np.array_equal(after[:, :, 8 + depth :], before[:, :, 8 + depth :])


def test_a_click_on_the_spot_takes_of_both(monkeypatch):
    after = after_exclude(monkeypatch, (9.0, 12.0, 12.0), np.s_[:, :, :12])
    assert not after[:, :, :12].any()


def test_a_spot_that_goes_whole_goes_along(monkeypatch):
    after = after_exclude(monkeypatch, (5.0, 12.0, 12.0), np.s_[:, :, :17])
    assert not (after == 2).any()
    assert (after[4:20, 4:20, 17:20] == 1).all()
