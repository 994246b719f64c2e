"""How much clicks help: a simulated reader corrects automatic results; writes docs/benchmarks/interaction.md.

    make bench-interaction
    python Testing/benchmarks/interaction.py --task hippocampus --count 12 --out docs/benchmarks

One unit is one region of one train study. The reader corrects that region with ten clicks; the Dice of the others is
watched. Figures of every task are kept in .cache/interaction, so a page can be written from several runs; those of the
rivals and of the oracles do not depend on our corrector and are not computed again (--others-only computes them alone).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "MedSegAI")]

from MedSegAILib.core.correction import Correction  # noqa: E402 - after the path is set
from MedSegAILib.core.volume import Volume  # noqa: E402
from MedSegAILib.interaction.session import correct  # noqa: E402
from MedSegAILib.tasks.store import find_package  # noqa: E402
from Testing.benchmarks import interaction_report  # noqa: E402
from Testing.benchmarks.interaction_oracles import ORACLES, ask_oracle  # noqa: E402
from Testing.benchmarks.interaction_reader import Reader, truth_box  # noqa: E402
from Testing.benchmarks.interaction_rivals import grow_from_seeds, random_walker  # noqa: E402
from Testing.benchmarks.interaction_units import CACHE, SETS, SPEED_FILE, Subject, subjects  # noqa: E402

CLICKS, CHALLENGE_CLICKS = 10, 5
FAR_MM = 30.0
RIVALS = {"grow from seeds": grow_from_seeds, "random walker": random_walker}


@dataclass
class Course:
    """How one unit went under one way of correcting: Dice after each click, worst step of another region, and so on."""

    study: str
    region: str
    is_held_out: bool
    way: str
    dice: list[float]
    other_step: float = 0.0
    seconds: list[float] = field(default_factory=list)
    far_voxels: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=sorted(SETS), action="append")
    parser.add_argument("--count", type=int, default=12, help="studies a task")
    parser.add_argument("--region", action="append", default=[], help="only these regions; default: all that are known")
    parser.add_argument("--packages", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path, default=CHECKOUT / "docs" / "benchmarks")
    parser.add_argument("--page-only", action="store_true", help="write the page from figures that are kept")
    parser.add_argument("--others-only", action="store_true", help="only rivals and oracles, to be kept")
    given = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    for task in given.task or list(SETS) if not given.page_only else ():
        courses = []
        for subject in subjects(task, given.count, tuple(given.packages)):
            for region in given.region or subject.known:
                courses += others(task, subject, region)
                courses += [] if given.others_only else courses_of(subject, region)
            print(f"{task} {subject.name}: {len(courses)} courses", flush=True)
        if given.others_only:
            continue
        (CACHE / f"{task}.json").write_text(json.dumps([vars(course) for course in courses]), encoding="utf-8")
        regions = "".join(f" --region {region}" for region in given.region)
        version = find_package(task, tuple(given.packages)).version
        told = f"--task {task} --count {given.count}{regions}`, package {version}"
        (CACHE / f"{task}.command").write_text(f"`python Testing/benchmarks/interaction.py {told}", encoding="utf-8")
        print(interaction_report.table(task, interaction_report.kept(CACHE, task)), flush=True)
    commands = {task: _command(task) for task in SETS}
    speed = SPEED_FILE.read_text(encoding="utf-8") if SPEED_FILE.exists() else ""
    courses = {task: interaction_report.kept(CACHE, task) for task in SETS}
    interaction_report.write_page(given.out, courses, commands, speed)


def _command(task) -> str:
    path = CACHE / f"{task}.command"
    return path.read_text(encoding="utf-8") if path.exists() else "`make bench-interaction`"


def courses_of(subject: Subject, region: str) -> list[Course]:
    """Correct one region in every way of ours."""
    found = [
        corrected(subject, region, Reader(), "MedSegAI"),
        corrected(subject, region, Reader(is_human=True, seed=len(region)), "MedSegAI, human reader"),
        corrected(subject, region, Reader(), "MedSegAI, without probabilities", with_probabilities=False),
    ]
    if np.isin(subject.truth, subject.scheme.region(region).labels).any():
        found += [challenge(subject, region, False), challenge(subject, region, True)]
    return found


def others(task: str, subject: Subject, region: str) -> list[Course]:
    """Correct one region in the ways of the rivals and oracles; from what is kept where it was done before."""
    path = CACHE / f"{task}-{subject.package}-{subject.name}-{region}-others.json"
    if not path.exists():
        found = [rivaled(subject, region, name) for name in RIVALS]
        found += [overruled(subject, region, name) for name in ORACLES]
        path.write_text(json.dumps([vars(course) for course in found]), encoding="utf-8")
    return [Course(**course) for course in json.loads(path.read_text(encoding="utf-8"))]


def overruled(subject, region, name) -> Course:
    truth = subject.scheme.mask(subject.truth, region)
    mask = subject.scheme.mask(subject.labels.array, region)
    course = Course(subject.name, region, subject.is_held_out, name, [_dice(mask, truth)])
    for _ in range(CLICKS):
        click = Reader().next_click(mask, truth, subject.labels.grid)
        if click is None:
            break
        mask = ask_oracle(name, mask, truth, click, subject.labels.grid)
        course.dice.append(_dice(mask, truth))
    return _filled(course, CLICKS)


def corrected(subject, region, reader, way, *, with_probabilities=True) -> Course:
    truth = subject.scheme.mask(subject.truth, region)
    labels = subject.labels.array.copy()
    course = Course(subject.name, region, subject.is_held_out, way, [_dice(subject.scheme.mask(labels, region), truth)])
    clicks = []
    for _ in range(CLICKS):
        click = reader.next_click(subject.scheme.mask(labels, region), truth, subject.labels.grid)
        if click is None:
            break
        clicks.append(click)
        before = labels
        labels, seconds = _asked(subject, region, labels, tuple(clicks), with_probabilities)
        course.seconds.append(seconds)
        course.far_voxels += _far(before != labels, click, subject.labels.grid)
        course.dice.append(_dice(subject.scheme.mask(labels, region), truth))
        course.other_step = min(course.other_step, _others_step(subject, region, before, labels))
    return _filled(course, CLICKS)


def rivaled(subject, region, name) -> Course:
    truth, automatic = subject.scheme.mask(subject.truth, region), subject.scheme.mask(subject.labels.array, region)
    image = next(iter(subject.images.values())).array if len(subject.images) == 1 else _shown(subject, region)
    course, mask, clicks = (
        Course(subject.name, region, subject.is_held_out, name, [_dice(automatic, truth)]),
        automatic,
        [],
    )
    for _ in range(CLICKS):
        click = Reader().next_click(mask, truth, subject.labels.grid)
        if click is None:
            break
        clicks.append(click)
        started = time.perf_counter()
        mask = RIVALS[name](image, automatic, clicks, subject.labels.grid)
        course.seconds.append(time.perf_counter() - started)
        course.dice.append(_dice(mask, truth))
    return _filled(course, CLICKS)


def challenge(subject, region, with_probabilities) -> Course:
    """From nothing: a box, then clicks."""
    truth = subject.scheme.mask(subject.truth, region)
    way = f"from nothing, {'with' if with_probabilities else 'without'} probabilities"
    course = Course(subject.name, region, subject.is_held_out, way, [])
    labels = np.zeros_like(subject.labels.array)
    prompts = [truth_box(truth, subject.labels.grid)]
    for turn in range(CHALLENGE_CLICKS + 1):
        if turn:
            click = Reader().next_click(subject.scheme.mask(labels, region), truth, subject.labels.grid)
            if click is None:
                break
            prompts.append(click)
        labels, seconds = _asked(subject, region, labels, tuple(prompts), with_probabilities)
        course.seconds.append(seconds)
        course.dice.append(_dice(subject.scheme.mask(labels, region), truth))
    return _filled(course, CHALLENGE_CLICKS)


def _asked(subject, region, labels, prompts, with_probabilities):
    started = time.perf_counter()
    kept = subject.probabilities if with_probabilities else None
    volume = Volume(labels, subject.labels.grid)
    answer = correct(Correction(volume, subject.scheme, region, prompts, subject.images, (), kept))
    seconds = time.perf_counter() - started
    after = labels.copy()
    after[_place(answer)] = answer.labels.array
    return after, seconds


def _place(answer):
    return tuple(slice(o, o + n) for o, n in zip(answer.offset_zyx, answer.labels.array.shape, strict=True))


def _shown(subject, region):
    """Give the sequence that a reader would look at: contrast for core and enhancement, FLAIR for the whole tumor."""
    wanted = "FLAIR" if region == "WT" else "T1ce"
    return subject.images.get(wanted, next(iter(subject.images.values()))).array


def _others_step(subject, region, before, after):
    steps = [0.0]
    for other in subject.known:
        if other != region:
            truth = subject.scheme.mask(subject.truth, other)
            steps.append(
                _dice(subject.scheme.mask(after, other), truth) - _dice(subject.scheme.mask(before, other), truth)
            )
    return min(steps)


def _far(changed, click, grid):
    where = np.argwhere(changed)[:, ::-1]
    if not len(where):
        return 0
    places = where @ grid.ijk_to_ras[:3, :3].T + grid.ijk_to_ras[:3, 3]
    # A voxel counts from its nearest point, so half its diagonal is taken off.
    half = float(np.linalg.norm(grid.spacing_zyx_mm)) / 2.0
    return int((np.linalg.norm(places - np.array(click.position_ras_mm), axis=1) - half > FAR_MM).sum())


def _dice(one, other):
    total = int(one.sum()) + int(other.sum())
    return 1.0 if total == 0 else 2.0 * int((one & other).sum()) / total


def _filled(course, count):
    course.dice += [course.dice[-1]] * (count + 1 - len(course.dice))
    return course


if __name__ == "__main__":
    main()
