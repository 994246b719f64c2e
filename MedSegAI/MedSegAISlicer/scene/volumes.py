"""Volume nodes to nouns: voxels as ``[z, y, x]`` (Slicer's k, j, i) and the place of the grid.

``GetIJKToRASMatrix`` ignores the parent transform. All volumes of a case are therefore handed over in one frame: that
of the *reference node's parent*. A volume under the same parent keeps its own matrix; one under another linear parent
is composed into the frame; a non-linear parent is refused. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.volume import Grid, Volume

Matrix = npt.NDArray[np.float64]


def checkVolumeNode(node: Any, title: str = "The input") -> None:
    """Let a node pass that can be segmented.

    Args:
        node: any MRML node, or None.
        title: what a message calls the input ("T1ce"); node names are not used, they may name a patient.

    Raises:
        UsageError: "scene.no_volume" for None or a node that is not in a scene.
        InputError: "scene.not_a_scan", "scene.empty_volume", "scene.color_volume", "scene.flat_volume",
            "scene.sequence_frame", "scene.nonlinear_transform".
    """
    if node is None or node.GetScene() is None:
        raise UsageError("scene.no_volume", f"{title} has no volume.", "Choose a volume for it.")
    if not node.IsA("vtkMRMLScalarVolumeNode") or node.IsA("vtkMRMLLabelMapVolumeNode"):
        kind = "a label map" if node.IsA("vtkMRMLLabelMapVolumeNode") else f"a {node.GetNodeTagName()} node"
        if node.IsA("vtkMRMLSequenceNode") or node.IsA("vtkMRMLSequenceBrowserNode"):
            kind = "a sequence of volumes"
        raise InputError("scene.not_a_scan", f"{title} is {kind}, not a scan.", "Choose a scalar volume.")
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None or 0 in image.GetDimensions():
        raise InputError("scene.empty_volume", f"{title} holds no voxels.", "Load the scan again.")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError(
            "scene.color_volume",
            f"{title} has {image.GetNumberOfScalarComponents()} values in each voxel, one is wanted.",
            "Choose a gray-value scan.",
        )
    if 1 in image.GetDimensions():
        size = " x ".join(str(count) for count in image.GetDimensions())
        raise InputError(
            "scene.flat_volume",
            f"{title} is a single slice ({size} voxels).",
            "Load the whole series as one volume.",
        )
    _refuseSequenceFrame(node, title)
    parent = node.GetParentTransformNode()
    if parent is not None and not parent.IsTransformToWorldLinear():
        raise InputError(
            "scene.nonlinear_transform",
            f"{title} lies under a warping (non-linear) transform.",
            "Harden the transform on a copy of the volume and choose the copy, or take the volume out of it.",
        )


def _refuseSequenceFrame(node: Any, title: str) -> None:
    """Refuse the volume that a sequence browser repaints: its voxels change while a job runs."""
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", node.GetScene()):
        if browser.IsProxyNodeID(node.GetID()):
            raise InputError(
                "scene.sequence_frame",
                f"{title} shows one frame of a sequence and changes with its browser.",
                "Clone the volume (right click in the Data module) and choose the copy.",
            )


def frameMatrix(node: Any, referenceNode: Any) -> Matrix:
    """Give the 4x4 from the frame of a node's parent to that of the reference's parent, RAS mm to RAS mm."""
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
        node.GetParentTransformNode(), referenceNode.GetParentTransformNode(), matrix
    )
    return slicer.util.arrayFromVTKMatrix(matrix)


def gridFromNode(node: Any, referenceNode: Any = None) -> Grid:
    """Give the grid of a volume node, in the frame of the reference's parent.

    Args:
        node: a volume node that passed :func:`checkVolumeNode`.
        referenceNode: node whose parent is the frame; None takes the node itself (its own local geometry).
    """
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ijkToRas = slicer.util.arrayFromVTKMatrix(matrix)
    if referenceNode is not None and referenceNode.GetParentTransformNode() is not node.GetParentTransformNode():
        ijkToRas = frameMatrix(node, referenceNode) @ ijkToRas
    width, height, depth = node.GetImageData().GetDimensions()
    return Grid((depth, height, width), ijkToRas)


def volumeFromNode(node: Any, referenceNode: Any = None, title: str = "The input", *, isCopied: bool = True) -> Volume:
    """Give the voxels and the place of a volume node.

    Args:
        node: a scalar volume node.
        referenceNode: as in :func:`gridFromNode`.
        title: name of the volume in messages.
        isCopied: False gives the node's own voxels: for who is done with them before anything else happens.

    Returns:
        Array ``[z, y, x]`` in the dtype of the node.

    Raises:
        UsageError, InputError: as :func:`checkVolumeNode`.
    """
    checkVolumeNode(node, title)
    voxels = slicer.util.arrayFromVolume(node)
    array = np.array(voxels) if isCopied else voxels
    return Volume(array, gridFromNode(node, referenceNode), name=title)


def referenceRole(inputs: Mapping[str, Any], preferred: Sequence[str] = ()) -> str:
    """Give the role whose grid the result will lie on: the first preferred one that is given, else the first.

    Raises:
        UsageError: "case.empty" when no volume is given.
    """
    given = [role for role, node in inputs.items() if node is not None]
    if not given:
        raise UsageError("case.empty", "No volume is chosen.", "Choose a volume for at least one sequence.")
    return next((role for role in preferred if role in given), given[0])


def unchanged(inputs: Mapping[str, Any]) -> Callable[[], None]:
    """Give a check that the voxels of some volume nodes are those of now.

    The voxels stay readable as long as the check lives, even when their node goes; but when somebody changes them,
    VTK may have given their memory back.

    Args:
        inputs: volume node by role; None for a sequence that is not there.

    Returns:
        Raises InputError "scene.volume_changed" when it is called after a change.
    """
    images = {role: node.GetImageData() for role, node in inputs.items() if node is not None}
    before = {role: image.GetMTime() for role, image in images.items()}

    def check() -> None:
        for role, image in images.items():
            if image.GetMTime() != before[role]:
                raise InputError(
                    "scene.volume_changed",
                    f"{role} was changed while it was handed over to the worker.",
                    "Press Segment again.",
                )

    return check


def caseFromNodes(inputs: Mapping[str, Any], preferred: Sequence[str] = (), *, isCopied: bool = True) -> Case:
    """Give the case of some volume nodes, in the frame of the reference's parent.

    Args:
        inputs: node by role; None stands for a sequence that is not there.
        preferred: roles in the order in which they serve as reference.
        isCopied: as in :func:`volumeFromNode`.

    Raises:
        UsageError: "scene.same_volume" when one node is given for two roles; "case.empty".
        InputError: as :func:`checkVolumeNode`.
    """
    reference = referenceRole(inputs, preferred)
    given = {role: node for role, node in inputs.items() if node is not None}
    roleOf: dict[str, str] = {}
    for role, node in given.items():
        checkVolumeNode(node, role)
        other = roleOf.setdefault(node.GetID(), role)
        if other != role:
            raise UsageError(
                "scene.same_volume",
                f"{other} and {role} are the same volume.",
                f"Choose another volume for one of them, or none for {role}.",
            )
    volumes = {role: volumeFromNode(node, given[reference], role, isCopied=isCopied) for role, node in given.items()}
    return Case(volumes, reference=reference)
