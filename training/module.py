"""The step of a training as Lightning drives it: batch by step number, loss, optimizer, and the mean of the weights.

What a run is stands in ``checkpoint.State``; how long it goes on and what it leaves, in ``loop`` and ``watch``. Beside
the library (training).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from .averaging import add_member, copies_of, copy_weights, move_average
from .cache import Sample
from .checkpoint import State
from .objective import objective
from .recipes.phase import Phase
from .recipes.recipe import Recipe
from .sampling import Batch, draw_batch
from .slices import to_images, to_middle

Rate = Callable[[State], float]


class Training(LightningModule):
    """One phase of a run.

    Args:
        state: of the run; moved on by every step.
        recipe: what to train.
        samples: prepared studies that train.
        rate: gives the learning rate of the next step.
        phase: with first step, for the members of the mean; None for a running mean.
        workers: processes that draw batches; 0 draws them in between.
    """

    def __init__(
        self,
        state: State,
        recipe: Recipe,
        samples: Sequence[Sample],
        rate: Rate,
        phase: tuple[Phase, int] | None = None,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.network = state.network
        self.state, self.recipe, self.samples, self.rate, self.phase = state, recipe, samples, rate, phase
        self.workers = workers
        self.told: tuple[float, float, list[float], tuple[str, ...]] = (0.0, math.nan, [], ())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give the optimizer of the run."""
        return self.state.optimizer

    def train_dataloader(self) -> DataLoader[Batch]:
        """Give the batches from the run's step on, without end."""
        steps = _StepsFrom(self.state.step)
        batches = _Batches(self.samples, self.recipe, self.global_rank)
        return DataLoader(batches, batch_size=None, sampler=steps, num_workers=self.workers)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move the tensors of a batch."""
        layout = memory_format(self.recipe)
        images, targets = batch.images, batch.targets
        if self.recipe.slices:
            images, targets = to_images(images, self.recipe.slices), to_middle(targets, self.recipe.slices)
        return Batch(
            images.contiguous(memory_format=layout).to(device),
            targets.to(device),
            batch.known.to(device),
            batch.set_names,
        )

    def on_fit_start(self) -> None:
        """Bring the mean to the device of the weights; let the start of averaging be its first member."""
        for name, value in self.state.average.items():
            self.state.average[name] = value.to(self.device)
        if self.phase and self.phase[0].member_every and not self.state.members:
            add_member(self.state)

    def on_fit_end(self) -> None:
        """Bring the mean back."""
        self.state.average = {name: value.cpu() for name, value in self.state.average.items()}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate."""
        rate = self.rate(self.state)
        for group in self.state.optimizer.param_groups:
            group["lr"] = rate

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Give the loss of a batch."""
        loss, region_losses = total_loss(self.network(batch.images), batch, self.recipe)
        told = batch.known.any(dim=0)
        dice = [1.0 - float(one) if is_told else math.nan for one, is_told in zip(region_losses, told, strict=True)]
        self.told = (self.state.optimizer.param_groups[0]["lr"], float(loss.detach()), dice, batch.set_names)
        return loss

    def count_step(self) -> None:
        """Move the mean of the weights, and count the step; ``watch.Watch`` calls it before anything is written."""
        if self.phase is None:
            move_average(self.state, self.recipe.average_decay)
            self.state.step += 1
            return
        self.state.step += 1
        phase, first = self.phase
        done = self.state.step - first
        if phase.member_every and done % (phase.member_every * self.recipe.epoch_steps) == 0:
            add_member(self.state)
        elif not self.state.members:
            copy_weights(self.state)


def total_loss(outputs: Tensor | tuple[Tensor, list[Tensor]], batch: Batch, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Give the loss of the output, and of each head of deep supervision unweighted; and the Dice losses of the output.

    Source: the paper's sum, where its code takes the mean (design page "brats2020", sections 3 and 7).
    """
    main, heads = (outputs, []) if isinstance(outputs, Tensor) else outputs
    wanted = objective(recipe)
    loss, by_region = wanted(main, batch.targets, batch.known)
    for head in heads:
        loss = loss + wanted(head, batch.targets, batch.known)[0]
    return loss, by_region


def memory_format(recipe: Recipe) -> torch.memory_format:
    """Give the order in memory that is fastest on CPUs."""
    return torch.channels_last if recipe.slices else torch.channels_last_3d


def best_copies(state: State) -> dict[str, Tensor]:
    """Give copies of the weights that would ship, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in state.average.items()} or copies_of(state.network)


class _StepsFrom(Sampler[int]):
    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self.first)


class _Batches(Dataset[Batch]):
    """Batches by step number; further processes of one run draw others."""

    def __init__(self, samples: Sequence[Sample], recipe: Recipe, rank: int) -> None:
        self.samples, self.recipe, self.rank = samples, recipe, rank

    def __getitem__(self, step: int) -> Batch:
        return draw_batch(self.samples, self.recipe, step, self.rank)
