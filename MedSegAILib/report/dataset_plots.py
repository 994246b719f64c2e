"""Pictures of a labeled set: classes, intensities, where each label lies, sizes. PNG, Agg, no global state.

Ring 5 (report).
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .dataset import AXES, PLACE_BINS, DatasetFacts, classes, histogram

DOTS_PER_INCH = 110
# Okabe and Ito: told apart by every eye; labels take them in turn, the background is gray.
COLORS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7", "#F0E442")
BACKGROUND_COLOR = "#9AA3AA"


def dataset_plots(facts: DatasetFacts) -> dict[str, bytes]:
    """Give the pictures as PNG by file name; those for which the set has nothing are left out."""
    plots = {"sizes.png": _sizes(facts)}
    if facts.values:
        plots["classes.png"] = _classes(facts)
        plots["places.png"] = _places(facts)
    roles = sorted({role for study in facts.studies for role, _ in study.samples})
    if roles:
        plots["intensities.png"] = _intensities(facts, roles)
    return plots


def _title(facts: DatasetFacts, value: int) -> str:
    return f"{value} {facts.names.get(value, '')}".strip()


def _color(facts: DatasetFacts, value: int) -> str:
    return COLORS[facts.values.index(value) % len(COLORS)] if value else BACKGROUND_COLOR


def _classes(facts: DatasetFacts) -> bytes:
    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    shares, volumes = figure.subplots(1, 2)
    rows = classes(facts)
    titles = [_title(facts, row.value) for row in rows]
    colors = [_color(facts, row.value) for row in rows]
    shares.bar(titles, [row.voxel_share for row in rows], color=colors)
    shares.set(yscale="log", ylabel="share of all voxels", title=f"{facts.name}: classes")
    values = [[s.labels[row.value].volume_ml for s in facts.studies if row.value in s.labels] for row in rows]
    volumes.boxplot(values)
    volumes.set_xticks(range(1, len(titles) + 1), titles)
    volumes.set(ylabel="mL", title="volume by study")
    return _png(figure)


def _places(facts: DatasetFacts) -> bytes:
    figure = Figure(figsize=(11.0, 3.4), layout="constrained")
    centers = (np.arange(PLACE_BINS) + 0.5) / PLACE_BINS
    for axis, (panel, name) in enumerate(zip(figure.subplots(1, 3, sharey=True), AXES, strict=True)):
        for value in facts.values:
            profiles = [s.labels[value].profile[axis] for s in facts.studies if value in s.labels]
            panel.plot(centers, np.mean(profiles, axis=0), color=_color(facts, value), label=_title(facts, value))
        panel.set(xlabel=f"{name}, share of the image", xlim=(0.0, 1.0))
    figure.axes[0].set_ylabel("share of the label's voxels")
    figure.axes[0].legend()
    figure.suptitle(f"{facts.name}: where each label lies")
    return _png(figure)


def _intensities(facts: DatasetFacts, roles: list[str]) -> bytes:
    figure = Figure(figsize=(9.0, 3.2 * len(roles)), layout="constrained")
    panels = figure.subplots(len(roles), 1, squeeze=False)[:, 0]
    for panel, role in zip(panels, roles, strict=True):
        edges, densities = histogram(facts, role)
        for value, density in densities.items():
            title = _title(facts, value) if value else "background"
            panel.stairs(density, edges, color=_color(facts, value), label=title)
        panel.set(yscale="log", xlabel="intensity", ylabel="share of voxels", title=role)
    panels[0].legend()
    return _png(figure)


def _sizes(facts: DatasetFacts) -> bytes:
    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    shapes, spacings = figure.subplots(1, 2)
    known = [study for study in facts.studies if study.shape_xyz]
    for axis, name in enumerate("xyz"):
        shapes.plot(sorted(study.shape_xyz[axis] for study in known), color=COLORS[axis], label=name)
        spacings.plot(sorted(study.spacing_xyz_mm[axis] for study in known), color=COLORS[axis], label=name)
    shapes.set(ylabel="voxels", xlabel="studies, sorted by axis", title=f"{facts.name}: size")
    spacings.set(ylabel="mm", xlabel="studies, sorted by axis", title="voxel spacing")
    shapes.legend()
    return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.set_dpi(DOTS_PER_INCH)
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
