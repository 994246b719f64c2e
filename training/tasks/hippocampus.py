"""Hippocampus in T1 crops, anterior and posterior: the set of the Medical Segmentation Decathlon, Task04.

Beside the library (training).
"""

from __future__ import annotations

from .codes import ORANGE, SKY, anatomy, label, region, same_regions
from .task import Card, EnsemblePlan, StagePlan, Task

_CODE = anatomy("5366008", "Hippocampus")
_LABELS = [
    label(1, "anterior", "Anterior hippocampus (head)", ORANGE, _CODE),
    label(2, "posterior", "Posterior hippocampus (body and tail)", SKY, _CODE),
]

HIPPOCAMPUS = Task(
    table={
        "task": "hippocampus",
        "title": "Hippocampus in a T1 crop",
        "license": "Apache-2.0",
        "intended_use": "Research. Outlines head, and body with tail, of one hippocampus in a T1 crop around it.",
        "not_for": "Clinical decisions; whole heads: the crop must hold one hippocampus and little else.",
        "anatomy": "part of a head",
        "inputs": [{"role": "T1", "title": "T1 without contrast agent, cropped around one hippocampus",
                    "modality": "MR"}],
        "subsets": [["T1"]],
        "reference": ["T1"],
        "labels": _LABELS,
        "regions": [region("hippocampus", "Hippocampus", [1, 2], SKY, _CODE), *same_regions(_LABELS)],
        # No flips: anterior is not posterior; sides are not marked in the set, so a mirrored x is as good.
        "presets": {"fast": {"views": "identity"}, "balanced": {"views": "identity"}, "best": {"views": "flip_x"}},
    },
    stages=(
        StagePlan(
            "hippocampus",
            (EnsemblePlan("U-Net", ("hippocampus",)),),
            (
                {"step": "threshold", "above": 0.5},
                {"step": "paint", "order": [["posterior", 2], ["anterior", 1]]},
            ),
        ),
    ),
    main_region="hippocampus",
    version="0.2.0",
    measured_on=(("hippocampus", "test"),),
    card=Card(
        takes="A T1 crop around one hippocampus, about 35 x 50 x 35 mm, as the Decathlon gives them. Not a whole head.",
        gives="Labels 1 (anterior: head) and 2 (posterior: body and tail); region hippocampus = 1 + 2.",
        is_what="A plain 3D U-Net of width 8 at 1 mm.",
        limits=(
            "The crop must be given: nothing here finds the hippocampus in a head.",
            "The border between head and body is a convention of the set's readers.",
            "Healthy adults and adults with psychosis of one center (Vanderbilt) trained it; atrophy, epilepsy, "
            "children and other scanners did not.",
        ),
        learned_on={"hippocampus": "191 crops of 122 subjects (MSD Task04; two sides of one subject are two crops)"},
    ),
)  # fmt: skip
