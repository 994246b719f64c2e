"""All sequences of a result side by side in linked views, by one call; another call brings the layout before back.

The views belong to the layout of the application; this sets what they show, and that is all that the viewer in the
browser, which has no layout node, takes from here. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import slicer
import slicer.util

from .statistics import inputsOf

_BEFORE = "MedSegAI.LayoutBefore"
COMPARE = "Compare"  # names of the views: Compare1, Compare2, ... (vtkMRMLLayoutLogic.cxx of Slicer)


def isSideBySide(scene: Any) -> bool:
    """Tell whether the sequences are side by side now."""
    layout = _layout(scene)
    return layout is not None and layout.GetViewArrangement() == layout.SlicerLayoutCompareGridView


def showSideBySide(segmentationNode: Any) -> int:
    """Show every sequence of a result in a view of its own, all linked.

    Args:
        segmentationNode: a result whose volumes are in the scene.

    Returns:
        How many volumes are shown; 0 when there is no layout or no volume, and nothing is changed then.
    """
    scene, volumes = segmentationNode.GetScene(), list(inputsOf(segmentationNode).values())
    layout = _layout(scene)
    if layout is None or not volumes:
        return 0
    if not isSideBySide(scene):
        layout.SetAttribute(_BEFORE, str(layout.GetViewArrangement()))
    columns = math.ceil(math.sqrt(len(volumes)))
    layout.SetNumberOfCompareViewColumns(columns)
    layout.SetNumberOfCompareViewRows(math.ceil(len(volumes) / columns))
    layout.SetViewArrangement(layout.SlicerLayoutCompareGridView)
    fillViews(scene, volumes)
    return len(volumes)


def showAsBefore(scene: Any) -> None:
    """Bring back the layout that was there before; nothing when none is known."""
    layout = _layout(scene)
    before = layout.GetAttribute(_BEFORE) if layout is not None else None
    if before:
        layout.RemoveAttribute(_BEFORE)
        layout.SetViewArrangement(int(before))


def _layout(scene: Any) -> Any:
    return scene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def fillViews(scene: Any, volumes: Sequence[Any]) -> None:
    """Show each volume in one of the views for comparing, the first in the first, and link these views."""
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    byName = {node.GetLayoutName(): node for node in composites}
    for number, volume in enumerate(volumes, start=1):
        composite = byName.get(f"{COMPARE}{number}")
        if composite is None:
            continue  # the application has not made this view
        composite.SetLinkedControl(False)  # else the first volume would go into all of them
        composite.SetBackgroundVolumeID(volume.GetID())
    for name, composite in byName.items():
        if name.startswith(COMPARE):
            composite.SetLinkedControl(True)
