"""The prostate with its zones in axial T2: phantoms, and the few real studies at hand. Beside the library."""

from __future__ import annotations

from .codes import BLUE, ORANGE, SKY, anatomy, label, region
from .task import NO_REFERENCE, Card, EnsemblePlan, StagePlan, Task

_CODE = anatomy("41216001", "Prostate")

PROSTATE = Task(
    table={
        "task": "prostate",
        "title": "Prostate and its zones in T2",
        "license": "Apache-2.0",
        "intended_use": "Research. Outlines the prostate, and its transition and peripheral zone, in axial T2 MR.",
        "not_for": "Clinical decisions; after surgery or radiation; endorectal coils.",
        "anatomy": "pelvis",
        "inputs": [{"role": "T2", "title": "Axial T2 without contrast agent", "modality": "MR"}],
        "subsets": [["T2"]],
        "reference": ["T2"],
        "labels": [
            label(1, "transition", "Transition zone and central gland", ORANGE, _CODE),
            label(2, "peripheral", "Peripheral zone", SKY, _CODE),
        ],
        "regions": [
            region("prostate", "Prostate", [1, 2], BLUE, _CODE),
            region("transition", "Transition zone and central gland", [1], ORANGE, _CODE),
            region("peripheral", "Peripheral zone", [2], SKY, _CODE),
        ],
        "presets": {"fast": {"views": "identity"}, "balanced": {"views": "identity"}, "best": {"views": "flip_x"}},
    },
    stages=(
        StagePlan(
            "prostate",
            (EnsemblePlan("U-Net", ("prostate-small",)),),
            (
                {"step": "threshold", "above": 0.5},
                {"step": "largest_component", "regions": ["prostate"]},
                {"step": "paint", "order": [["prostate", 1], ["peripheral", 2]]},
            ),
        ),
    ),
    main_region="prostate",
    measured_on=(("phantom", "test"), ("prostate", "test")),
    card=Card(
        warning=f"{NO_REFERENCE} Four real studies, two of them drawn by a machine, took part.",
        takes="One axial T2 of the pelvis with the prostate near the middle.",
        gives="Labels 1 (transition zone and central gland) and 2 (peripheral zone); region prostate = 1 + 2.",
        is_what="A plain 3D U-Net of width 8 at 1.5 x 1.5 x 3 mm.",
        limits=(
            "Phantoms and four real studies trained it; only two of those were outlined by people.",
            "Two readers agree to a Dice of 0.89 and 0.90 on the two studies that both outlined.",
            "Base and apex are the least certain slices; the zones follow the phantoms' idea of them.",
        ),
        learned_on={
            "phantom": "pelvises drawn by code",
            "prostate": "4 axial T2 (2 outlined by people, 2 by a machine)",
        },
    ),
)
