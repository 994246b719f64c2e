"""What a package says of itself besides its weights: inputs, labels, colors, codes, presets. One table for each task.

Beside the library (training).
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# Colors by Okabe and Ito, told apart with every kind of color blindness: sky blue, yellow, vermilion.
EDEMA_COLOR, CORE_COLOR, ENHANCING_COLOR = [0.337, 0.706, 0.914], [0.941, 0.894, 0.259], [0.835, 0.369, 0.0]


def _code(value: str, meaning: str) -> Json:
    return {"scheme": "SCT", "value": value, "meaning": meaning}


def _named(value: str, meaning: str) -> Json:
    """Give a terminology entry; the type codes are those of Slicer's own tables (DICOM-Master), all in the brain."""
    return {
        "category": _code("49755003", "Morphologically Altered Structure"),
        "type": _code(value, meaning),
        "region": _code("12738006", "Brain"),
    }


_NECROSIS, _EDEMA = _named("6574001", "Necrosis"), _named("79654002", "Edema")
_ENHANCING = _named("86049000", "Neoplasm, Primary")

BRAIN_TUMOR: Json = {
    "task": "brain-tumor",
    "title": "Brain tumor (glioma, before surgery)",
    "license": "Apache-2.0",
    "intended_use": "Research. Outlines whole tumor, tumor core and enhancing tumor of a glioma in brain MR.",
    "not_for": "Clinical decisions; metastases, meningioma, children, scans after surgery. Core and enhancing tumor "
    "without T1ce.",
    "inputs": [
        {"role": "T1", "title": "T1 without contrast agent", "modality": "MR"},
        {"role": "T1ce", "title": "T1 with contrast agent", "modality": "MR"},
        {"role": "T2", "title": "T2", "modality": "MR"},
        {"role": "FLAIR", "title": "FLAIR", "modality": "MR"},
    ],
    "subsets": [["T1", "T1ce", "T2", "FLAIR"], ["T1ce", "FLAIR"], ["FLAIR"]],
    "reference": ["T1ce", "FLAIR", "T1", "T2"],
    "labels": [
        {"value": 1, "name": "NCR", "title": "Necrotic and non-enhancing core", "color": CORE_COLOR,
         "terminology": _NECROSIS},
        {"value": 2, "name": "ED", "title": "Edema", "color": EDEMA_COLOR, "terminology": _EDEMA},
        {"value": 4, "name": "ET", "title": "Enhancing tumor", "color": ENHANCING_COLOR, "terminology": _ENHANCING},
    ],
    "regions": [
        {"name": "WT", "title": "Whole tumor", "labels": [1, 2, 4], "color": EDEMA_COLOR,
         "terminology": _named("4147007", "Mass")},
        {"name": "TC", "title": "Tumor core", "labels": [1, 4], "color": CORE_COLOR,
         "terminology": _named("108369006", "Neoplasm")},
        {"name": "ET", "title": "Enhancing tumor", "labels": [4], "color": ENHANCING_COLOR,
         "terminology": _ENHANCING},
    ],
    "decide": [
        {"step": "threshold", "above": 0.5},
        {"step": "paint", "order": [["WT", 2], ["TC", 1], ["ET", 4]]},
    ],
    "presets": {"fast": {"views": "identity"}, "balanced": {"views": "flip_x"}, "best": {"views": "flips"}},
}  # fmt: skip
