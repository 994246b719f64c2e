"""The training loop: batches, steps, running mean of the weights, log, checkpoints, resume.

Plain torch on purpose: one processor, one network, a time budget. Beside the library (training).
"""

from __future__ import annotations

import csv
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from MedSegAILib import networks

from . import checkpoint
from .cache import Sample
from .checkpoint import State
from .monitor import monitor
from .objective import objective
from .recipes.recipe import Recipe
from .sampling import Batch, draw_batch
from .start import load_start

logger = logging.getLogger(__name__)
FULL_WARMUP_OF_AVERAGE = 10.0  # the mean starts short and grows to its decay, as in TensorFlow's rule


@dataclass(frozen=True)
class RunSettings:
    """How long and where, apart from the recipe.

    Args:
        folder: of checkpoint and logs.
        steps: end of the run and of the cosine; None takes the recipe's.
        budget_s: time budget of the whole run, all resumptions together; then the cosine follows the clock.
        checkpoint_s: time between checkpoints.
        monitor_s: time between looks at the held-out studies.
        stop_after: leave after this many steps of this process (tests of resume).
    """

    folder: Path
    steps: int | None = None
    budget_s: float | None = None
    checkpoint_s: float = 120.0
    monitor_s: float = 480.0
    stop_after: int | None = None


def train(recipe: Recipe, samples: Sequence[Sample], held_out: Sequence[Sample], settings: RunSettings) -> State:
    """Train, or go on where the run folder's checkpoint stands.

    Args:
        recipe: what to train.
        samples: prepared studies that train.
        held_out: prepared studies that are only looked at.
        settings: length and place.

    Returns:
        The state at the end; its checkpoint is written.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    state = new_state(recipe)
    if checkpoint.restore(state, settings.folder, recipe.name):
        logger.info("resumed at step %d after %.0f s", state.step, state.elapsed_s)
        _forget_after(settings.folder / "losses.csv", state.step)
    started, before = time.monotonic(), state.elapsed_s
    saved_at = looked_at = started
    first = state.step
    while (progress := run_progress(state, recipe, settings)) < 1.0:
        if settings.stop_after is not None and state.step - first >= settings.stop_after:
            break
        batch = draw_batch(samples, recipe, state.step)
        rate = learning_rate(recipe, state.step, progress)
        loss, dice = step_once(state, batch, rate, recipe)
        state.step += 1
        now = time.monotonic()
        state.elapsed_s = before + now - started
        _log(settings.folder / "losses.csv", state, [rate, loss, *dice], batch, recipe)
        if now - saved_at > settings.checkpoint_s:
            checkpoint.save(state, settings.folder, recipe.name)
            saved_at = now
        if held_out and now - looked_at > settings.monitor_s:
            monitor(state, recipe, held_out, settings.folder / "monitor.csv")
            looked_at = time.monotonic()
    checkpoint.save(state, settings.folder, recipe.name)
    if held_out:
        monitor(state, recipe, held_out, settings.folder / "monitor.csv")
    return state


def new_state(recipe: Recipe) -> State:
    """Build network and optimizer from the recipe's seed, and from the weights that it starts from.

    Raises:
        MedSegAIError: as ``load_start``.
    """
    torch.manual_seed(recipe.seed)
    network = networks.build(recipe.network, **dict(recipe.arguments))
    if recipe.start_from:
        load_start(network, recipe.start_from)
    network = network.to(memory_format=torch.channels_last_3d)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return State(network, average, optimizer)


def run_progress(state: State, recipe: Recipe, settings: RunSettings) -> float:
    """Give how far the run is, 0 to 1, by the clock when there is a budget, else by steps."""
    if settings.budget_s is not None:
        return state.elapsed_s / settings.budget_s
    return state.step / (settings.steps or recipe.steps)


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Give the learning rate: a linear rise over the first steps, times a cosine to 0 over the whole run."""
    rise = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    return recipe.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


def step_once(state: State, batch: Batch, rate: float, recipe: Recipe) -> tuple[float, list[float]]:
    """Make one optimizer step and move the running mean; give the loss and the soft Dice by region."""
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.network.train()
    logits: Tensor = state.network(batch.images.contiguous(memory_format=torch.channels_last_3d))
    loss, region_losses = objective(recipe)(logits, batch.targets, batch.known)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), recipe.gradient_norm)
    state.optimizer.step()
    decay = min(recipe.average_decay, (state.step + 1) / (state.step + FULL_WARMUP_OF_AVERAGE))
    for name, value in state.network.state_dict().items():
        state.average[name].lerp_(value.detach(), 1.0 - decay)
    told = batch.known.any(dim=0)
    dice = [1.0 - float(one) if is_told else math.nan for one, is_told in zip(region_losses, told, strict=True)]
    return float(loss.detach()), dice


def _log(path: Path, state: State, told: list[float], batch: Batch, recipe: Recipe) -> None:
    """Add a line: ``told`` is the learning rate, the loss, and the soft Dice by channel."""
    is_new = not path.is_file()
    rate, loss, *dice = told
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if is_new:
            scores = [f"dice_{name}" for name in recipe.channels]
            writer.writerow(["step", "elapsed_s", "learning_rate", "loss", *scores, "sets"])
        scores = ["" if math.isnan(value) else f"{value:.4f}" for value in dice]
        sets = "+".join(batch.set_names)
        writer.writerow([state.step, f"{state.elapsed_s:.1f}", f"{rate:.6f}", f"{loss:.5f}", *scores, sets])


def _forget_after(path: Path, step: int) -> None:
    """Drop log lines of steps that will be made again, so a killed run leaves one learning curve."""
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    kept = [rows[0], *(row for row in rows[1:] if row and int(row[0]) <= step)]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(kept)
