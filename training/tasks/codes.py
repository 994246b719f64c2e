"""Coded names of labels and regions, and the colors that are told apart by every eye. Beside the library (training).

Codes are those of Slicer's own terminology tables (DICOM-Master); colors by Okabe and Ito.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

BLACK, ORANGE, SKY, GREEN = [0.0, 0.0, 0.0], [0.902, 0.624, 0.0], [0.337, 0.706, 0.914], [0.0, 0.620, 0.451]
YELLOW, BLUE, VERMILION, PURPLE = [0.941, 0.894, 0.259], [0.0, 0.447, 0.698], [0.835, 0.369, 0.0], [0.8, 0.475, 0.655]


def code(value: str, meaning: str) -> Json:
    """Give a SNOMED CT concept."""
    return {"scheme": "SCT", "value": value, "meaning": meaning}


def anatomy(value: str, meaning: str) -> Json:
    """Give the terminology of an anatomical structure."""
    return {"category": code("123037004", "Anatomical Structure"), "type": code(value, meaning)}


def tissue(value: str, meaning: str) -> Json:
    """Give the terminology of a tissue."""
    return {"category": code("85756007", "Tissue"), "type": code(value, meaning)}


def altered(value: str, meaning: str, region: Json) -> Json:
    """Give the terminology of a lesion in a region of the body."""
    return {
        "category": code("49755003", "Morphologically Altered Structure"),
        "type": code(value, meaning),
        "region": region,
    }


def label(value: int, name: str, title: str, color: list[float], terminology: Json) -> Json:
    """Give an entry of the manifest's labels."""
    return {"value": value, "name": name, "title": title, "color": color, "terminology": terminology}


def region(name: str, title: str, labels: list[int], color: list[float], terminology: Json) -> Json:
    """Give an entry of the manifest's regions."""
    return {"name": name, "title": title, "labels": labels, "color": color, "terminology": terminology}


def same_regions(labels: list[Json]) -> list[Json]:
    """Give one region for each label, under the same name."""
    return [region(entry["name"], entry["title"], [entry["value"]], entry["color"], entry["terminology"])
            for entry in labels]  # fmt: skip
