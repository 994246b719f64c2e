"""What a package of the BraTS 2020 system says besides its weights: inputs, labels, regions, steps, Table 1. Ring 3.

Source: Henry et al., arXiv 2011.01045; deviations from the published code are told in ``docs/systems/brats2020.md``.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# Colors by Okabe and Ito, told apart with every kind of color blindness: sky blue, yellow, vermilion.
EDEMA_COLOR, CORE_COLOR, ENHANCING_COLOR = [0.337, 0.706, 0.914], [0.941, 0.894, 0.259], [0.835, 0.369, 0.0]

INPUTS: list[Json] = [
    {"role": "T1", "title": "T1 without contrast agent", "modality": "MR"},
    {"role": "T1ce", "title": "T1 with contrast agent", "modality": "MR"},
    {"role": "T2", "title": "T2", "modality": "MR"},
    {"role": "FLAIR", "title": "FLAIR", "modality": "MR"},
]
# The order of preference for the grid of the result; the published code takes that of T1.
REFERENCE = ["T1ce", "FLAIR", "T1", "T2"]
CHANNELS = ["ET", "TC", "WT"]  # of the published networks


def _code(value: str, meaning: str) -> Json:
    return {"scheme": "SCT", "value": value, "meaning": meaning}


def _named(value: str, meaning: str) -> Json:
    """Give a terminology entry; the type codes are those of Slicer's own tables (DICOM-Master), all in the brain."""
    return {
        "category": _code("49755003", "Morphologically Altered Structure"),
        "type": _code(value, meaning),
        "region": _code("12738006", "Brain"),
    }


_ENHANCING: Json = {
    "title": "Enhancing tumor",
    "color": ENHANCING_COLOR,
    "terminology": _named("86049000", "Neoplasm, Primary"),
}
LABELS: list[Json] = [
    {
        "value": 1,
        "name": "NCR",
        "title": "Necrotic and non-enhancing core",
        "color": CORE_COLOR,
        "terminology": _named("6574001", "Necrosis"),
    },
    {
        "value": 2,
        "name": "ED",
        "title": "Edema",
        "color": EDEMA_COLOR,
        "terminology": _named("79654002", "Edema"),
    },
    {"value": 4, "name": "ET", **_ENHANCING},
]
REGIONS: list[Json] = [
    {
        "name": "WT",
        "title": "Whole tumor",
        "labels": [1, 2, 4],
        "color": EDEMA_COLOR,
        "terminology": _named("4147007", "Mass"),
    },
    {
        "name": "TC",
        "title": "Tumor core",
        "labels": [1, 4],
        "color": CORE_COLOR,
        "terminology": _named("108369006", "Neoplasm"),
    },
    {"name": "ET", "labels": [4], **_ENHANCING},
]

# Pipelines by what the yaml calls their normalization. Both see the brain box at its own voxels, padded at the high
# end as three poolings need.
PIPELINES: dict[str, str] = {"minmax": "A", "zscore": "B"}
_SCALE: dict[str, Json] = {
    "A": {"step": "scale_percentiles", "lower": 1, "upper": 99},
    "B": {"step": "zscore_nonzero"},
}
PAD_MULTIPLE = 8

DECIDE: list[Json] = [
    {"step": "threshold", "above": 0.5},
    {"step": "paint", "order": [["WT", 2], ["TC", 1], ["ET", 4]]},
]
# Table 1 of the paper: columns are the label of A, rows that of B.
TABLE_1: Json = {
    "rule": "label_table",
    "columns": "A",
    "rows": "B",
    "values": [0, 1, 2, 4],
    "cells": [[0, 1, 0, 4], [0, 1, 2, 4], [2, 1, 2, 4], [0, 1, 2, 4]],
}
PRESETS: dict[str, Json] = {
    "fast": {"views": "identity"},
    "balanced": {"views": "flip_x"},
    "best": {"views": "brats2020"},
}


def prepare_steps(pipeline: str) -> list[Json]:
    """Give the preparation of pipeline "A" or "B" on the native grid."""
    return [
        {"step": "orient", "axes": "LPS"},  # the axis order of the challenge's files
        {"step": "crop_nonzero"},
        dict(_SCALE[pipeline]),
        {"step": "pad", "multiple": PAD_MULTIPLE},
    ]
