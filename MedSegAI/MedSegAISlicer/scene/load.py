"""Files into the scene, and the scene into a file, where no application of Slicer does it. Ring 9 (scene); no Qt.

Volumes are read by MRML's own readers, as Slicer reads them. A result folder (of the shell or of an export) becomes a
node of ours again: with its passport, labels, places to look at and statements.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from MedSegAILib.core.doubt import Doubt
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.result import Passport

from .files import writeWhole
from .handing_over import referenceBox
from .places import DOUBT_ATTRIBUTE
from .segment_box import SegmentBox, Together, boxOf, putMask
from .segment_mark import keepMarks
from .segmentations import PASSPORT_ATTRIBUTE, SCHEME_ATTRIBUTE, STATEMENTS_ATTRIBUTE, maskFromSegment
from .story import tell
from .volumes import gridFromNode

SEGMENTATION_FILE = "segmentation.seg.nrrd"
PASSPORT_FILE = "passport.json"
_BESIDE_PASSPORT = ("notices", "doubt")  # what the shell writes into the same file
_SAME_VOXEL = 0.05  # of a voxel: grids of files agree to some thousandths
# Air is -1000 HU; no MR scan goes as low.
_AIR_HU = -900.0
# Soft tissue of the abdomen; the range that MRML guesses runs from air to metal.
_CT_WINDOW, _CT_LEVEL = 400.0, 40.0


@dataclass(frozen=True)
class ImageFiles:
    """One image on disk.

    Args:
        files: the image file, or the files of a DICOM series.
        name: of the node.
        role: of the task, where it is known; empty otherwise.
        modality: of DICOM, "MR" or "CT"; empty where it is not known.
    """

    files: tuple[Path, ...]
    name: str
    role: str = ""
    modality: str = ""


def loadImage(image: ImageFiles) -> Any:
    """Load an image as a volume node.

    Raises:
        InputError: "scene.unreadable" when MRML cannot read it; nothing is left in the scene.
    """
    names = vtk.vtkStringArray()
    for path in image.files if len(image.files) > 1 else ():
        names.InsertNextValue(str(path))
    first = str(image.files[0])
    volumes = slicer.modules.volumes.logic()
    node = volumes.AddArchetypeVolume(first, image.name, 0, names) if len(image.files) > 1 else None
    if node is None:
        node = volumes.AddArchetypeVolume(first, image.name, 0)
    if node is None:
        raise InputError(
            "scene.unreadable",
            f"The image {image.name} cannot be read.",
            "Check it with `medsegai segment`, which tells what is wrong with a file.",
        )
    if image.modality:
        node.SetAttribute("DICOM.Modality", image.modality)
    if "CT" in (image.modality, image.role) or node.GetImageData().GetScalarRange()[0] <= _AIR_HU:
        display = node.GetDisplayNode()
        display.AutoWindowLevelOff()
        display.SetWindowLevel(_CT_WINDOW, _CT_LEVEL)
    return node


def loadResult(folder: Path, scheme: LabelScheme, volumeNodes: Sequence[Any] = ()) -> Any:
    """Load a result folder as a segmentation node of ours.

    Args:
        folder: with ``segmentation.seg.nrrd`` and ``passport.json``.
        scheme: labels and regions of the task.
        volumeNodes: the first one on the grid of the result becomes its reference.

    Raises:
        InputError: "scene.result" when one of the files is missing or cannot be read.
    """
    try:
        record = json.loads((folder / PASSPORT_FILE).read_text(encoding="utf-8"))
        passport = Passport.from_json({key: value for key, value in record.items() if key not in _BESIDE_PASSPORT})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _noResult(PASSPORT_FILE) from error
    path = folder / SEGMENTATION_FILE
    logic = slicer.modules.segmentations.logic()
    node = logic.LoadSegmentationFromFile(str(path), True, passport.task) if path.is_file() else None
    if node is None:
        raise _noResult(SEGMENTATION_FILE)
    node.CreateDefaultDisplayNodes()
    reference = next((volume for volume in volumeNodes if _holdsVoxelsOf(node, volume)), None)
    if reference is not None:
        _bringOnto(node, reference)
    node.SetAttribute(PASSPORT_ATTRIBUTE, json.dumps(passport.to_json(), sort_keys=True))
    node.SetAttribute(SCHEME_ATTRIBUTE, json.dumps(scheme.to_json(), sort_keys=True))
    notices = [f"{notice['message']} {notice['hint']}".strip() for notice in record.get("notices") or ()]
    node.SetAttribute(STATEMENTS_ATTRIBUTE, json.dumps(notices))
    if record.get("doubt"):
        doubt = Doubt.from_json(record["doubt"])
        node.SetAttribute(DOUBT_ATTRIBUTE, json.dumps(doubt.to_json(), sort_keys=True))
    keepMarks(node)
    tell(node, "opened from a result folder")
    return node


def taskOfResult(folder: Path) -> str:
    """Give the task of a result folder; empty when it tells none."""
    try:
        return str(json.loads((folder / PASSPORT_FILE).read_text(encoding="utf-8"))["task"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def saveScene(scene: Any, path: Path) -> Path:
    """Save all of a scene as one file (``.mrb``), whole or not at all.

    Raises:
        ResourceError: "output.not_writable".
    """
    return writeWhole(path, lambda aside: bool(scene.WriteToMRB(str(aside))))


def openScene(scene: Any, path: Path) -> None:
    """Replace what is in a scene by a saved one: one file (``.mrb``), or ``.mrml`` with its data files beside it.

    Raises:
        InputError: "scene.file" when the file is not there or is no saved scene.
    """
    if not path.is_file():
        raise InputError("scene.file", f"There is no file {path.name}.", "Check the path of the saved scene.")
    scene.Clear(0)
    if path.suffix.lower() == ".mrml":
        scene.SetURL(str(path))
        isRead = bool(scene.Import())
    else:
        isRead = bool(scene.ReadFromMRB(str(path)))
    if not isRead:
        raise InputError("scene.file", f"{path.name} cannot be read as a saved scene.", "Choose a .mrb or .mrml file.")


def _holdsVoxelsOf(segmentationNode: Any, volumeNode: Any) -> bool:
    """Tell whether the voxels of a segmentation that was just loaded are those of a volume.

    MRML turns left-handed volumes over when it reads them, so one may be stored upside down against the other.
    """
    mine, grid = referenceBox(segmentationNode), gridFromNode(volumeNode)
    to_mine = np.linalg.inv(mine.ijk_to_ras) @ grid.ijk_to_ras
    ends = [np.array([*corner, 1.0]) for corner in product(*((0, count - 1) for count in grid.shape_zyx[::-1]))]
    found = np.array([(to_mine @ end)[:3] for end in ends]) - mine.first_ijk
    wanted = np.array(list(product(*((0, count - 1) for count in mine.mask.shape[::-1]))))
    gaps = np.linalg.norm(found[:, None] - wanted[None], axis=2)
    return bool((gaps.min(axis=0) < _SAME_VOXEL).all() and (gaps.min(axis=1) < _SAME_VOXEL).all())


def _bringOnto(segmentationNode: Any, volumeNode: Any) -> None:
    """Store the segments with the axes of a volume that has the same voxels, so that indices can be compared."""
    segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    grid = gridFromNode(volumeNode)
    whole = SegmentBox(np.ones((1, 1, 1), bool), (0, 0, 0), grid.ijk_to_ras)
    for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
        box = boxOf(segmentationNode, segmentId)
        if box.mask.size and not whole.isOnGridOf(box):
            mask = maskFromSegment(segmentationNode, segmentId, volumeNode)
            putMask(segmentationNode, segmentId, mask, Together((mask,), (0, 0, 0), grid.ijk_to_ras))


def _noResult(name: str) -> InputError:
    return InputError(
        "scene.result",
        f"The folder has no {name} that can be read, so it is no result of ours.",
        "Give the folder that `medsegai segment --output` or an export has written.",
    )
