"""The figures of the benchmark of corrections as tables, sentences and curves."""

from __future__ import annotations

import json
import statistics
from datetime import date
from pathlib import Path

import numpy as np

from Testing.benchmarks.interaction_oracles import ERROR, ORACLES

SHOWN = (0, 1, 2, 3, 5, 10)
GOOD = 0.90
SPEED = "Seconds a click"
OURS = "MedSegAI"
RIVALS = ("grow from seeds", "random walker")
OUR_WAYS = (OURS, f"{OURS}, human reader", f"{OURS}, without probabilities")
WAYS = (*OUR_WAYS, *RIVALS)
CHALLENGE = ("from nothing, without probabilities", "from nothing, with probabilities")
_COLORS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7")


def kept(folder: Path, task: str) -> list[dict]:
    """Give the courses of a task that were kept; nothing when it was not measured."""
    path = folder / f"{task}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def table(task: str, courses: list[dict]) -> str:
    """Give the tables of a task."""
    ours = [course for course in courses if course["way"] == OURS]
    worst = _worst(ours)
    lines = [
        f"### {task}",
        "",
        f"{len({c['study'] for c in ours})} studies ({len({c['study'] for c in ours if c['is_held_out']})} held out of "
        f"training), {len(ours)} units; the worst third is {len(worst)} units.",
        "",
        f"| way | units | {' | '.join(f'Dice, {count}' for count in SHOWN)} | clicks to {GOOD:.2f} | median s |",
        "|---|---|" + "---|" * (len(SHOWN) + 2),
    ]
    for way in (*WAYS, *ORACLES):
        for title, chosen in (("all", None), ("worst third", worst)):
            own = _of(courses, way, chosen)
            if own:
                lines.append(f"| {way} | {title} | {_dices(own)} | {_clicks(own):.2f} | {_seconds(own)} |")
    lines += ["", *_goals(courses, ours, worst), "", *_challenge(courses)]
    return "\n".join(lines)


def write_page(folder: Path, courses: dict[str, list[dict]], commands: dict[str, str], speed: str) -> None:
    """Write the page and its picture.

    Args:
        folder: of both.
        courses: of each task; one that was not measured here keeps the section that the page has.
        commands: by task, what prints its section.
        speed: section about seconds; likewise kept when it is empty.
    """
    path = folder / "interaction.md"
    sections = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    for task, found in courses.items():
        if found:
            sections[task] = table(task, found).replace("\n\n", f"\n\n{commands[task]}\n\n", 1).rstrip()
    if speed:
        sections[SPEED] = speed
    tasks = [task for task in courses if task in sections]
    if not tasks:
        return
    folder.mkdir(parents=True, exist_ok=True)
    _draw(folder / "interaction.svg", {task: _curves(sections[task]) for task in tasks})
    parts = [_HEAD.format(day=date.today()), *(sections[name] for name in (*tasks, SPEED) if name in sections)]
    path.write_text("\n\n".join(part.rstrip() for part in parts) + "\n", encoding="utf-8")


def _sections(page: str) -> dict[str, str]:
    parts = page.split("\n### ")[1:]
    return {part.partition("\n")[0].strip(): f"### {part.rstrip()}" for part in parts}


def _curves(section: str) -> dict[str, list[float]]:
    """Give by way the Dice of the worst third as it stands in the table of a section."""
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in section.splitlines() if "|" in line]
    return {row[0]: [float(value) for value in row[2 : 2 + len(SHOWN)]] for row in rows if row[1] == "worst third"}


def _worst(ours):
    order = sorted(ours, key=lambda course: course["dice"][0])
    return {(course["study"], course["region"]) for course in order[: max(1, len(order) // 3)]}


def _of(courses, way, chosen):
    return [c for c in courses if c["way"] == way and (chosen is None or (c["study"], c["region"]) in chosen)]


def _dices(own):
    return " | ".join(f"{statistics.fmean(course['dice'][count] for course in own):.3f}" for count in SHOWN)


def _clicks(own):
    """Give the mean clicks to a good Dice; one that never gets there counts as one more than were given."""
    counts = []
    for course in own:
        reached = [index for index, value in enumerate(course["dice"]) if value >= GOOD]
        counts.append(reached[0] if reached else len(course["dice"]))
    return statistics.fmean(counts)


def _seconds(own):
    seconds = [value for course in own for value in course["seconds"]]
    return f"{statistics.median(seconds):.3f}" if seconds else "-"


def _goals(courses, ours, worst):
    own = _of(courses, OURS, worst)
    gain = _gain(own)
    far = sum(c["far_voxels"] for c in ours)
    rivals = {way: _clicks(_of(courses, way, None)) for way in RIVALS if _of(courses, way, None)}
    bound = _of(courses, ERROR, worst)
    fewer = all(_clicks(ours) < value for value in rivals.values())
    return [
        f"- Three clicks on the worst third: {gain:+.3f} (goal +0.100): {'reached' if gain >= 0.1 else 'not reached'}."
        + (f" Who knew the truth and repaired the clicked error: {_gain(bound):+.3f}." if bound else ""),
        *_losses(courses),
        f"- Clicks to {GOOD:.2f}, all units: {_clicks(ours):.2f} against "
        + ", ".join(f"{value:.2f} ({way})" for way, value in rivals.items())
        + f": {'fewer' if fewer else 'not fewer'}.",
        f"- Voxels changed farther than 3 cm from the click: {far}.",
    ]


def _losses(courses):
    """Give what a click costs at most, by our ways."""
    ways = {way: _of(courses, way, None) for way in OUR_WAYS if _of(courses, way, None)}
    others = {way: [c["other_step"] for c in own] for way, own in ways.items()}
    below = [sum(step < -0.005 for step in steps) for steps in others.values()]
    itself = {way: min(float(np.diff(c["dice"]).min()) for c in own) for way, own in ways.items()}
    return [
        f"- Largest loss of another region by a click: {_listed({way: min(steps) for way, steps in others.items()})}; "
        f"{', '.join(map(str, below))} of {len(others[OURS])} units have a click that costs another region more than "
        f"0.005 (goal: none): {'not reached' if any(below) else 'reached'}.",
        f"- Largest loss of the region itself by a click: {_listed(itself)}.",
    ]


def _listed(values):
    return ", ".join(f"{value:.4f} ({way})" for way, value in values.items())


def _gain(own):
    return statistics.fmean(c["dice"][3] - c["dice"][0] for c in own)


def _challenge(courses):
    rows = []
    for way in CHALLENGE:
        own = _of(courses, way, None)
        if own:
            values = " | ".join(f"{statistics.fmean(c['dice'][count] for c in own):.3f}" for count in range(6))
            rows.append(f"| {way} | {values} |")
    if not rows:
        return []
    return ["| box, then clicks | box | 1 | 2 | 3 | 4 | 5 |", "|---|" + "---|" * 6, *rows, ""]


def _draw(path, measured):
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "interaction"
    from matplotlib import pyplot

    figure, all_axes = pyplot.subplots(1, len(measured), figsize=(4.2 * len(measured), 3.4), squeeze=False)
    for axes, (task, curves) in zip(all_axes[0], measured.items(), strict=True):
        for way, color in zip(WAYS, _COLORS, strict=True):
            if way in curves:
                axes.plot(SHOWN, curves[way], color=color, label=way, linewidth=1.5)
        axes.set_title(task)
        axes.set_xlabel("clicks")
        axes.grid(alpha=0.3)
    all_axes[0][0].set_ylabel("mean Dice, worst third")
    all_axes[0][0].legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


_HEAD = """# Corrections

Written by `make bench-interaction` on {day}; above each table stands the command that prints it. Simulated readers on
train studies, starting from the automatic result; `Testing/benchmarks/interaction_reader.py` says how they click,
`interaction_rivals.py` how the others get the same clicks. A unit is one region of one study. Studies that are not held
out did train the package, so their automatic results are a little better than on new ones. "Clicks to 0.90" counts 11
for a unit that does not get there in 10. The learned corrector was fitted on other studies than these
(`interaction_fit.py`). The oracles know the truth (`interaction_oracles.py`): they repair the whole connected error
that is clicked, or all that is wrong within so many mm of it, in the way of the click ("its side") or in any ("all").
They are bounds, not rivals.

![Mean Dice of the worst third by clicks](interaction.svg)
"""
