"""Real MRML (slicer-core), made ready as Slicer makes it ready: scene, logics, ``slicer.modules``; errors are kept.

One scene a process: the Segmentations logic registers its converters once. Tests clear the scene between them.
What of Slicer is real here and what is not is told in the README of this folder.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_booted: list[Any] = []
_STORABLE = "vtkMRMLStorableNode"


class ErrorCounter(vtk.vtkOutputWindow):
    """Keeps what VTK and MRML complain about; they print and go on where Python would raise."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.AddObserver("ErrorEvent", self._keep)
        self.AddObserver("WarningEvent", self._keep)

    @vtk.calldata_type(vtk.VTK_STRING)
    def _keep(self, _caller: Any, event: str, text: str) -> None:
        self.messages.append(f"{event}: {text}")

    def take(self) -> list[str]:
        """Give the complaints since the last call."""
        messages, self.messages = self.messages, []
        return messages


def boot() -> tuple[Any, ErrorCounter]:
    """Give the one scene of this process and the error counter; made on the first call."""
    if _booted:
        return _booted[0], _booted[1]
    errors = ErrorCounter()
    vtk.vtkOutputWindow.SetInstance(errors)
    folder = tempfile.mkdtemp(prefix="medsegai-scene-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    scene, application = slicer.vtkMRMLScene(), slicer.vtkSlicerApplicationLogic()
    cache, files = slicer.vtkCacheManager(), slicer.vtkDataIOManager()  # without them a bundle cannot be read
    cache.SetRemoteCacheDirectory(folder)
    files.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(files)
    application.SetMRMLScene(scene)
    application.SetTemporaryPath(folder)
    application.SetSliceLogics(vtk.vtkCollection())
    application.SetViewLogics(vtk.vtkCollection())
    modules = types.SimpleNamespace()

    def add(name: str, logic: Any) -> None:
        logic.SetMRMLScene(scene)
        logic.SetMRMLApplicationLogic(application)
        application.SetModuleLogic(name, logic)
        setattr(modules, name.lower(), types.SimpleNamespace(logic=lambda: logic))

    # The order matters: colors before volumes, exactly one segmentations logic.
    colors = application.GetColorLogic()
    add("Colors", colors)
    colors.AddDefaultColorNodes()
    add("Volumes", slicer.vtkSlicerVolumesLogic())
    # The desktop's lists of terms are not in slicer-core; it says so three times.
    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    add("Terminologies", slicer.vtkSlicerTerminologiesModuleLogic())
    vtk.vtkLogger.SetStderrVerbosity(verbosity)
    add("Segmentations", slicer.vtkSlicerSegmentationsModuleLogic())
    add("Markups", slicer.vtkSlicerMarkupsLogic())
    add("Sequences", slicer.vtkSlicerSequencesLogic())
    add("SubjectHierarchy", slicer.vtkSlicerSubjectHierarchyModuleLogic())
    slicer.mrmlScene, slicer.modules = scene, modules
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    _booted.extend([scene, errors, application, cache, files])
    return scene, errors


def addVolume(array: np.ndarray, ijkToRas: np.ndarray, name: str, nodeClass: str = "vtkMRMLScalarVolumeNode") -> Any:
    """Add a volume node; array ``[z, y, x]``, 4x4 index to RAS mm."""
    node = slicer.util.addVolumeFromArray(
        np.array(array), ijkToRAS=np.array(ijkToRas), name=name, nodeClassName=nodeClass
    )
    node.CreateDefaultDisplayNodes()
    return node


def addTransform(scene: Any, matrix: np.ndarray, name: str = "Transform", parent: Any = None) -> Any:
    """Add a linear transform node, 4x4 to its parent."""
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.array(matrix)))
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def addLayout(scene: Any) -> Any:
    """Add the layout node, four views up; the application would know all layouts and make their views."""
    layout = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    for number in (layout.SlicerLayoutFourUpView, layout.SlicerLayoutCompareGridView):
        layout.AddLayoutDescription(number, "<layout/>")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpView)
    return layout


def addCase(case: Any, prefix: str = "head") -> dict[str, Any]:
    """Add the volumes of a case as nodes named "<prefix>_<role>"; gives the node by role."""
    return {
        role: addVolume(volume.array, volume.grid.ijk_to_ras, f"{prefix}_{role}")
        for role, volume in case.volumes.items()
    }


def saveAsMrml(scene: Any, folder: Path) -> Path:
    """Save a scene as Slicer's dialog "Save data" does at first: ``scene.mrml``, and a file beside it for each node."""
    nodes = [scene.GetNthNodeByClass(i, _STORABLE) for i in range(scene.GetNumberOfNodesByClass(_STORABLE))]
    for number, node in enumerate(nodes):
        if not node.GetSaveWithScene() or node.GetHideFromEditors():
            continue
        node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        if storage is not None:
            suffix = storage.GetDefaultWriteFileExtension()
            storage.SetFileName(str(folder / f"{number} {node.GetName()}.{suffix}"))
            if not storage.WriteData(node):
                raise AssertionError(node.GetName())
    path = folder / "scene.mrml"
    scene.SetRootDirectory(str(folder))
    if not scene.Commit(str(path)):
        raise AssertionError(path)
    return path


def fingerprint(node: Any) -> tuple[Any, ...]:
    """Give everything of a volume node that a run could change: voxels, place, parent, name, attributes, references."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return (
        node.GetName(),
        node.GetTransformNodeID(),
        slicer.util.arrayFromVTKMatrix(matrix).tobytes(),
        slicer.util.arrayFromVolume(node).tobytes(),
        str(slicer.util.arrayFromVolume(node).dtype),
        tuple((name, node.GetAttribute(name)) for name in node.GetAttributeNames()),
        tuple(node.GetNthDisplayNodeID(index) for index in range(node.GetNumberOfDisplayNodes())),
    )


def segmentationFingerprint(node: Any) -> tuple[Any, ...]:
    """Give everything of a segmentation that a run could change: segments with voxels and tags, place, display."""
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    segments = []
    for name in segmentation.GetSegmentIDs():
        segment, image = segmentation.GetSegment(name), slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(name, image)
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        scalars = image.GetPointData().GetScalars()
        voxels = vtk_to_numpy(scalars).tobytes() if scalars is not None else b""
        place = (image.GetExtent(), slicer.util.arrayFromVTKMatrix(matrix).tobytes())
        names = (name, segment.GetName(), segment.GetColor(), segmentation.GetLayerIndex(name))
        tag = vtk.reference("")
        segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), tag)
        segments.append((names, str(tag), place, voxels))
    shown = display and [display.GetSegmentVisibility(name) for name in segmentation.GetSegmentIDs()]
    attributes = tuple((name, node.GetAttribute(name)) for name in node.GetAttributeNames())
    return (
        node.GetName(),
        node.GetTransformNodeID(),
        attributes,
        tuple(segments),
        display and display.GetVisibility(),
        shown,
    )
