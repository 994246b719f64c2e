"""How a result looks in the views, and the surfaces of its regions. Ring 10 (web).

Surfaces follow every edit, which costs seconds without a GPU; so they are taken away while a tool is in the hand.
"""

from __future__ import annotations

import asyncio
from typing import Any

from trame_slicer.segmentation import SegmentationOverwriteMode

from MedSegAISlicer.scene.segmentations import readScheme
from MedSegAISlicer.scene.stage_boxes import showBoxesOf

from .desk import Desk
from .views import Views

_FILL, _OUTLINE_PX = 0.25, 2
_SLICES_FIRST_S = 0.3  # the loop draws the slices meanwhile
_SURFACE_OUTER, _SURFACE_INNER = 0.35, 1.0


class ResultView:
    """Shows one segmentation node and hands its segments to the brush."""

    def __init__(self, desk: Desk, views: Views) -> None:
        self.desk = desk
        self.state = desk.state
        self.views = views
        self.editor = desk.application.segmentation_editor
        self.node: Any = None
        self.isEditing = False
        self.state.update({"surface_hint": ""})
        self.state.shows_boxes = True
        desk.onChange("shows_surfaces", lambda _shows: self.drawSurfaces())
        desk.onChange("shows_boxes", lambda _shows: self.drawBoxes())

    def show(self, segmentationNode: Any) -> None:
        """Show a result in all views; None forgets the last one."""
        self.node = segmentationNode
        if segmentationNode is None:
            self.editor.clear()
            return
        reference = segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole())
        if reference is not None:
            self.editor.set_active_segmentation(segmentationNode, reference)
            # Regions lie one within the other: drawing one must not take voxels from another.
            self.editor.set_overwrite_mode(SegmentationOverwriteMode.ALLOW_OVERLAP)
        _dress(segmentationNode)
        self.drawBoxes()
        self.drawSurfaces()

    def edit(self, segmentId: str) -> None:
        """Hand a region to the brush."""
        if self.node is not None and self.editor.active_segmentation_node is self.node:
            self.editor.set_active_segment_id(segmentId)

    def drawBoxes(self) -> None:
        """Show where the stages looked, or hide it; never while a tool is in the hand, which would catch on them."""
        if self.node is not None:
            showBoxesOf(self.node, bool(self.state.shows_boxes) and not self.isEditing)

    def drawSurfaces(self) -> None:
        """Draw the surfaces, or take them away, as the page says; drawing comes after what is more urgent."""
        if self._isWanted:
            self.state.surface_hint = "Drawing the surfaces\N{HORIZONTAL ELLIPSIS}"
            self.desk.later(self._drawSoon())
            return
        self.editor.show_3d(False)
        self.state.surface_hint = "Surfaces rest while a tool is in use." if self.isEditing else ""

    @property
    def _isWanted(self) -> bool:
        return bool(self.state.shows_surfaces) and not self.isEditing and self.node is not None

    async def _drawSoon(self) -> None:
        self.state.flush()
        await asyncio.sleep(_SLICES_FIRST_S)
        if self._isWanted and not self.editor.is_3d_shown():
            self.editor.show_3d(True)
            self.views.surfaces().reset_view()
        self.state.surface_hint = ""


def _dress(segmentationNode: Any) -> None:
    """Outline what was found and fill it faintly; in the surfaces outer regions let inner ones shine through."""
    display, scheme = segmentationNode.GetDisplayNode(), readScheme(segmentationNode)
    display.SetSliceIntersectionThickness(_OUTLINE_PX)
    display.SetOpacity2DFill(_FILL)
    display.SetVisibility2DFill(True)
    display.SetVisibility2DOutline(True)
    regions = scheme.regions if scheme is not None else ()
    for region in regions:
        holds = [other for other in regions if set(other.labels) < set(region.labels)]
        display.SetSegmentOpacity3D(region.name, _SURFACE_OUTER if holds else _SURFACE_INNER)
