"""Cerebrospinal fluid, gray and white matter in skull-stripped T1: IBSR18. Beside the library (training)."""

from __future__ import annotations

from .codes import BLUE, ORANGE, YELLOW, label, region, same_regions, tissue
from .task import Card, EnsemblePlan, StagePlan, Task

CHANNELS = ("CSF", "GM", "WM")
_LABELS = [
    label(1, "CSF", "Cerebrospinal fluid (ventricles)", BLUE, tissue("65216001", "Cerebrospinal Fluid")),
    label(2, "GM", "Gray matter", ORANGE, tissue("389081007", "Gray Matter")),
    label(3, "WM", "White matter", YELLOW, tissue("389080008", "White Matter")),
]

BRAIN_TISSUE = Task(
    table={
        "task": "brain-tissue",
        "title": "Brain tissue in T1",
        "license": "Apache-2.0",
        "intended_use": "Research. Divides a brain in T1-weighted MR into ventricular fluid, gray and white matter.",
        "not_for": "Clinical decisions; brains with large lesions, children, contrast agent.",
        "anatomy": "head",
        "heads": "stripped",
        "inputs": [{"role": "T1", "title": "T1 without contrast agent, skull stripped", "modality": "MR"}],
        "subsets": [["T1"]],
        "reference": ["T1"],
        "labels": _LABELS,
        "regions": [
            *same_regions(_LABELS),
            region("brain", "Brain", [1, 2, 3], ORANGE, tissue("389081007", "Gray Matter")),
        ],
        "presets": {"fast": {"views": "identity"}, "balanced": {"views": "flip_x"}, "best": {"views": "flip_x"}},
    },
    stages=(
        StagePlan(
            "tissue",
            (EnsemblePlan("U-Net", ("brain-tissue-small",)),),
            (
                {"step": "argmax", "labels": {"CSF": 1, "GM": 2, "WM": 3}},
                {"step": "largest_component", "labels": [1, 2, 3]},
            ),
        ),
    ),
    main_region="brain",
    measured_on=(("ibsr18", "test"),),
    card=Card(
        takes="One T1 without contrast agent, skull stripped; a whole head is masked before the run (repair strip).",
        gives="Labels 1 (CSF of the ventricles), 2 (gray matter), 3 (white matter).",
        is_what="A 3D U-Net of width 8 at 1.5 mm, four classes by softmax, trained on crops of 64 x 64 x 64.",
        limits=(
            "As in its references the CSF is that of the ventricles; fluid in the sulci is gray matter or background.",
            "Nine healthy adults of one repository (IBSR18, 1.5 mm slices, of several old scanners) trained it.",
            "Details below 1.5 mm, as thin gyri and sulci, are lost.",
            "Its brain masks are those of the references; another skull stripping shifts the outer border of GM.",
        ),
        learned_on={"ibsr18": "9 skull-stripped T1 of healthy adults (IBSR18)"},
    ),
)
