"""Pancreas and tumor in CT: the cascade, organ first, tumor in the organ's box. Beside the library (training)."""

from __future__ import annotations

from .codes import VERMILION, YELLOW, altered, anatomy, code, label, region
from .task import NO_REFERENCE, Card, EnsemblePlan, StagePlan, Task

_PANCREAS = anatomy("15776009", "Pancreas")
_TUMOR = altered("86049000", "Neoplasm, Primary", code("15776009", "Pancreas"))

PANCREAS = Task(
    table={
        "task": "pancreas",
        "title": "Pancreas and pancreatic tumor in CT",
        "license": "Apache-2.0",
        "intended_use": "Research. Outlines the pancreas and a tumor in it in abdominal CT with contrast agent.",
        "not_for": "Clinical decisions; anything but a look at how a cascade works: no patient trained it.",
        "anatomy": "abdomen",
        "inputs": [{"role": "CT", "title": "Abdominal CT, portal venous or arterial phase", "modality": "CT"}],
        "subsets": [["CT"]],
        "reference": ["CT"],
        "labels": [
            label(1, "pancreas", "Pancreas", YELLOW, _PANCREAS),
            label(2, "tumor", "Tumor of the pancreas", VERMILION, _TUMOR),
        ],
        "regions": [
            region("organ", "Pancreas with tumor", [1, 2], YELLOW, _PANCREAS),
            region("tumor", "Tumor of the pancreas", [2], VERMILION, _TUMOR),
        ],
        "presets": {"fast": {"views": "identity"}, "balanced": {"views": "identity"}, "best": {"views": "identity"}},
    },
    stages=(
        StagePlan(
            "organ",
            (EnsemblePlan("organ", ("pancreas-organ-small",)),),
            (
                {"step": "threshold", "above": 0.5},
                {"step": "largest_component", "regions": ["organ"]},
                {"step": "paint", "order": [["organ", 1]]},
            ),
            eight_bit=True,
        ),
        StagePlan(
            "tumor",
            (EnsemblePlan("tumor", ("pancreas-tumor-small",)),),
            (
                {"step": "threshold", "above": 0.5},
                {"step": "largest_component", "regions": ["organ"]},
                {"step": "paint", "order": [["organ", 1], ["tumor", 2]]},
            ),
            # It outlines the gland as well, and finer than stage one.
            more={"result": "replace"},
            eight_bit=True,
        ),
    ),
    main_region="organ",
    measured_on=(("phantom", "test"),),
    card=Card(
        warning=NO_REFERENCE,
        takes="One abdominal CT in HU that shows the whole pancreas.",
        gives="Labels 1 (pancreas) and 2 (tumor); regions organ = 1 + 2, tumor = 2.",
        is_what="A cascade of two plain 3D U-Nets of width 8: the organ at 4 mm in the body's box, then gland and "
        "tumor at 2.5 mm in the organ's box with a margin of 12 mm.",
        limits=(
            "No patient trained it. On real CT the organ is a first guess and the tumor is not to be believed.",
            "Drawn tumors differ from the gland by 35 to 100 HU; real ones often by less than 20.",
            "Where no organ is found no tumor is looked for, and the result says so.",
        ),
        learned_on={"phantom": "abdomens drawn by code, portal venous and arterial phase"},
    ),
)
