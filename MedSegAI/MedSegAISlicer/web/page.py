"""The page: a panel with the steps of the work on the left, the views on the right. Widgets only. Ring 10 (web)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as v3

from MedSegAILib.core.result import RESEARCH_USE

from .keys_part import drawKeys
from .look import CSS, ICON, MORE, THEME, TITLE
from .parts import Parts
from .views import BESIDE

PANEL_PX = 392
_LIGHT_ICON = (
    "entry.color === 'green' ? 'mdi-check-circle' : entry.color === 'red' ? 'mdi-close-circle-outline' : "
    "'mdi-help-circle-outline'"
)
_LIGHT_COLOR = "entry.color === 'green' ? 'success' : entry.color === 'red' ? 'error' : 'warning'"
_FIELD: dict[str, Any] = {**MORE, "density": "compact", "variant": "outlined", "hide_details": True}


def draw(server: Any, parts: Parts) -> VAppLayout:
    """Draw the page over the parts of the viewer."""
    server.state.trame__title = TITLE
    server.state.trame__favicon = ICON
    server.state.shows_card = False
    with VAppLayout(server, theme="dark", vuetify_config=THEME) as layout:
        client.Style(CSS)
        with v3.VNavigationDrawer(permanent=True, width=PANEL_PX, classes="panel", color="surface"):
            _head()
            with html.Div(classes="steps"):
                _study(parts)
                _task(parts)
                _review(parts)
                _correct(parts)
                _export(parts)
            with v3.Template(v_slot_append=True):
                _sentence()
        with v3.VMain(classes="main"), html.Div(classes="viewport"):
            _bar(parts)
            with html.Div(classes="grid"):
                parts.views.layouts.initialize_layout_grid(layout)
            drawKeys(parts)
    return layout


def _head() -> None:
    with html.Div(classes="head"):
        html.Img(src=ICON, width=28, height=28, alt="")
        html.Span("MedSegAI viewer", classes="head-name")
        v3.VChip("research use", size="x-small", variant="outlined", title=RESEARCH_USE)


def _step(number: int, title: str, condition: str = "", beside: Callable[[], None] | None = None) -> html.Div:
    """Open a step of the work; what is drawn inside belongs to it, what ``beside`` draws stands beside its title."""
    more = {"v_show": condition} if condition else {}
    step = html.Div(classes="step", id=f"step-{title.lower()}", **more)
    with step, html.Div(classes="step-title"):
        html.Span(str(number), classes="step-number")
        html.Span(title)
        if beside is not None:
            html.Div(classes="grow")
            beside()
    return step


def _study(parts: Parts) -> None:
    slot, busy = parts.desk.slot, "run_state === 'running' || run_state === 'cancelling'"
    with _step(1, "Study"), html.Div(v_for="entry in roles", key="entry.role", classes="role"):
        html.Span("{{ entry.role }}", classes="role-name", title=("entry.title",))
        v3.VSelect(
            items=("volumes",),
            model_value=("entry.node",),
            update_modelValue=(slot(parts.study.choose), "[entry.role, $event]"),
            disabled=(busy,),
            title=("entry.reason",),
            aria_label=("`Volume of ${entry.role}`",),
            **_FIELD,
        )
        v3.VIcon(icon=(_LIGHT_ICON,), size="small", color=(_LIGHT_COLOR,), title=("entry.reason",))
        with html.Div(v_show="entry.node && entry.color !== 'green'", classes="role-doubt"):
            html.Span("{{ entry.reason }}")
            v3.VBtn(
                "{{ entry.fix }}",
                v_show="entry.fix",
                click=(slot(parts.study.fix), "[entry.role]"),
                disabled=(busy,),
                aria_label=("`Fix ${entry.role}`",),
                size="x-small",
                variant="tonal",
                color="warning",
                **MORE,
            )


def _task(parts: Parts) -> None:
    busy = "run_state === 'running' || run_state === 'cancelling'"
    with _step(2, "Task"):
        with html.Div(classes="row"):
            v3.VSelect(items=("tasks",), v_model="task", disabled=(busy,), aria_label="Task", classes="grow", **_FIELD)
            v3.VBtn(
                icon="mdi-information-outline",
                size="x-small",
                variant="text",
                click="shows_card = !shows_card",
                title="About the model",
                aria_label="About the model",
                **MORE,
            )
        html.Div("{{ card }}", classes="hint", id="card", v_show="shows_card")
        with html.Div(classes="row"):
            v3.VSelect(
                items=("presets",), v_model="preset", disabled=(busy,), aria_label="Preset", classes="grow", **_FIELD
            )
            v3.VBtn(
                "{{ run_state === 'running' || run_state === 'cancelling' ? 'Cancel' : 'Segment' }}",
                click=parts.desk.slot(parts.run.press),
                disabled=("run_state === 'blocked' || run_state === 'cancelling'",),
                color=(f"{busy} ? 'warning' : 'primary'",),
                variant=("run_state === 'ready' ? 'flat' : 'tonal'",),
                title=("run_reason",),
                id="run-button",
            )
        with html.Div(v_show=busy, classes="progress"):
            v3.VProgressLinear(model_value=("run_percent",), height=6, rounded=True, color="primary")
            html.Span("{{ run_text }}", id="run-text")
        html.Div("{{ run_state === 'blocked' ? run_reason : outlook }}", classes="hint", v_show=f"!({busy})")


def _review(parts: Parts) -> None:
    slot = parts.desk.slot
    with _step(3, "Review", "regions.length"):
        v3.VSelect(items=("versions",), v_model="version", v_show="versions.length > 1", aria_label="Version", **_FIELD)
        with html.Div(classes="regions"):
            with html.Div(classes="region region-head"):
                for text in ("", "Region", "mL", "Doubt", "State", ""):
                    html.Span(text, title="Volume in doubt, in mL" if text == "Doubt" else None)
            with html.Div(
                v_for="region in regions",
                key="region.id",
                classes=("`region ${region.id === chosen ? 'region-chosen' : ''}`",),
                click=(slot(parts.review.choose), "[region.id]"),
                data_region=("region.id",),
                **MORE,
            ):
                v3.VBtn(
                    icon=("region.visible ? 'mdi-eye' : 'mdi-eye-off-outline'",),
                    __events=[("click_stop", "click.stop")],
                    click_stop=(slot(parts.review.setVisible), "[region.id, !region.visible]"),
                    size="x-small",
                    variant="text",
                    aria_label=("`Show ${region.title}`",),
                    **MORE,
                )
                with html.Span(classes="region-title"):
                    html.Span(classes="dot", style=("{ background: region.color }",))
                    html.Span("{{ region.title }}", title=("region.title",))
                html.Span("{{ region.ml }}", classes="number region-ml")
                html.Span("{{ region.doubt }}", classes="number dim")
                html.Span(
                    "{{ region.state }}",
                    classes=("`state state-${region.kind.replace(' ', '-')}`",),
                    title=("region.hint",),
                )
                v3.VBtn(
                    icon=("region.locked ? 'mdi-lock' : 'mdi-lock-open-variant-outline'",),
                    __events=[("click_stop", "click.stop")],
                    click_stop=(slot(parts.review.setLocked), "[region.id, !region.locked]"),
                    size="x-small",
                    variant="text",
                    color=("region.locked ? 'warning' : 'grey'",),
                    title=("region.locked ? 'Unlock' : 'Lock: no run and no click changes it'",),
                    aria_label=("`Lock ${region.title}`",),
                    **MORE,
                )
        with html.Div(classes="row"):
            _button("Accept", slot(lambda: parts.review.decide("accepted")), "mdi-check", "chosen", color="success")
            _button("Reject", slot(lambda: parts.review.decide("rejected")), "mdi-close", "chosen", color="error")
            v3.VTextField(
                v_model="reader", placeholder="Reader", classes="grow", aria_label="Reader", maxlength=40, **_FIELD
            )
        with html.Div(classes="row"):
            _button(
                "Next doubt", slot(lambda: parts.review.step(1)), "mdi-crosshairs-question", "has_places", grow=True
            )
            v3.VBtn(
                icon="mdi-chevron-left",
                size="small",
                variant="text",
                disabled=("!has_places",),
                click=slot(lambda: parts.review.step(-1)),
                title="Previous doubt",
            )
        html.Div("{{ place }}", classes="hint", id="place", v_show="place")
        with html.Div(classes="row", v_show="boxes"):
            v3.VBtn(
                icon=("shows_boxes ? 'mdi-eye' : 'mdi-eye-off-outline'",),
                size="x-small",
                variant="text",
                click="shows_boxes = !shows_boxes",
                aria_label="Show boxes",
                **MORE,
            )
            html.Div("{{ boxes }}", classes="hint grow")
            idle = "run_state === 'ready' || run_state === 'blocked'"
            _button("Re-run from here", slot(lambda: parts.run.again(parts.review.node)), "mdi-crop", idle)
        html.Div("{{ statement }}", v_for="statement in statements", key="statement", classes="statement")


_TOOLS = (
    ("Include", "mdi-plus-circle-outline", "Click or draw where the region is; the worker repairs it there"),
    ("Exclude", "mdi-minus-circle-outline", "Click or draw where the region is not; the worker repairs it there"),
    ("Paint", "mdi-brush", "Add by hand"),
    ("Erase", "mdi-eraser", "Take away by hand"),
)


def _correct(parts: Parts) -> None:
    slot = parts.desk.slot

    def history() -> None:
        v3.VBtn(
            icon="mdi-layers-triple-outline",
            size="x-small",
            variant="text",
            click=slot(parts.correct.fill),
            disabled=("!chosen || is_correcting",),
            title="Fill between slices: the gaps of the chosen region between the slices that it is drawn on",
            aria_label="Fill between slices",
            **MORE,
        )
        for name, icon, work, may in (
            ("Undo", "mdi-undo", parts.correct.undo, "undo"),
            ("Redo", "mdi-redo", parts.correct.redo, "redo"),
        ):
            v3.VBtn(
                icon=icon,
                size="x-small",
                variant="text",
                click=slot(work),
                disabled=(f"!{may}_name || is_correcting",),
                title=(f"{may}_hint",),
                aria_label=name,
                **MORE,
            )

    with _step(4, "Correct", "regions.length", history):
        with v3.VBtnToggle(
            v_model="tool",
            density="compact",
            variant="outlined",
            divided=True,
            color="primary",
            classes="tools",
            disabled=("is_correcting",),
        ):
            for name, icon, hint in _TOOLS:
                v3.VBtn(name, value=name.lower(), prepend_icon=icon, size="small", title=hint)
        v3.VProgressLinear(indeterminate=True, height=3, color="primary", v_show="is_correcting")
        with html.Div(classes="row", v_show="tool === 'include' || tool === 'exclude'"):
            for model, label in (("is_lasso", "Draw an outline"), ("looks_first", "Look first")):
                v3.VSwitch(
                    v_model=model,
                    label=label,
                    density="compact",
                    hide_details=True,
                    color="primary",
                    inset=True,
                    classes="lasso",
                )
        with html.Div(classes="row", v_show="has_preview"):
            _button("Apply", slot(parts.correct.apply), "mdi-check", "has_preview", color="warning")
            _button("Discard", slot(parts.correct.discard), "mdi-close", "has_preview")
        with html.Div(classes="row brush", v_show="tool === 'paint' || tool === 'erase'"):
            v3.VIcon("mdi-circle-outline", size="small")
            v3.VSlider(
                v_model="brush_mm",
                min=1,
                max=40,
                step=1,
                hide_details=True,
                color="primary",
                aria_label="Brush",
                **MORE,
            )
            html.Span("{{ brush_mm }} mm", classes="number")
        with html.Div(classes="offer", v_show="offer"):
            html.Span("{{ offer }}")
            _button("Bring in step", slot(parts.correct.bringInStep), "mdi-layers-outline", "offer")


def _export(parts: Parts) -> None:
    slot = parts.desk.slot
    with _step(5, "Export", "regions.length"):
        v3.VTextField(v_model="folder", label="Folder on this computer", **_FIELD)
        with html.Div(classes="row"):
            _button("Export", slot(parts.export.export), "mdi-folder-download-outline", "!is_writing", grow=True)
            _button("Save scene", slot(parts.export.save), "mdi-content-save-outline", "!is_writing", grow=True)


def _button(text: str, work: Any, icon: str, enabled: str, *, grow: bool = False, color: str = "") -> None:
    more = {"color": color} if color else {}
    v3.VBtn(
        text,
        click=work,
        prepend_icon=icon,
        size="small",
        variant="tonal",
        disabled=(f"!({enabled})",),
        classes="grow" if grow else "",
        **more,
    )


def _sentence() -> None:
    with html.Div(
        classes=("`sentence ${is_problem ? 'sentence-problem' : ''}`",), id="sentence", role="status", **MORE
    ):
        v3.VIcon(icon=("is_problem ? 'mdi-alert-circle-outline' : 'mdi-information-outline'",), size="small")
        html.Span("{{ sentence || 'Ready.' }}")


def _bar(parts: Parts) -> None:
    with html.Div(classes="bar"):
        with v3.VBtnToggle(
            v_model="shown", mandatory=True, density="compact", variant="outlined", divided=True, color="primary"
        ):
            v3.VBtn(
                "{{ entry.title }}", v_for="entry in sequences", key="entry.value", value=("entry.value",), size="small"
            )
        html.Span("{{ shown_grid }}", classes="shown-grid")
        html.Div(classes="grow")
        v3.VSwitch(
            v_model="shows_surfaces",
            label="Surfaces",
            density="compact",
            hide_details=True,
            color="primary",
            inset=True,
        )
        with v3.VBtnToggle(
            v_model="layout", mandatory=True, density="compact", variant="outlined", divided=True, color="primary"
        ):
            v3.VBtn(icon="mdi-view-grid-outline", value="four", size="small", title="Four views")
            v3.VBtn(icon="mdi-view-column-outline", value="axial", size="small", title="Large axial view")
            v3.VBtn(
                icon="mdi-compare",
                value=BESIDE,
                size="small",
                title="All sequences side by side",
                aria_label="Side by side",
                disabled=("sequences.length < 2",),
                **MORE,
            )
        v3.VBtn(
            icon="mdi-fit-to-screen-outline",
            size="small",
            variant="text",
            click=parts.desk.slot(parts.views.reset),
            title="Fit all views",
        )
        v3.VBtn(
            icon="mdi-keyboard-outline",
            size="small",
            variant="text",
            click="shows_keys = !shows_keys",
            title="Keys (?)",
            aria_label="Show keys",
            **MORE,
        )
