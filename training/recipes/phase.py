"""A phase of a training: how long, which optimizer, which learning rate, which weights enter the mean that ships.

Most recipes have one, by the clock or by steps; the published ones have several. Beside the library.

Source: design page "brats2020", section 5 (Henry et al., arXiv 2011.01045, and its code).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

OPTIMIZERS = ("adamw", "adam", "ranger")


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs with an optimizer of its own, made new at its start.

    Args:
        epochs: its length.
        optimizer: of ``OPTIMIZERS``.
        learning_rate: at its start.
        flat_epochs: epochs before the cosine begins.
        period_epochs: in which the cosine comes to 0; it may be longer than the phase.
        member_every: the weights after every so many epochs enter the arithmetic mean that ships; 0 for none. Those at
            the start of the first such phase are a member too.
        weight_decay: of the optimizer.
    """

    epochs: int
    optimizer: str
    learning_rate: float
    flat_epochs: int
    period_epochs: int
    member_every: int = 0
    weight_decay: float = 0.0

    def rate(self, epoch: int) -> float:
        """Give the learning rate of an epoch of the phase, counted from 0."""
        return late_cosine(self.learning_rate, epoch, self.flat_epochs, self.period_epochs)

    def members(self) -> int:
        """Give how many weights of the phase enter the mean."""
        return self.epochs // self.member_every if self.member_every else 0


def late_cosine(rate: float, epoch: int, flat_epochs: int, period_epochs: int) -> float:
    """Give ``rate`` up to the epoch ``flat_epochs``, then ``rate / 2 (1 + cos(pi (epoch - flat) / period))``."""
    return 0.5 * rate * (1.0 + math.cos(math.pi * max(0, epoch - flat_epochs) / period_epochs))


def member_count(phases: tuple[Phase, ...]) -> int:
    """Give how many weights enter the mean of a run: those of its phases, and the start of the first such phase."""
    members = sum(phase.members() for phase in phases)
    return members + 1 if members else 0
