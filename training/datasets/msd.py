"""The Medical Segmentation Decathlon: ``dataset.json`` with imagesTr, labelsTr, imagesTs. Beside the library.

Source: Simpson et al., arXiv 1902.09063; fields as in the distributed ``dataset.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError

from .study import Found

INDEX = "dataset.json"


def can_read(root: Path) -> bool:
    """Tell whether there is a ``dataset.json`` that lists training pairs."""
    index = root / INDEX
    if not index.is_file():
        return False
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
    except ValueError:
        return False
    pairs = content.get("training") if isinstance(content, dict) else None
    return isinstance(pairs, list) and all(isinstance(pair, dict) and "image" in pair for pair in pairs)


def read(root: Path, roles: tuple[str, ...]) -> list[Found]:
    """List training and test cases; a test case has a reference when someone put one into ``labelsTs``.

    Raises:
        InputError: "data.index" when an image has several modalities in one 4D file and roles for less.
    """
    index: dict[str, Any] = json.loads((root / INDEX).read_text(encoding="utf-8"))
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
        studies.append(_found(root / pair["image"], role, reference, "train"))
    for entry in index.get("test", []):
        image = root / (entry["image"] if isinstance(entry, dict) else entry)
        hidden = root / "labelsTs" / image.name
        studies.append(_found(image, role, hidden if hidden.is_file() else None, "test"))
    return studies


def _found(image: Path, role: str, reference: Path | None, part: str) -> Found:
    name = image.name.removesuffix(".gz").removesuffix(".nii")
    return Found(name, {role: image}, reference, part)
