"""What a run does beside its steps: log, checkpoints, heartbeat, looks at held-out studies, and its end.

Beside the library (training).
"""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from lightning.pytorch import Callback, LightningModule, Trainer

from . import checkpoint
from .cache import Sample
from .checkpoint import State
from .module import Training, best_copies
from .monitor import monitor
from .recipes.recipe import Recipe

LOSSES, LOOKS, HEARTBEAT = "losses.csv", "monitor.csv", "heartbeat.json"


class Watch(Callback):
    """Follows a run.

    Args:
        state: of the run.
        recipe: of the run.
        held_out: studies that are only looked at.
        folder: of the run.
        every_s: seconds between checkpoints, looks and heartbeats.
        is_over: tells after a step whether the run, or this phase, is at its end.
    """

    def __init__(
        self,
        state: State,
        recipe: Recipe,
        held_out: Sequence[Sample],
        folder: Path,
        every_s: tuple[float, float, float],
        is_over: Callable[[State], bool],
    ) -> None:
        self.state, self.recipe, self.held_out, self.folder, self.is_over = state, recipe, held_out, folder, is_over
        self.save_s, self.look_s, self.beat_s = every_s
        self.before_s = state.elapsed_s
        self.started = self.saved = self.looked = time.monotonic()
        self.beat = -math.inf

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Give the scaler of half precision what it knew, and begin to count the time."""
        if self.state.precision:
            trainer.precision_plugin.load_state_dict(self.state.precision)
        self.started = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Count and log the step; save, look and tell that the run is alive when it is time; end the run."""
        module = cast(Training, pl_module)
        module.count_step()
        now = time.monotonic()
        self.state.elapsed_s = self.before_s + now - self.started
        over = bool(trainer.strategy.reduce_boolean_decision(self.is_over(self.state), all=False))
        if trainer.is_global_zero:
            self._write(trainer, module, now)
        stale = self.recipe.patience and self.state.best.looks_since >= self.recipe.patience
        if over or trainer.strategy.reduce_boolean_decision(bool(stale), all=False):
            trainer.should_stop = True

    def _write(self, trainer: Trainer, module: Training, now: float) -> None:
        log_step(self.folder / LOSSES, self.state, module.told, self.recipe)
        is_time = self.look_s and now - self.looked > self.look_s
        if self.recipe.look_steps:
            is_time = self.state.step % self.recipe.look_steps == 0
        if self.held_out and is_time:
            self.look()
            self.looked = time.monotonic()
        if now - self.saved >= self.save_s:
            self.save(trainer)
            self.saved = time.monotonic()
        if now - self.beat >= self.beat_s:
            write_heartbeat(self.folder, self.state, module.told[1])
            self.beat = now

    def look(self) -> None:
        """Score the averaged weights on the held-out studies; keep the best."""
        score = monitor(self.state, self.recipe, self.held_out, self.folder / LOOKS)
        best = self.state.best
        if score > best.score:
            self.state.best = checkpoint.Best(score, self.state.step, 0, best_copies(self.state))
        else:
            best.looks_since += 1

    def save(self, trainer: Trainer) -> None:
        """Write the checkpoint."""
        self.state.precision = dict(trainer.precision_plugin.state_dict())
        checkpoint.save(self.state, self.folder, self.recipe.name, self.recipe.keep)


def log_step(path: Path, state: State, told: tuple[float, float, list[float], tuple[str, ...]], recipe: Recipe) -> None:
    """Add a line; ``told`` is the learning rate, the loss, the soft Dice by channel, and the sets of the batch."""
    is_new = not path.is_file()
    rate, loss, dice, set_names = told
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if is_new:
            scores = [f"dice_{name}" for name in recipe.channels]
            writer.writerow(["step", "elapsed_s", "learning_rate", "loss", *scores, "sets"])
        scores = ["" if math.isnan(value) else f"{value:.4f}" for value in dice]
        sets = "+".join(set_names)
        writer.writerow([state.step, f"{state.elapsed_s:.1f}", f"{rate:.6g}", f"{loss:.5f}", *scores, sets])


def forget_after(path: Path, step: int) -> None:
    """Drop lines of steps that will be made again, and one cut off by a kill, so a run leaves one learning curve."""
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    head = rows[0] if rows else []
    kept = [row for row in rows[1:] if len(row) == len(head) and row[0].isdigit() and int(row[0]) <= step]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, *kept] if head else kept)


def write_heartbeat(folder: Path, state: State, loss: float) -> None:
    """Say that the run is alive: who watches a queue needs no log for it."""
    part = folder / f"{HEARTBEAT}.part"
    told = {"time": time.time(), "process": os.getpid(), "step": state.step, "elapsed_s": state.elapsed_s, "loss": loss}
    part.write_text(json.dumps(told) + "\n", encoding="utf-8")
    part.replace(folder / HEARTBEAT)
