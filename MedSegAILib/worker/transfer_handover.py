"""A result to be written as files, into its message and back; the boxes travel as ``transfer`` has them. Ring 7."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.core.handover import HandedSegment, Handover
from MedSegAILib.core.volume import Grid

from .protocol import broken
from .transfer import Array, read_array, write_array


def write_handover(handed: Handover, folder: Path) -> dict[str, Any]:
    """Write the boxes of a handover and give its message.

    Raises:
        ResourceError: "worker.disk" when they cannot be written.
    """
    segments = [
        {
            "id": one.id,
            "title": one.title,
            "color": list(one.color),
            "first_zyx": list(one.first_zyx),
            "terminology": one.terminology,
            "mask": write_array(one.mask, folder / f"segment-{index}.raw") if one.mask.size else None,
        }
        for index, one in enumerate(handed.segments)
    ]
    return {
        "shape_zyx": list(handed.grid.shape_zyx),
        "ijk_to_ras": handed.grid.ijk_to_ras.tolist(),
        "segments": segments,
        "labels": write_array(handed.labels, folder / "labels.raw") if handed.labels.size else None,
        "labels_dtype": handed.labels.dtype.str,
        "labels_first_zyx": list(handed.labels_first_zyx),
        "passport": dict(handed.passport),
        "texts": dict(handed.texts),
        "dicom": handed.dicom,
        "is_edited": handed.is_edited,
    }


def read_handover(message: Mapping[str, Any], folder: Path) -> Handover:
    """Rebuild a handover.

    Raises:
        WorkerError: "worker.protocol" when message and files do not fit together.
    """
    try:
        depth, height, width = (int(count) for count in message["shape_zyx"])
        segments = tuple(_segment(entry, folder) for entry in message["segments"])
        return Handover(
            Grid((depth, height, width), np.array(message["ijk_to_ras"], dtype=np.float64)),
            segments,
            _array(message["labels"], np.dtype(message["labels_dtype"]), folder),
            _first(message["labels_first_zyx"]),
            dict(message["passport"]),
            {str(name): str(text) for name, text in dict(message["texts"]).items()},
            str(message["dicom"]),
            bool(message["is_edited"]),
        )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise broken(f"what is to be written cannot be read ({type(error).__name__}: {error})") from error


def _segment(entry: Mapping[str, Any], folder: Path) -> HandedSegment:
    red, green, blue = (float(part) for part in entry["color"])
    return HandedSegment(
        str(entry["id"]),
        str(entry["title"]),
        (red, green, blue),
        _array(entry["mask"], np.dtype(bool), folder),
        _first(entry["first_zyx"]),
        str(entry["terminology"]),
    )


def _array(entry: Mapping[str, Any] | None, dtype: np.dtype[Any], folder: Path) -> Array:
    return np.zeros((0, 0, 0), dtype) if entry is None else read_array(entry, folder)


def _first(values: Any) -> tuple[int, int, int]:
    z, y, x = (int(value) for value in values)
    return z, y, x
