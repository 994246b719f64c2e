"""Every package that ships is offered by shell, Python and module, and gives one answer there: that of its sample."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.segmentations import maskFromSegment
from MedSegAISlicer.scene.tasks import taskChoices

from MedSegAILib.api import segment
from MedSegAILib.core.run import RunOptions
from MedSegAILib.io import read_label_map, read_study
from MedSegAILib.tasks.package import read_package
from Testing.harness.mrml import addVolume
from Testing.makers.shell import CHECKOUT, in_process
from training.tasks import TASKS

FAST = RunOptions(preset="fast")
SHIPPED = sorted(path.name for path in (CHECKOUT / "MedSegAILib" / "packages").iterdir() if path.is_dir())


def test_shell_and_module_offer_what_ships(scene):
    told = json.loads(in_process("models", "list", "--json").stdout)
    assert {one["task"] for one in told["models"]} == set(SHIPPED)
    assert {choice.task for choice in taskChoices()} == set(SHIPPED)


@pytest.mark.parametrize("task", SHIPPED)
def test_a_task_gives_the_same_voxels_in_shell_python_and_module(task, scene, logic, tmp_path):
    folder = CHECKOUT / "Resources" / "SampleData" / task
    package = read_package(CHECKOUT / "MedSegAILib" / "packages" / task)
    case = read_study(folder, package.roles)
    wanted = segment(case, task, options=FAST)
    assert wanted.region_mask(TASKS[task].main_region).any()

    done = in_process("segment", "--task", task, "--study", folder, "--output", tmp_path / "out", "--preset", "fast")
    assert done.returncode == 0, done.stderr
    by_shell = read_label_map(tmp_path / "out" / "labels.nii.gz").array
    np.testing.assert_array_equal(by_shell, wanted.labels.array)

    volumes = slicer.modules.volumes.logic()
    nodes = {role: volumes.AddArchetypeVolume(str(folder / f"{role}.nii.gz"), role, 0) for role in package.roles}
    segmentation = logic.segment(nodes, task, options=FAST)
    reference = case.volumes[package.reference[0]]
    on_files_grid = addVolume(reference.array, reference.grid.ijk_to_ras, "as read from the file")
    for region in package.scheme.regions:
        in_module = maskFromSegment(segmentation, region.name, on_files_grid)
        np.testing.assert_array_equal(in_module, wanted.region_mask(region.name), err_msg=region.name)
