"""An error is thin by its millimeters or by its voxels: in coarse voxels a shell of them is thicker."""

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
SCHEME = LabelScheme((Label(1, "part", "Part", _GRAY),), (Region("part", "Part", (1,), _GRAY),))


@pytest.mark.parametrize(
    ("spacing_mm", "depth_mm", "wanted"),
    [(1.0, 3.0, "learned"), (1.0, 4.0, "known"), (2.5, 5.0, "learned"), (2.5, 7.5, "known")],
)
def test_a_shell_of_two_coarse_voxels_is_a_thin_error(monkeypatch, spacing_mm, depth_mm, wanted):
    asked = []

    def answering(name):
        return lambda local: asked.append(name) or Answer(local.mask, 0.0)

    monkeypatch.setattr(corrector, "CORRECTORS", {name: answering(name) for name in ("learned", "known")})
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[:, :, :6] = 1
    volume = Volume(labels, Grid(labels.shape, np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])))
    point = (5.0 * spacing_mm + depth_mm, 8.0 * spacing_mm, 8.0 * spacing_mm)
    correct(Correction(volume, SCHEME, "part", (Click(point),)), corrector.by_depth)
    assert asked == [wanted]
