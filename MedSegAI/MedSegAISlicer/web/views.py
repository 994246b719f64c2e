"""The views: three slices and the surfaces, what they show, and what is drawn over them. Ring 10 (web).

Surfaces are drawn on demand; volume rendering is never switched on (88 s a frame without a GPU).
"""

from __future__ import annotations

from typing import Any

import vtk
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_slicer.app.logic.slice_view_logic import connect_slice_view_slider_to_state
from trame_slicer.core import LayoutManager
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import Layout, LayoutDirection, ViewLayoutDefinition, ViewProps, ViewType

from MedSegAISlicer.scene.side_by_side import COMPARE

from .desk import Desk
from .look import MORE

BACKGROUND = "#000000"
# What stands at the four edges of a view: left, right, top, bottom; radiological, the patient's right on the left.
_LETTERS = {"Axial": "RLAP", "Coronal": "RLSI", "Sagittal": "APSI"}
_AXES = ("RL", "AP", "SI")  # letters of the positive and the negative half of each axis of the world
_TAGS = {"Axial": "Red", "Coronal": "Green", "Sagittal": "Yellow"}
BESIDE = "beside"  # the layout with a view for each sequence
MOST_BESIDE = 4
_BESIDE_GROUP = 1  # of views: what links them must not reach the others
_FRAMES_A_SECOND = 20.0
# One quality for moving and resting pictures: trame draws a second frame where they differ.
_QUALITY = 90


class Views:
    """The views of the page."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.state = desk.state
        self._manager = desk.application.view_manager
        register_rca_factories(
            self._manager,
            desk.server,
            slice_view_ui_f=self._drawOverSlice,
            three_d_view_ui_f=self._drawOverSurfaces,
            target_fps=_FRAMES_A_SECOND,
            blur_fps=_FRAMES_A_SECOND,
            interactive_quality=_QUALITY,
        )
        self.layouts = LayoutManager(desk.scene, self._manager, desk.server)
        self.layouts.register_layout_dict(_layouts())
        self.state.update({"layout": "four", "shows_surfaces": True})
        self.layouts.set_layout("four")
        for view in self._manager.get_views():
            view.render_window().SetMultiSamples(0)  # with them, software GL loses what is translucent
        # Translucent regions lie one within the other and are drawn in that order; peeling costs three times as much.
        self.surfaces().renderer().SetUseDepthPeeling(False)
        self._putImagesFirst()
        self.beside: list[Any] = []
        self.state.update({f"beside_{number}": "" for number in range(1, MOST_BESIDE + 1)})

    def _putImagesFirst(self) -> None:
        """Let the slices draw their image before all else.

        trame-slicer adds it with the first volume; a segmentation that came before would then cut holes into it.
        """
        node = self.desk.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        image = vtk.vtkImageData()
        image.SetDimensions(2, 2, 2)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        node.SetAndObserveImageData(image)
        node.CreateDefaultDisplayNodes()
        self.showVolume(node)
        self.showVolume(None)
        self.desk.scene.RemoveNode(node.GetDisplayNode())
        self.desk.scene.RemoveNode(node)

    def makeBeside(self, count: int) -> None:
        """Make the views for so many sequences side by side, as far as they are not there."""
        self.layouts.register_layout(f"{BESIDE}{count}", _besideLayout(count))
        views = [self._manager.get_view(f"{COMPARE}{number}") for number in range(1, count + 1)]
        for view in views[len(self.beside) :]:
            view.render_window().SetMultiSamples(0)
            view.modified.connect(lambda moved: self._follow(moved))
        self.beside = views

    def showBeside(self, count: int) -> None:
        """Show the views that were made and filled, at the place of the axial view."""
        self.layouts.register_layout(f"{BESIDE}{count}", _besideLayout(count))
        self.layouts.set_layout(f"{BESIDE}{count}")
        axial = self._manager.get_view(_TAGS["Axial"]).get_slice_value()
        for view in self.beside[:count]:
            _drawImageFirst(view.first_renderer())
            view.fit_view_to_content()
            view.set_slice_value(axial)

    def _follow(self, moved: Any) -> None:
        """Bring the other views side by side to the slice of one: MRML links the mouse, not the slider."""
        for view in self.beside:
            view.set_slice_value(moved.get_slice_value())

    def surfaces(self) -> Any:
        """Give the view of the surfaces."""
        return self._manager.get_threed_views()[0]

    def showVolume(self, volumeNode: Any) -> None:
        """Show a volume in the slices; where they stand stays."""
        self.desk.application.display_manager.show_volume_in_slice_background(volumeNode, view_group=0)

    def reset(self) -> None:
        """Fit what is shown into all views."""
        self.desk.application.display_manager.reset_views()

    def render(self) -> None:
        """Draw all views anew when there is time."""
        for view in self._manager.get_views():
            view.schedule_render()

    def _drawOverSlice(self, server: Any, viewId: str, view: Any) -> None:
        tag = view.get_singleton_tag()
        name = next((name for name, known in _TAGS.items() if known == tag), "Axial")
        title = f"{{{{ beside_{tag.removeprefix(COMPARE)} }}}}" if tag.startswith(COMPARE) else name
        slider = connect_slice_view_slider_to_state(server, view)
        where = f"where_{tag.lower()}"
        self.state.setdefault(where, "")
        view.modified.connect(lambda _view: self.state.update({where: _position(view)}))
        self._drawTitle(title, f"Fit {name.lower()} view", view)
        for letter, place in zip(_LETTERS[name], ("left", "right", "top", "bottom"), strict=True):
            html.Div(letter, classes=f"letter letter-{place}")
        with html.Div(classes="slice-slider"):
            v3.VSlider(
                v_model=(slider.name.value,),
                min=(slider.name.min_value,),
                max=(slider.name.max_value,),
                step=(slider.name.step,),
                hide_details=True,
                thumb_size=12,
                track_size=2,
                color="grey-lighten-1",
                aria_label=f"{name} slice",
                **MORE,
            )
            html.Span(f"{{{{ {where} }}}}", classes="slice-position")

    def _drawOverSurfaces(self, _server: Any, _viewId: str, view: Any) -> None:
        self._drawTitle("Surfaces", "Fit surfaces view", view)
        html.Div("{{ surface_hint }}", classes="surface-hint", v_if="surface_hint")

    def _drawTitle(self, title: str, hint: str, view: Any) -> None:
        with html.Div(classes="view-title"):
            html.Span(title)
            with v3.VBtn(
                icon=True,
                size="x-small",
                variant="text",
                density="comfortable",
                click=self.desk.slot(view.reset_view),
                title=hint,
            ):
                v3.VIcon("mdi-fit-to-page-outline", size="small")


def _drawImageFirst(renderer: Any) -> None:
    """Let a slice draw its image before the segmentations that were there when the view was made; see above."""
    props = renderer.GetViewProps()
    drawn = [props.GetItemAsObject(index) for index in range(props.GetNumberOfItems())]
    behind = vtk.VTK_BACKGROUND_LOCATION  # of the image alone; fills of segments are images in front of it
    later = [one for one in drawn if not (one.IsA("vtkActor2D") and one.GetProperty().GetDisplayLocation() == behind)]
    for prop in later:
        renderer.RemoveViewProp(prop)
    for prop in later:
        renderer.AddViewProp(prop)


def _position(view: Any) -> str:
    """Say where a slice lies, as a reader says it: "S 26.5 mm"."""
    matrix = view.get_view_node().GetSliceToRAS()
    offset = view.get_slice_value()
    normal = [matrix.GetElement(row, 2) for row in range(3)]
    axis = max(range(3), key=lambda row: abs(normal[row]))
    isPositive = (offset >= 0) == (normal[axis] > 0)
    return f"{_AXES[axis][0 if isPositive else 1]} {abs(offset):.1f} mm"


def _slice(name: str) -> ViewLayoutDefinition:
    return ViewLayoutDefinition(
        _TAGS[name], ViewType.SLICE_VIEW, ViewProps(label=name[0], orientation=name, background_color=BACKGROUND)
    )


def _layouts() -> dict[str, Layout]:
    """Give the layouts by name."""
    axial, coronal, sagittal = (_slice(name) for name in ("Axial", "Coronal", "Sagittal"))
    surfaces = ViewLayoutDefinition.threed_view(background_color=("#10151b", "#26303b"), box_visible=False)
    across, down = LayoutDirection.Horizontal, LayoutDirection.Vertical
    return {
        "four": Layout(across, [Layout(down, [axial, coronal]), Layout(down, [surfaces, sagittal])]),
        "axial": Layout(across, [axial, Layout(down, [surfaces, coronal, sagittal])], ["2", "1"]),
    }


def _besideLayout(count: int) -> Layout:
    """Give the layout of two, three or four sequences side by side: two a row, three in one."""
    views = [
        ViewLayoutDefinition(
            f"{COMPARE}{number}",
            ViewType.SLICE_VIEW,
            ViewProps(label=str(number), orientation="Axial", group=_BESIDE_GROUP, background_color=BACKGROUND),
        )
        for number in range(1, count + 1)
    ]
    across, down = LayoutDirection.Horizontal, LayoutDirection.Vertical
    if count <= 3:
        return Layout(across, [*views])
    return Layout(down, [Layout(across, views[:2]), Layout(across, views[2:])])
