"""The training loop: Lightning drives the steps, phase after phase; a run that was killed goes on where it stood.

Devices, precision and several processes are Lightning's; batches, loss, averages and files are ours. Beside the
library (training). Why: ``docs/decisions/0013``.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from lightning.pytorch import Trainer

from MedSegAILib import networks

from .averaging import copies_of
from .cache import Sample
from .checkpoint import State, read_checkpoint, restore
from .devices import Hardware, chosen_precision, machine_words
from .module import Rate, Training, memory_format
from .one_writer import one_writer
from .optimizers import build_optimizer
from .recipes.phase import Phase
from .recipes.recipe import Recipe
from .start import load_start, start_output
from .watch import LOOKS, LOSSES, Watch, forget_after

logger = logging.getLogger(__name__)


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
        hardware: processors and precision.
    """

    folder: Path
    steps: int | None = None
    budget_s: float | None = None
    checkpoint_s: float = 120.0
    monitor_s: float = 480.0
    stop_after: int | None = None
    hardware: Hardware = field(default_factory=Hardware)


@dataclass(frozen=True)
class Stretch:
    """A phase of a run: its first step and the one after its last; without a phase the whole run, by any measure."""

    phase: Phase | None
    first: int
    end: float


def train(recipe: Recipe, samples: Sequence[Sample], held_out: Sequence[Sample], settings: RunSettings) -> State:
    """Train, or go on where the run folder's checkpoint stands.

    Args:
        recipe: what to train.
        samples: prepared studies that train.
        held_out: prepared studies that are only looked at.
        settings: length and place.

    Returns:
        The state at the end; its checkpoint is written.

    Raises:
        UsageError: "training.precision", "training.run_busy". InputError: "checkpoint.recipe".
    """
    with one_writer(settings.folder):
        return _train(recipe, samples, held_out, settings)


def _train(recipe: Recipe, samples: Sequence[Sample], held_out: Sequence[Sample], settings: RunSettings) -> State:
    precision = chosen_precision(settings.hardware)
    if recipe.phases and not recipe.epoch_steps:
        recipe = replace(recipe, epoch_steps=math.ceil(len(samples) / recipe.crops[0].count))
    state = open_run(recipe, settings)
    first = state.step
    for stretch in stretches(recipe):
        is_over = partial(_is_over, recipe=recipe, settings=settings, stretch=stretch, first=first)
        if not is_over(state):
            if state.step == stretch.first and stretch.phase and stretch.first:
                state.optimizer = build_optimizer(recipe, state.network, stretch.phase)
            watch = _watch(state, recipe, held_out, settings, is_over)
            trainer = make_trainer(settings.hardware, precision, recipe, watch)
            phase = (stretch.phase, stretch.first) if stretch.phase else None
            rate = _rate(recipe, settings, stretch)
            _fit(trainer, Training(state, recipe, samples, rate, phase, settings.hardware.worker_count()))
            watch.save(trainer)
    if held_out and (state.best.step != state.step or not state.best.weights):
        watch = _watch(state, recipe, held_out, settings, lambda _: True)
        watch.look()
    return state


def open_run(recipe: Recipe, settings: RunSettings) -> State:
    """Give the state of a run folder, or a new one."""
    saved = read_checkpoint(settings.folder, recipe.name)
    state = new_state(recipe)
    if saved is not None:
        phase = next((one.phase for one in stretches(recipe) if int(saved["step"]) <= one.end), None)
        if phase is not None:
            state.optimizer = build_optimizer(recipe, state.network, phase)
        restore(state, saved)
        logger.info("resumed at step %d after %.0f s", state.step, state.elapsed_s)
        for name in (LOSSES, LOOKS):
            forget_after(settings.folder / name, state.step)
    state.machine = machine_words(settings.hardware)
    return state


def new_state(recipe: Recipe) -> State:
    """Build network and optimizer from the recipe's seed, and from the weights that it starts from.

    Raises:
        MedSegAIError: as ``load_start``.
    """
    torch.manual_seed(recipe.seed)
    heads = {"deep_heads": True} if recipe.deep_supervision else {}
    network = networks.build(recipe.network, **{**recipe.arguments, **heads})
    if recipe.start_from:
        load_start(network, recipe.start_from)
    elif recipe.start_logit:
        start_output(network, recipe.start_logit, has_background=recipe.activation == "softmax")
    network = network.to(memory_format=memory_format(recipe))  # type: ignore[call-overload]  # torch forgot it
    phase = recipe.phases[0] if recipe.phases else None
    return State(network, copies_of(network), build_optimizer(recipe, network, phase))


def stretches(recipe: Recipe) -> list[Stretch]:
    """Give the phases of a run by step; one without end for a recipe without phases."""
    if not recipe.phases:
        return [Stretch(None, 0, math.inf)]
    found, step = [], 0
    for phase in recipe.phases:
        found.append(Stretch(phase, step, step + phase.epochs * recipe.epoch_steps))
        step += phase.epochs * recipe.epoch_steps
    return found


def make_trainer(hardware: Hardware, precision: str, recipe: Recipe, watch: Watch) -> Trainer:
    """Give Lightning's trainer: it moves, scales, clips and steps; everything else it could do is ours or off."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    return Trainer(
        accelerator=hardware.accelerator,
        devices=hardware.devices or ("auto" if hardware.uses_gpu else 1),
        num_nodes=hardware.nodes,
        precision=precision,  # type: ignore[arg-type]  # chosen_precision gives its names
        max_epochs=1,
        max_steps=-1,
        gradient_clip_val=recipe.gradient_norm or None,
        # "warn": some interpolations of a GPU have no deterministic form.
        deterministic="warn" if hardware.deterministic else None,
        callbacks=[watch],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def run_progress(state: State, recipe: Recipe, settings: RunSettings) -> float:
    """Give how far the run is, 0 to 1, by the clock when there is a budget, else by steps."""
    if settings.budget_s is not None:
        return state.elapsed_s / settings.budget_s
    return state.step / (settings.steps or recipe.steps)


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Give the learning rate: a linear rise over the first steps, times a cosine to 0 over the whole run."""
    rise = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    return recipe.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


def _rate(recipe: Recipe, settings: RunSettings, stretch: Stretch) -> Rate:
    if stretch.phase is None:
        return lambda state: learning_rate(recipe, state.step, run_progress(state, recipe, settings))
    phase = stretch.phase
    return lambda state: phase.rate((state.step - stretch.first) // recipe.epoch_steps)


def _is_over(state: State, recipe: Recipe, settings: RunSettings, stretch: Stretch, first: int) -> bool:
    if settings.stop_after is not None and state.step - first >= settings.stop_after:
        return True
    if recipe.patience and state.best.looks_since >= recipe.patience:
        return True
    if stretch.phase is None:
        return run_progress(state, recipe, settings) >= 1.0
    last = settings.steps if settings.steps is not None else math.inf
    spent = settings.budget_s is not None and state.elapsed_s >= settings.budget_s
    return state.step >= min(stretch.end, last) or spent


def _watch(
    state: State,
    recipe: Recipe,
    held_out: Sequence[Sample],
    settings: RunSettings,
    is_over: Callable[[State], bool],
) -> Watch:
    every_s = (settings.checkpoint_s, settings.monitor_s, 10.0)
    return Watch(state, recipe, held_out, settings.folder, every_s, is_over)


def _fit(trainer: Trainer, module: Training) -> None:
    with warnings.catch_warnings():
        # Lightning speaks of its own use of torch, and of loaders that it thinks slow.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
        trainer.fit(module)
