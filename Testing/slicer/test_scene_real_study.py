"""A real study through the scene ring: Slicer's reader, real MRML, the real worker, against the experts and Python."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from MedSegAISlicer.scene.logic import SegmentationLogic
from MedSegAISlicer.scene.roles import RoleFinder
from MedSegAISlicer.scene.segmentations import maskFromSegment

from MedSegAILib.api import segment
from MedSegAILib.core.run import RunOptions
from MedSegAILib.image.metrics import dice
from MedSegAILib.io import read_study
from Testing.harness.mrml import addVolume, fingerprint

ROLES = ("T1", "T1ce", "T2", "FLAIR")


@pytest.mark.shared
def test_a_study_that_was_never_trained_on_comes_back_as_in_python(scene, shared_dir):
    folder = shared_dir / "data" / "brain_tumor_four_sequences" / "BraTS2021_00006"
    load = slicer.modules.volumes.logic().AddArchetypeVolume
    loaded = {path.name: load(str(path), path.name.split(".")[0], 0) for path in sorted(folder.glob("*.nii.gz"))}
    found = RoleFinder().assign(loaded.values(), ROLES).by_role
    inputs = {role: scene.GetNodeByID(guess.key) for role, guess in found.items()}
    assert {role: node.GetName() for role, node in inputs.items()} == {role: role for role in ROLES}
    before = {name: fingerprint(node) for name, node in loaded.items()}
    logic = SegmentationLogic()
    try:
        segmentation = logic.segment(inputs, options=RunOptions(preset="balanced"))
    finally:
        logic.close()
    reference = loaded["seg.nii.gz"]
    truth = np.isin(slicer.util.arrayFromVolume(reference), (1, 2, 4))
    assert dice(maskFromSegment(segmentation, "WT", reference), truth) >= 0.70
    case = read_study(folder, ROLES)
    wanted = segment(case, options=RunOptions(preset="balanced"))
    grid = wanted.labels.grid
    as_in_the_file = addVolume(np.zeros(grid.shape_zyx, np.uint8), grid.ijk_to_ras, "grid of the file")
    for name in ("WT", "TC", "ET"):
        mask = maskFromSegment(segmentation, name, as_in_the_file)
        np.testing.assert_array_equal(mask, wanted.region_mask(name), err_msg=name)
    assert {name: fingerprint(node) for name, node in loaded.items()} == before
