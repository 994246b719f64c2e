"""Starts every recipe of the papers in its reduced form: whether its loss falls, and Dice on what it did not see.

    python Testing/benchmarks/recipes.py --steps 60 --folder runs/papers [NAME ...]

A recipe whose run folder is there is only read, or goes on; so the command can be stopped and called again. It says
that a recipe starts and learns, not what it is worth in the end. 60 steps are a fifth of the reduced recipe's. Dice is
the mean of four phantoms with seeds that never train, or of the recipe's held-out train studies, on the working grid.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from training.cache import load_phantoms, load_training
from training.evaluate import UNSEEN_SEED
from training.loop import RunSettings, train
from training.recipes.papers import PAPERS
from training.recipes.recipe import PhantomShare, Recipe
from training.watch import LOOKS, LOSSES

HEAD = (
    "| Recipe, reduced | Steps | Loss, first ten | Loss, last ten | Dice, unseen | Seconds |\n"
    "|---|---|---|---|---|---|\n"
)
WINDOW = 10  # steps whose mean loss is compared
PHANTOMS = 12  # enough to start; the recipe has more
UNSEEN = 4


def main() -> int:
    """Start the recipes and print the table; 1 when a loss did not fall."""
    parser = argparse.ArgumentParser(description="Start the papers' recipes.")
    parser.add_argument("names", nargs="*", help="recipes; default all")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path("runs/papers"))
    options = parser.parse_args()
    chosen = [recipe for recipe in PAPERS if not options.names or recipe.name in options.names]
    sys.stdout.write(HEAD)
    every_fell = True
    for recipe in chosen:
        folder = options.folder / recipe.name
        start(recipe, options.steps, folder)
        rows = list(_rows(folder / LOSSES))
        losses = [float(row["loss"]) for row in rows]
        first, last = statistics.fmean(losses[:WINDOW]), statistics.fmean(losses[-WINDOW:])
        every_fell &= last < first
        found = f"{len(rows)} | {first:.3f} | {last:.3f} | {unseen_dice(folder)}"
        sys.stdout.write(f"| `{recipe.name}` | {found} | {float(rows[-1]['elapsed_s']):.0f} |\n")
        sys.stdout.flush()
    return 0 if every_fell else 1


def start(recipe: Recipe, steps: int, folder: Path) -> None:
    """Train so many steps, and look at what was not seen; nothing when the run folder has all that."""
    if len(list(_rows(folder / LOSSES))) >= steps and (folder / LOOKS).is_file():
        return
    few = replace(recipe.phantoms, count=min(PHANTOMS, recipe.phantoms.count))
    small = replace(recipe, phantoms=few, warmup_steps=WINDOW)
    samples, held_out = load_training(small)
    unseen = held_out or load_phantoms(PhantomShare(count=UNSEEN, first_seed=UNSEEN_SEED, with_skull=0), small)
    train(small, samples, unseen, RunSettings(folder, steps=steps, monitor_s=math.inf))


def unseen_dice(folder: Path) -> str:
    """Give the mean Dice by region of the last look."""
    rows = list(_rows(folder / LOOKS))
    last = [row for row in rows if row["step"] == rows[-1]["step"]]
    regions = [name for name in last[0] if name.startswith("dice_")]
    means = {name: statistics.fmean(float(row[name]) for row in last if row[name]) for name in regions}
    return ", ".join(f"{name.removeprefix('dice_')} {mean:.3f}" for name, mean in means.items())


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as stream:
            yield from csv.DictReader(stream)


if __name__ == "__main__":
    sys.exit(main())
