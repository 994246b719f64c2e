"""Where the network is undecided about a region, laid over the slices as a volume of its own. Ring 9 (scene); no Qt.

The worker still has the probabilities of its last runs; for an older result there is nothing to show.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util

from MedSegAILib.worker.transfer_correction import read_doubt_map, run_of

from .correct_place import correctable
from .export import AskedClient
from .segmentations import readPassport

_OVERLAY = "MedSegAI.DoubtOverlay"
_WAIT_S = 0.02
_LEAST_SHOWN = 10  # per cent; below the image stays free
OPACITY = 0.6
_COLORS = "vtkMRMLColorTableNodeFileViridis.txt"
_COLORS_ELSE = "vtkMRMLColorTableNodeRainbow"


def showDoubt(segmentationNode: Any, segmentId: str, client: AskedClient) -> Any:
    """Lay the doubt about a region over all slice views.

    Args:
        segmentationNode: a result of ours.
        segmentId: the region.
        client: of the worker.

    Returns:
        The volume node, 0 (sure) to 100 (undecided); not saved with the scene.

    Raises:
        UsageError: "doubt.not_known" when the worker has no probabilities of this result any more.
    """
    scheme, _ = correctable(segmentationNode)
    scheme.region(segmentId)
    run = run_of(readPassport(segmentationNode))
    arguments = {"run": run, "scheme": scheme.to_json(), "region": segmentId}

    def write(_folder: Path) -> dict[str, Any]:
        return arguments

    job = client.ask_async("doubt_map", write, read_doubt_map)
    outcome: dict[str, Any] = {}
    job.on_result = lambda found: outcome.update(found=found)
    job.on_error = lambda error: outcome.update(error=error)
    while not outcome:
        client.poll(_WAIT_S)
    if "error" in outcome:
        raise outcome["error"]
    array, ijkToRas = outcome["found"]
    return _lay(segmentationNode, segmentId, array, ijkToRas)


def hideDoubt(scene: Any) -> bool:
    """Take the overlay away; tells whether there was one."""
    nodes = [
        node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene) if node.GetAttribute(_OVERLAY)
    ]
    for node in nodes:
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
            if composite.GetForegroundVolumeID() == node.GetID():
                composite.SetForegroundVolumeID(None)
        scene.RemoveNode(node)
    return bool(nodes)


def _lay(segmentationNode: Any, segmentId: str, array: Any, ijkToRas: Any) -> Any:
    scene = segmentationNode.GetScene()
    hideDoubt(scene)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(f"Doubt about {segmentId}"))
    node.SetAttribute(_OVERLAY, segmentId)
    node.SetSaveWithScene(False)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.array(ijkToRas)))
    slicer.util.updateVolumeFromArray(node, array)
    node.SetAndObserveTransformNodeID(segmentationNode.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    colors = scene.GetNodeByID(_COLORS) or scene.GetNodeByID(_COLORS_ELSE)
    if colors is not None:
        display.SetAndObserveColorNodeID(colors.GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0, 100)
    display.SetThreshold(_LEAST_SHOWN, 100)
    display.SetApplyThreshold(True)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        composite.SetForegroundVolumeID(node.GetID())
        composite.SetForegroundOpacity(OPACITY)
    return node
