"""Scores as tables: Markdown for cards and the screen, CSV for spreadsheets, a page with pictures.

Beside the library (training).
"""

from __future__ import annotations

import base64
import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from html import escape

from .scores import MEASURES, SetScore, Summary
from .tasks import find_task

STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;background:#fff;color:#15181b}"
    "table{border-collapse:collapse;margin:1em 0}th,td{border:1px solid #c8ced3;padding:.25em .6em;text-align:right}"
    "th:first-child,td:first-child{text-align:left}img{max-width:100%}"
    "@media(prefers-color-scheme:dark){body{background:#15181b;color:#eef1f3}th,td{border-color:#3a4249}}"
)
# Heading, measure, format.
COLUMNS = (
    ("sensitivity", "sensitivity", ".3f"),
    ("specificity", "specificity", ".4f"),
    ("precision", "precision", ".3f"),
    ("HD95 mm", "hausdorff95_mm", ".1f"),
    ("volume difference", "volume_difference", ".3f"),
)


def table(score: SetScore) -> str:
    """Give the scores as Markdown: a row for each study, mean and median, then the statistics by region."""
    regions = score.regions()
    main = find_task(score.task).main_region
    shown = f" shown as {' + '.join(score.inputs)}" if score.inputs else ""
    lines = [
        f"| {score.set_name}, {score.part}{shown} | inputs | {' | '.join(regions)} | {main} ml (reference) |",
        "|---|---|" + "---|" * (len(regions) + 1),
    ]
    for one in score.studies:
        cells = " | ".join(f"{one.dice[name]:.3f}" if name in one.dice else "-" for name in regions)
        volume = f"{one.volume_ml[main]:.1f} ({one.reference_ml[main]:.1f})" if main in one.volume_ml else "-"
        lines.append(f"| {one.study} | {', '.join(one.roles)} | {cells} | {volume} |")
    for title, average in (("mean", statistics.fmean), ("median", statistics.median)):
        cells = " | ".join(f"**{average(score.values(name)):.3f}**" for name in regions)
        lines.append(f"| **{title}** | | {cells} | |")
    return "\n".join(lines) + "\n\n" + by_region(score)


def by_region(score: SetScore) -> str:
    """Give the statistics by region: Dice with standard deviation and interval, means of the other measures."""
    rows = summary_rows(score)
    lines = [f"| {' | '.join(rows[0])} |", "|---|" + "---|" * (len(rows[0]) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows[1:])]) + "\n"


def summary_rows(score: SetScore) -> list[list[str]]:
    """Give head and rows of :func:`by_region`; measures that no study has are left out."""
    known = [column for column in COLUMNS if any(score.values(name, column[1]) for name in score.regions())]
    rows = [["region", "studies", "Dice", "sd", "median", "95 % of the mean", *(head for head, _, _ in known)]]
    for name in score.regions():
        dice = score.summary(name)
        if dice is None:
            continue
        row = [name, str(dice.count), f"{dice.mean:.3f}", f"{dice.sd:.3f}", f"{dice.median:.3f}",
               f"{dice.low:.3f} to {dice.high:.3f}"]  # fmt: skip
        rows.append(row + [_mean(score.summary(name, measure), form) for _, measure, form in known])
    return rows


def to_csv(score: SetScore) -> str:
    """Give a line for each study and region; empty where a measure is not defined."""
    names = ("dice", *MEASURES, "volume_ml", "reference_ml")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["set", "part", "study", "inputs", "region", *names])
    for one in score.studies:
        for region in one.dice:
            values = [getattr(one, name).get(region) for name in names]
            cells = ["" if value is None else f"{value:.6g}" for value in values]
            writer.writerow([score.set_name, score.part, one.study, " ".join(one.roles), region, *cells])
    return stream.getvalue()


def to_page(score: SetScore, pictures: Mapping[str, bytes]) -> str:
    """Give a page that asks nobody for anything; ``pictures`` are JPEG by what they show ("best: study")."""
    title = f"{score.task} on {score.set_name}, {score.part}"
    regions = score.regions()
    cases = [["study", "inputs", *regions]]
    for one in sorted(score.studies, key=lambda study: study.mean_dice):
        cells = [f"{one.dice[name]:.3f}" if name in one.dice else "-" for name in regions]
        cases.append([one.study, ", ".join(one.roles), *cells])
    shown = "".join(
        f'<h2>{escape(words)}</h2><img alt="{escape(words)}" '
        f'src="data:image/png;base64,{base64.b64encode(content).decode()}">'
        for words, content in pictures.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1><p>Research use only. Both regions empty: Dice 1; "
        f"one empty: 0. Printed again by <code>{escape(score.command)}</code>.</p>"
        f"{_html(summary_rows(score))}{shown}<h2>By study, worst first</h2>{_html(cases)}</body></html>\n"
    )


def _html(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f"<table><tr>{head}</tr>{body}</table>"


def _mean(summary: Summary | None, form: str) -> str:
    return "-" if summary is None else format(summary.mean, form)
