"""What someone who holds a looked-at result hands over to have it written as files. Ring 0 (core).

Not here: how it is written (``report.handed_over``), how it crosses to the worker (``worker.transfer_handover``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .volume import Grid


@dataclass(frozen=True, eq=False)
class HandedSegment:
    """One segment as it is now, edits included.

    Args:
        id: of the segment ("WT").
        title: for people.
        color: red, green, blue, 0 to 1.
        mask: bool ``[z, y, x]``, the box that holds its voxels; no voxel for an empty segment.
        first_zyx: index of the first voxel of the box on the grid.
        terminology: its coded name as Slicer serializes it; empty for none.
    """

    id: str
    title: str
    color: tuple[float, float, float]
    mask: npt.NDArray[np.bool_]
    first_zyx: tuple[int, int, int]
    terminology: str = ""


@dataclass(frozen=True, eq=False)
class Handover:
    """A result to be written.

    Args:
        grid: of the reference image; all boxes lie on it.
        segments: in their order.
        labels: ``[z, y, x]``, the box of the exclusive labels; unsigned integers.
        labels_first_zyx: index of the first voxel of that box.
        passport: ``Passport.to_json()`` of the run.
        texts: further files, name -> text; they are written as they are.
        dicom: a file of the DICOM series that the reference image was made from; empty when it was none.
        is_edited: whether a person has changed a segment.
    """

    grid: Grid
    segments: tuple[HandedSegment, ...]
    labels: npt.NDArray[np.unsignedinteger[Any]]
    labels_first_zyx: tuple[int, int, int]
    passport: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    dicom: str = ""
    is_edited: bool = False
