"""The Medical Segmentation Decathlon: ``dataset.json`` with imagesTr, labelsTr, imagesTs. Ring 1 (io).

Source: Simpson et al., arXiv 1902.09063; fields as in the distributed ``dataset.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError

from .listing import LabeledStudy, stem_of

INDEX = "dataset.json"


def can_read(root: Path) -> bool:
    """Tell whether there is a ``dataset.json`` that lists training pairs."""
    index = _index(root)
    pairs = index.get("training")
    return isinstance(pairs, list) and all(isinstance(pair, dict) and "image" in pair for pair in pairs)


def read(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List training and test cases; a test case has a reference when someone put one into ``labelsTs``.

    Raises:
        InputError: "data.index" when an image holds several modalities in one 4D file.
    """
    index = _index(root)
    named = tuple(str(name) for _, name in sorted(index.get("modality", {}).items()))
    if len(named) > 1:
        raise InputError(
            "data.index",
            f"The cases of {root.name} hold {len(named)} modalities in one 4D file each.",
            "Write one file for each modality, in a folder for each study.",
        )
    (role,) = roles[:1] or named or ("image",)
    studies = []
    for pair in index["training"]:
        reference = root / pair["label"] if "label" in pair else None
        studies.append(_study(root / pair["image"], role, reference, "train"))
    for entry in index.get("test", []):
        image = root / (entry["image"] if isinstance(entry, dict) else entry)
        hidden = root / "labelsTs" / image.name
        studies.append(_study(image, role, hidden if hidden.is_file() else None, "test"))
    return studies


def label_names(root: Path) -> dict[int, str]:
    """Give the names of the labels by value, background too; empty when the index names none."""
    labels = _index(root).get("labels", {})
    return {int(value): str(name) for value, name in labels.items() if str(value).isdigit()}


def _index(root: Path) -> dict[str, Any]:
    try:
        index = json.loads((root / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


def _study(image: Path, role: str, reference: Path | None, part: str) -> LabeledStudy:
    return LabeledStudy(stem_of(image) or image.name, {role: image}, reference, part)
