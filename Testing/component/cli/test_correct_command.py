"""``medsegai correct``: points on a finished result change its region and leave the rest."""

from __future__ import annotations

import json

import numpy as np

from MedSegAILib.io import read_label_map
from Testing.makers.phantoms import write_study
from Testing.makers.shell import in_process


def test_points_change_the_region_and_stand_in_the_passport(tiny_package, tiny_case, tmp_path):
    study = tmp_path / "study"
    write_study(tiny_case, study)
    first, second = tmp_path / "first", tmp_path / "second"
    options = ("--task", "brain-tumor", "--study", study, "--output", first, "--preset", "fast")
    assert in_process("segment", *options, packages=tiny_package).returncode == 0
    labels = read_label_map(first / "labels.nii.gz")
    k, j, i = np.argwhere(labels.array == 0)[50]
    point = ",".join(f"{value:.3f}" for value in (labels.grid.ijk_to_ras @ [i, j, k, 1.0])[:3])
    command = ("correct", first, "--study", study, "--region", "WT", f"--include={point}", "--output", second)
    done = in_process(*command, packages=tiny_package)
    assert done.returncode == 0, done.stderr
    assert "WT, include" in done.stdout
    after = read_label_map(second / "labels.nii.gz")
    assert after.array[k, j, i] != 0
    assert "corrected by hand, WT: include" in json.loads((second / "passport.json").read_text())["repairs"][-1]
    again = in_process(*command, packages=tiny_package)
    assert again.returncode == 2
    no_point = in_process(*command[:-3], "--include=1,2", "--output", tmp_path / "third", packages=tiny_package)
    assert no_point.returncode == 2
