"""Starts every recipe of the papers in its reduced form and prints whether its loss falls, as rows of a table.

    python Testing/benchmarks/recipes.py --steps 60 --folder runs/papers [NAME ...]

A recipe whose run folder is there is only read, or goes on; so the command can be stopped and called again. It says
that a recipe starts and learns, not what it is worth in the end. 60 steps are a fifth of the reduced recipe's.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from training.cache import load_training
from training.loop import RunSettings, train
from training.recipes.papers import PAPERS
from training.recipes.recipe import Recipe

HEAD = "| Recipe, reduced | Steps | Loss, first ten | Loss, last ten | Seconds |\n|---|---|---|---|---|\n"
WINDOW = 10  # steps whose mean loss is compared
PHANTOMS = 12  # enough to start; the recipe has more


def main() -> int:
    """Start the recipes and print the table; 1 when a loss did not fall."""
    parser = argparse.ArgumentParser(description="Start the papers' recipes.")
    parser.add_argument("names", nargs="*", help="recipes; default all")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path("runs/papers"))
    options = parser.parse_args()
    chosen = [recipe for recipe in PAPERS if not options.names or recipe.name in options.names]
    sys.stdout.write(
        "| Recipe, reduced | Steps | Loss, first ten | Loss, last ten | Seconds |\n|---|---|---|---|---|\n"
    )
    every_fell = True
    for recipe in chosen:
        losses, seconds = started(recipe, options.steps, options.folder / recipe.name)
        first, last = statistics.fmean(losses[:WINDOW]), statistics.fmean(losses[-WINDOW:])
        every_fell &= last < first
        sys.stdout.write(f"| `{recipe.name}` | {len(losses)} | {first:.3f} | {last:.3f} | {seconds:.0f} |\n")
        sys.stdout.flush()
    return 0 if every_fell else 1


def started(recipe: Recipe, steps: int, folder: Path) -> tuple[list[float], float]:
    """Train so many steps, or read a run that has them; give the losses and the seconds on the clock."""
    rows = list(_rows(folder / "losses.csv"))
    if len(rows) < steps:
        few = replace(recipe.phantoms, count=min(PHANTOMS, recipe.phantoms.count))
        small = replace(recipe, phantoms=few, warmup_steps=WINDOW)
        samples, _ = load_training(small)
        train(small, samples, [], RunSettings(folder, steps=steps))
        rows = list(_rows(folder / "losses.csv"))
    return [float(row["loss"]) for row in rows], float(rows[-1]["elapsed_s"])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as stream:
            yield from csv.DictReader(stream)


if __name__ == "__main__":
    sys.exit(main())
