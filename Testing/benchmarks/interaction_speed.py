"""Seconds from a click to the changed segmentation node, on a study of 240 x 240 x 155 voxels with four sequences.

    python Testing/benchmarks/interaction_speed.py

Real MRML, a real worker process that has just run the shipped package on the study (so it has its probabilities),
labels of the phantom. The clicks go to random places up to 8 mm from the border of the whole tumor, each saying the
opposite of what is there: every click changes something. The median is kept for docs/benchmarks/interaction.md.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from scipy import ndimage

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "MedSegAI")]

from Testing.benchmarks.interaction_report import SPEED  # noqa: E402 - after the path is set
from Testing.benchmarks.interaction_units import CACHE, SPEED_FILE  # noqa: E402
from Testing.harness.mrml import addCase, boot  # noqa: E402

CLICKS, SHAPE_ZYX = 20, (155, 240, 240)


def main() -> None:
    scene, _ = boot()
    from MedSegAISlicer.scene.correct import correct
    from MedSegAISlicer.scene.segmentations import maskFromSegment, showResult
    from MedSegAISlicer.scene.statistics import keepInputs
    from MedSegAISlicer.scene.undo import UndoHistory
    from MedSegAISlicer.scene.volumes import caseFromNodes

    from MedSegAILib.core.prompts import Click
    from MedSegAILib.core.run import RunOptions
    from MedSegAILib.core.volume import Grid
    from MedSegAILib.worker.client import WorkerClient
    from Testing.makers.phantoms import make_case, make_labels

    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    matrix[:3, 3] = -(matrix[:3, :3] @ ((np.array(SHAPE_ZYX[::-1]) - 1) / 2))
    case = make_case(Grid(SHAPE_ZYX, matrix))
    nodes = addCase(case)
    truth = make_labels(case.reference_grid())
    mask = truth.array > 0
    near = np.argwhere(np.abs(ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)) < 8.0)
    chance, seconds, inside = np.random.default_rng(0), [], []
    with WorkerClient() as client:
        result = client.segment(caseFromNodes(nodes), "brain-tumor", RunOptions(preset="fast"))
        node = showResult(scene, replace(result, labels=truth), nodes["T1"], "Tumor")
        keepInputs(node, nodes)
        UndoHistory.of(node)
        for number in range(CLICKS):
            k, j, i = near[chance.integers(len(near))]
            is_there = bool(maskFromSegment(node, "WT", nodes["T1"])[k, j, i])
            point = tuple(float(value) for value in (matrix @ [i, j, k, 1.0])[:3])
            started = time.perf_counter()
            done = correct(node, "WT", Click(point, not is_there), client)
            seconds.append(time.perf_counter() - started)
            facts = done.corrected.facts
            inside.append(facts["seconds"])
            print(f"{number}: {seconds[-1]:.3f} s, {done.words}, {facts['seconds']} s of it in the corrector, {facts}")
    told = _told(seconds, inside)
    print(told)
    CACHE.mkdir(parents=True, exist_ok=True)
    SPEED_FILE.write_text(told, encoding="utf-8")


def _told(seconds, inside):
    """Give the section of the page."""
    median, goal_s = statistics.median(seconds), 0.5
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    size = " x ".join(map(str, SHAPE_ZYX[::-1]))
    return (
        f"### {SPEED}\n\n`python Testing/benchmarks/interaction_speed.py`, {date.today()}, {os.cpu_count()} cores, "
        f"load {load} (1, 5, 15 minutes)\n\n"
        f"- {CLICKS} clicks on {size} voxels with four sequences, from the click to the changed segmentation node: "
        f"median {median:.3f} s (goal {goal_s} s: {'reached' if median <= goal_s else 'not reached'}), longest "
        f"{max(seconds):.3f} s; the corrector itself: median {statistics.median(inside):.3f} s."
    )


if __name__ == "__main__":
    main()
