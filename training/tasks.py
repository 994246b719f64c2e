"""What a package says of itself besides its weights, one table a task; inputs, labels and codes are the library's.

Beside the library (training).
"""

from __future__ import annotations

from typing import Any

from MedSegAILib.tasks.importers.brats2020_task import INPUTS, LABELS, REFERENCE, REGIONS

Json = dict[str, Any]

BRAIN_TUMOR: Json = {
    "task": "brain-tumor",
    "title": "Brain tumor (glioma, before surgery)",
    "license": "Apache-2.0",
    "intended_use": "Research. Outlines whole tumor, tumor core and enhancing tumor of a glioma in brain MR.",
    "not_for": "Clinical decisions; metastases, meningioma, children, scans after surgery. Core and enhancing tumor "
    "without T1ce.",
    "inputs": INPUTS,
    "subsets": [["T1", "T1ce", "T2", "FLAIR"], ["T1ce", "FLAIR"], ["FLAIR"]],
    "reference": REFERENCE,
    "labels": LABELS,
    "regions": REGIONS,
    "decide": [
        {"step": "threshold", "above": 0.5},
        {"step": "paint", "order": [["WT", 2], ["TC", 1], ["ET", 4]]},
    ],
    "presets": {"fast": {"views": "identity"}, "balanced": {"views": "flip_x"}, "best": {"views": "flips"}},
}  # fmt: skip
