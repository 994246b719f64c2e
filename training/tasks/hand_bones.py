"""Four classes of bones in MR of a hand; no studies at hand, so phantoms. Beside the library (training)."""

from __future__ import annotations

from .codes import BLUE, GREEN, ORANGE, PURPLE, YELLOW, anatomy, code, label, region, same_regions
from .task import NO_REFERENCE, Card, EnsemblePlan, StagePlan, Task

CHANNELS = ("metacarpal", "proximal", "middle", "distal")
_CODE = {**anatomy("272673000", "Bone"), "region": code("85562004", "Hand")}
_LABELS = [
    label(1, "metacarpal", "Metacarpal bones", ORANGE, _CODE),
    label(2, "proximal", "Proximal phalanges", GREEN, _CODE),
    label(3, "middle", "Middle phalanges", PURPLE, _CODE),
    label(4, "distal", "Distal phalanges", YELLOW, _CODE),
]

HAND_BONES = Task(
    table={
        "task": "hand-bones",
        "title": "Bones of the hand in MR",
        "license": "Apache-2.0",
        "intended_use": "Research. Outlines metacarpals and proximal, middle and distal phalanges in MR of one hand.",
        "not_for": "Clinical decisions; carpal bones; fractures; anything but a look: no patient trained it.",
        "anatomy": "hand",
        "inputs": [{"role": "MR", "title": "MR of one hand, T1-like, fingers in view", "modality": "MR"}],
        "subsets": [["MR"]],
        "reference": ["MR"],
        "labels": _LABELS,
        "regions": [*same_regions(_LABELS), region("bones", "All four classes", [1, 2, 3, 4], BLUE, _CODE)],
        "presets": {"fast": {"views": "identity"}, "balanced": {"views": "identity"}, "best": {"views": "flip_x"}},
    },
    stages=(
        StagePlan(
            "bones",
            (EnsemblePlan("U-Net", ("hand-bones-small",)),),
            ({"step": "argmax", "labels": {"metacarpal": 1, "proximal": 2, "middle": 3, "distal": 4}},),
        ),
    ),
    main_region="bones",
    measured_on=(("phantom", "test"),),
    card=Card(
        warning=NO_REFERENCE,
        takes="One MR of one hand, left or right, that shows wrist and fingers, fingers up in the patient's axes.",
        gives="Labels 1 (metacarpals), 2 (proximal), 3 (middle) and 4 (distal phalanges).",
        is_what="The multi-scale network of Kayalibay et al. (arXiv 1701.03056; concatenation, three outputs, 409 424 "
        "weights) at 2 mm, five classes by softmax, whole hand in one pass.",
        limits=(
            "No person trained it: the set of the paper is not public.",
            "Carpals and forearm are background. Fingers that bend by more than about 60 degrees were not drawn.",
            "The hand must point up (superior) in the image; turned hands are not recognized.",
        ),
        learned_on={"phantom": "hands drawn by code, left and right"},
    ),
)
