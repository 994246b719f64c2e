"""The flagship: glioma in four MR sequences. Inputs, labels and codes are the library's. Beside the library."""

from __future__ import annotations

from MedSegAILib.tasks.importers.brats2020_task import INPUTS, LABELS, REFERENCE, REGIONS

from .task import Card, EnsemblePlan, StagePlan, Task

CHANNELS = ("ET", "TC", "WT")  # order of the networks' outputs

BRAIN_TUMOR = Task(
    table={
        "task": "brain-tumor",
        "title": "Brain tumor (glioma, before surgery)",
        "license": "Apache-2.0",
        "intended_use": "Research. Outlines whole tumor, tumor core and enhancing tumor of a glioma in brain MR.",
        "not_for": "Clinical decisions; metastases, meningioma, children, scans after surgery. Core and enhancing "
        "tumor without T1ce.",
        "inputs": INPUTS,
        "subsets": [["T1", "T1ce", "T2", "FLAIR"], ["T1ce", "FLAIR"], ["FLAIR"]],
        "reference": REFERENCE,
        "labels": LABELS,
        "regions": REGIONS,
        "presets": {
            "fast": {"views": "identity", "members": 1},
            "balanced": {"views": "flip_x"},
            "best": {"views": "flips"},
        },
    },
    stages=(
        StagePlan(
            "tumor",
            (
                EnsemblePlan("A", ("brain-tumor-a1", "brain-tumor-a0")),
                EnsemblePlan("B", ("brain-tumor-b0", "brain-tumor-b1")),
                EnsemblePlan("C", ("brain-tumor-c0",)),
            ),
            (
                # Cores are drawn too large where contrast shows them: 0.6 takes some of it away and costs no group of
                # train studies or phantoms more than it gains another.
                {"step": "threshold", "above": {"WT": 0.5, "TC": 0.6, "ET": 0.5}},
                {"step": "paint", "order": [["WT", 2], ["TC", 1], ["ET", 4]]},
            ),
            # As in the paper's Table 1 each pipeline has a say in what it is good at: B and C, which learned on whole
            # heads above all, in the whole tumor; B's cores are edema as well.
            {
                "merge": {
                    "rule": "mean",
                    "weights": {"WT": {"A": 1, "B": 2, "C": 2}, "TC": {"A": 1, "C": 1}, "ET": {"A": 1, "C": 1}},
                }
            },
            eight_bit=True,
        ),
    ),
    main_region="WT",
    largest_bytes=6 << 20,
    version="0.6.0",
    measured_on=(("four_sequences", "test"), ("more", "test"), ("lgg", "test")),
    measured_with=(("four_sequences", "test", ("T1ce", "FLAIR")), ("four_sequences", "test", ("FLAIR",))),
    card=Card(
        takes="T1, T1ce, T2, FLAIR; or T1ce and FLAIR; or FLAIR alone. Skull stripped or whole heads.",
        gives="Labels 1 (necrotic and non-enhancing core), 2 (edema), 4 (enhancing tumor); regions WT = 1 + 2 + 4, "
        "TC = 1 + 4, ET = 4; on the grid of T1ce, else of FLAIR.",
        is_what="Five small networks in three pipelines, after Henry et al. (arXiv 2011.01045): A, with attention "
        "(650 352 weights) and without (644 683), group norm, percentiles; B, two of 644 683 weights, instance norm, "
        "z-scores; C, which is B with twice the width (2 574 995 weights). Probabilities are averaged within a "
        "pipeline, and between them by region: the whole tumor from A, B and C, counting 1 : 2 : 2, core and enhancing "
        "tumor from A and C. Width 8 and 16, kernels of eight bits, working at 2 mm; preset fast runs the first of "
        "each. It is not the method of the paper, whose networks are six times as wide, fifteen, and "
        "saw hundreds of studies at 1 mm for days.",
        limits=(
            "Few studies: the numbers above have wide error bars, above all ET and TC. A study without enhancing "
            "tumor counts 1 or 0, and one false voxel decides which.",
            "Tumor core without enhancement is often taken for edema and the other way round.",
            "Without T1ce nobody can see enhancement; TC and ET from FLAIR alone are guesses.",
            "In whole heads (with skull) only the whole tumor was learned from people; TC and ET there rest on "
            "phantoms and on stripped brains.",
            "Whole heads with strong uneven coil brightness, very bright fat or low contrast: healthy brain near the "
            "coil, or fat and muscle at the base of the skull, is taken for tumor. Small tumors and FLAIR alone "
            "suffer most.",
            "A large cyst, dark in FLAIR, is often drawn in part.",
            "Parts of the tumor smaller than about 4 mm are lost at the working voxel of 2 mm.",
            "Not for metastases, meningioma, children, or scans after surgery: none of these was trained.",
            "The test studies come from the sources of the training studies; other scanners may do worse.",
        ),
        learned_on={
            "four_sequences": "8 glioma studies with four sequences (BraTS form, skull stripped)",
            "more": "22 with FLAIR, four of them with T1ce (BraTS form, skull stripped)",
            "lgg": "66 whole heads with FLAIR, mostly T1ce, whole tumor only",
            "phantom": "heads made by code",
        },
    ),
)
