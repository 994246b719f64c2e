"""The overlay picture: three views of the reference with the regions on it, their volumes, and what it is not for.

Drawn with matplotlib's Agg canvas, without pyplot and its global state; the same input gives the same bytes. Which
slices and which way up is decided in ``views``. Ring 5 (report).
"""

from __future__ import annotations

from io import BytesIO
from textwrap import shorten
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import Normal, Stroke

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.result import Result
from MedSegAILib.core.volume import Volume

from .views import Mask, View, make_views

WIDTH_INCHES, DOTS_PER_INCH = 12.0, 120
MARGIN_INCHES, GAP_INCHES, HEADER_INCHES, CAPTION_INCHES = 0.3, 0.2, 0.55, 0.35
LEGEND_ROW_INCHES, NOTICE_ROW_INCHES = 0.42, 0.26
LARGEST_VIEW_INCHES = 6.5
BACKGROUND, INK, FAINT_INK, WARNING_INK = "#101214", "#f2f4f5", "#9aa3aa", "#ffcc66"
FILL_ALPHA = 0.16
LINE_WIDTHS = (2.2, 1.2)  # first to last region: an inner border that runs along an outer one leaves it visible
MOST_NOTICES, NOTICE_CHARACTERS = 3, 150
MOST_REGIONS_IN_A_ROW, SWATCH_INCHES, LETTER_INCHES = 4, 0.38, 0.1  # a letter of 11 points, rather too wide
SCALE_BAR_MM = 50.0
# Where the letters of the left, right, top and bottom edge stand, in shares of the view.
LETTER_SPOTS = (
    (0.015, 0.5, "left", "center"),
    (0.985, 0.5, "right", "center"),
    (0.5, 0.985, "center", "top"),
    (0.5, 0.015, "center", "bottom"),
)
Entry = tuple[tuple[float, float, float], str]  # color and words in the legend
OBLIQUE_DEGREES = 5.0  # from here on the picture says that its axes are not the patient's


def overlay_png(result: Result, reference: Volume) -> bytes:
    """Give the picture of a result as the bytes of a PNG file.

    Args:
        result: label map, scheme, passport, notices.
        reference: image on the same grid.

    Raises:
        UsageError: "overlay.grid" when image and label map lie on different grids.
    """
    if not result.labels.grid.is_same_as(reference.grid):
        raise UsageError(
            "overlay.grid",
            f"The result does not lie on the grid of {reference.name or 'the image'}.",
            "Show it on the image that was its reference.",
        )
    views = make_views(result, reference)
    notices = _statements(result)
    entries = _legend_entries(result)
    legend_rows = -(-len(entries) // _in_a_row(entries))
    free_width = WIDTH_INCHES - 2 * MARGIN_INCHES - GAP_INCHES * (len(views) - 1)
    tallest = max(view.size_mm[0] for view in views)
    # One scale for all views: a centimeter is a centimeter in each of them.
    scale = min(free_width / sum(view.size_mm[1] for view in views), LARGEST_VIEW_INCHES / tallest)
    below = CAPTION_INCHES + legend_rows * LEGEND_ROW_INCHES + (len(notices) + 1) * NOTICE_ROW_INCHES + MARGIN_INCHES
    height = HEADER_INCHES + tallest * scale + below
    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH, facecolor=BACKGROUND)
    canvas = FigureCanvasAgg(figure)
    _draw_header(figure, result, reference)
    _draw_views(figure, views, result, scale, below)
    _draw_legend(figure, entries, (below - CAPTION_INCHES) / height)
    _draw_notices(figure, notices, result.passport.use)
    buffer = BytesIO()
    canvas.print_png(buffer, metadata={"Software": None})  # no version stamp: same input, same bytes
    return buffer.getvalue()


def _draw_views(figure: Any, views: tuple[View, ...], result: Result, scale: float, below: float) -> None:
    """Draw the views side by side, centered; ``scale`` in inches a mm, ``below`` the inches under them."""
    height, tallest = figure.get_figheight(), max(view.size_mm[0] for view in views)
    used = sum(view.size_mm[1] for view in views) * scale + GAP_INCHES * (len(views) - 1)
    left = (WIDTH_INCHES - used) / 2
    for number, view in enumerate(views):
        width = view.size_mm[1] * scale
        bottom = below + (tallest - view.size_mm[0]) * scale / 2
        axes = figure.add_axes(
            (left / WIDTH_INCHES, bottom / height, width / WIDTH_INCHES, view.size_mm[0] * scale / height)
        )
        _draw_view(axes, view, result, with_scale_bar=number == 0)
        figure.text(
            (left + width / 2) / WIDTH_INCHES,
            (below - 0.22) / height,
            f"{view.name}  {view.place}",
            color=FAINT_INK,
            fontsize=9,
            ha="center",
        )
        left += width + GAP_INCHES


def _draw_view(axes: Any, view: View, result: Result, *, with_scale_bar: bool) -> None:
    rows, columns = view.image.shape
    height_mm, width_mm = view.size_mm
    axes.imshow(view.image, cmap="gray", vmin=0, vmax=1, extent=(0, width_mm, height_mm, 0), interpolation="bilinear")
    line_widths = np.linspace(*LINE_WIDTHS, len(result.scheme.regions))
    for region, line_width in zip(result.scheme.outer_first(), line_widths, strict=True):
        mask = view.masks[region.name]
        if not mask.any():
            continue
        fill = np.zeros((rows, columns, 4), np.float32)
        fill[mask] = (*region.color, FILL_ALPHA)
        axes.imshow(fill, extent=(0, width_mm, height_mm, 0), interpolation="nearest")
        _draw_outline(axes, mask, (height_mm / rows, width_mm / columns), region.color, float(line_width))
    axes.set(xlim=(0, width_mm), ylim=(height_mm, 0), aspect="equal")
    axes.axis("off")
    for letter, (x, y, horizontal, vertical) in zip(view.letters, LETTER_SPOTS, strict=True):
        text = axes.text(
            x, y, letter, transform=axes.transAxes, color=INK, fontsize=11, weight="bold", ha=horizontal, va=vertical
        )
        text.set_path_effects([Stroke(linewidth=2.5, foreground=BACKGROUND), Normal()])
    if with_scale_bar and width_mm > 1.5 * SCALE_BAR_MM:
        end, level = width_mm * 0.97, height_mm * 0.965
        axes.plot([end - SCALE_BAR_MM, end], [level, level], color=INK, linewidth=2, solid_capstyle="butt")
        axes.text(
            end - SCALE_BAR_MM / 2, level - height_mm * 0.015, f"{SCALE_BAR_MM / 10:g} cm", color=INK, fontsize=8,
            ha="center", va="bottom",
        )  # fmt: skip


def _draw_outline(
    axes: Any, mask: Mask, pixel_mm: tuple[float, float], color: tuple[float, float, float], line_width: float
) -> None:
    """Draw the border of a mask; a frame of empty pixels closes it where it touches the picture's edge."""
    framed = np.pad(mask.astype(np.float32), 1)
    x_mm = (np.arange(framed.shape[1]) - 0.5) * pixel_mm[1]
    y_mm = (np.arange(framed.shape[0]) - 0.5) * pixel_mm[0]
    axes.contour(x_mm, y_mm, framed, levels=[0.5], colors=[color], linewidths=line_width)


def _draw_header(figure: Any, result: Result, reference: Volume) -> None:
    height = figure.get_figheight()
    package = result.passport.package
    title = str(package.get("title", "")) or result.passport.task
    figure.text(
        MARGIN_INCHES / WIDTH_INCHES, 1 - 0.33 / height, title, color=INK, fontsize=14, weight="bold", va="center"
    )
    facts = [f"on {reference.name}" if reference.name else "", f"{result.passport.task} {package.get('version', '')}"]
    tilt = reference.grid.tilt_degrees()
    if tilt > OBLIQUE_DEGREES:
        facts.insert(0, f"views along the scan's own axes ({tilt:.0f}° off the patient's)")
    figure.text(
        1 - MARGIN_INCHES / WIDTH_INCHES,
        1 - 0.33 / height,
        "   ".join(fact.strip() for fact in facts if fact.strip()),
        color=FAINT_INK,
        fontsize=9,
        ha="right",
        va="center",
    )


def _legend_entries(result: Result) -> list[Entry]:
    """Give color and words of each region."""
    volumes_ml = result.volumes_ml()
    return [(one.color, f"{one.title}  {_in_words(volumes_ml[one.name])}") for one in result.scheme.regions]


def _in_a_row(entries: list[Entry]) -> int:
    """Give how many entries stand side by side so that the longest fits its column."""
    widest = SWATCH_INCHES + max((len(words) for _, words in entries), default=0) * LETTER_INCHES
    fitting = int((WIDTH_INCHES - 2 * MARGIN_INCHES) / widest)
    return min(MOST_REGIONS_IN_A_ROW, max(1, fitting), max(1, len(entries)))


def _draw_legend(figure: Any, entries: list[Entry], top: float) -> None:
    height, in_a_row = figure.get_figheight(), _in_a_row(entries)
    column_width = (WIDTH_INCHES - 2 * MARGIN_INCHES) / in_a_row
    for number, (color, words) in enumerate(entries):
        row, column = divmod(number, in_a_row)
        x = MARGIN_INCHES + column * column_width
        y = top * height - (row + 0.5) * LEGEND_ROW_INCHES
        swatch = Rectangle(
            (x / WIDTH_INCHES, (y - 0.09) / height), 0.26 / WIDTH_INCHES, 0.18 / height, facecolor=color,
            edgecolor=INK, linewidth=0.6, transform=figure.transFigure,
        )  # fmt: skip
        figure.add_artist(swatch)
        x_words = (x + SWATCH_INCHES) / WIDTH_INCHES
        figure.text(x_words, y / height, words, color=INK, fontsize=11, va="center")


def _in_words(volume_ml: float) -> str:
    """Give a volume; a speck of tumor must not read as none."""
    return f"{volume_ml:.1f} mL" if volume_ml >= 1.0 or volume_ml == 0.0 else f"{max(volume_ml, 0.01):.2f} mL"


def _draw_notices(figure: Any, notices: list[str], use: str) -> None:
    """Draw the notices and, at the very bottom, what the picture is not for."""
    height = figure.get_figheight()
    lines = [*((text, WARNING_INK) for text in notices), (use, FAINT_INK)]
    for row, (text, color) in enumerate(lines):
        y = MARGIN_INCHES + (len(lines) - 1 - row) * NOTICE_ROW_INCHES
        figure.text(MARGIN_INCHES / WIDTH_INCHES, y / height, text, color=color, fontsize=9, va="center")


def _statements(result: Result) -> list[str]:
    """Give the lines under the legend: empty regions and notices, the first few."""
    lines = [
        f"No {region.title[:1].lower()}{region.title[1:]} was found."
        for region in result.scheme.regions
        if not result.region_mask(region.name).any()
    ]
    lines += [notice.message for notice in result.notices]
    if len(lines) > MOST_NOTICES:
        lines = [*lines[: MOST_NOTICES - 1], f"{len(lines) - MOST_NOTICES + 1} more notices stand in the report."]
    # A dollar sign would start a formula in matplotlib's text.
    return [shorten(line, NOTICE_CHARACTERS, placeholder=" ...").replace("$", r"\$") for line in lines]
