"""Learning curves of a run folder: a picture and a table, from the log of the steps and of the looks.

Beside the library (training).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from MedSegAILib.core.errors import InputError

from .watch import LOOKS, LOSSES

POINTS = 100  # of a curve; steps between are averaged
COLORS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7")
DOTS_PER_INCH = 100
Row = Mapping[str, str]


def write_curves(folder: Path) -> list[Path]:
    """Write ``curves.png`` and ``curves.csv`` into a run folder.

    Raises:
        InputError: "curves.missing" when nothing was trained there.
    """
    losses, looks = _rows(folder / LOSSES), _rows(folder / LOOKS)
    if not losses:
        raise InputError("curves.missing", f"The folder {folder.name} holds no log of a training.", "Train first.")
    points = averaged(losses)
    paths = [folder / "curves.png", folder / "curves.csv"]
    paths[0].write_bytes(_picture(folder.name, points, looks))
    paths[1].write_text(_table(points), encoding="utf-8")
    return paths


def averaged(rows: Sequence[Row]) -> list[dict[str, float]]:
    """Give at most ``POINTS`` points: last step, seconds and rate of a stretch, mean of loss and Dice in it."""
    length = -(-len(rows) // POINTS)
    dice = [name for name in rows[0] if name.startswith("dice_")]
    points = []
    for first in range(0, len(rows), length):
        part = rows[first : first + length]
        point = {name: float(part[-1][name]) for name in ("step", "elapsed_s", "learning_rate")}
        point["loss"] = fmean(float(row["loss"]) for row in part)
        for name in dice:
            told = [float(row[name]) for row in part if row[name]]
            if told:
                point[name] = fmean(told)
        points.append(point)
    return points


def _picture(title: str, points: Sequence[Mapping[str, float]], looks: Sequence[Row]) -> bytes:
    figure = Figure(figsize=(9.0, 6.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    steps = [point["step"] for point in points]
    above.plot(steps, [point["loss"] for point in points], color="#15181b", label="loss")
    above.set(ylabel="loss", title=title)
    rate = above.twinx()
    rate.plot(steps, [point["learning_rate"] for point in points], color="#9AA3AA", linewidth=0.8)
    rate.set_ylabel("learning rate (gray)")
    names = [name for name in dict.fromkeys(key for point in points for key in point) if name.startswith("dice_")]
    for number, name in enumerate(names):
        color = COLORS[number % len(COLORS)]
        told = [(point["step"], point[name]) for point in points if name in point]
        below.plot(*zip(*told, strict=True), color=color, label=f"{name[5:]}, soft, crops")
        seen: dict[int, list[float]] = {}
        for row in looks:
            if row.get(name):
                seen.setdefault(int(row["step"]), []).append(float(row[name]))
        if seen:
            means = [(step, fmean(values)) for step, values in sorted(seen.items())]
            below.plot(*zip(*means, strict=True), "o--", color=color, label=f"{name[5:]}, held out")
    below.set(xlabel="step", ylabel="Dice", ylim=(0.0, 1.0))
    if names:
        below.legend(fontsize=8)
    return _png(figure)


def _png(figure: Any) -> bytes:
    figure.set_dpi(DOTS_PER_INCH)
    buffer = BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _table(points: Sequence[Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(name for point in points for name in point))
    stream = StringIO()
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in point.items()} for point in points)
    return stream.getvalue()


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
