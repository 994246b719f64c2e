"""The running sums of a prediction: probabilities of all looks, and the share of the passes that vote.

Here: what sums are, and those in the memory of the machine. ``torch_sums`` has those of a GPU. Ring 2 (engine).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from MedSegAILib.core.errors import ResourceError

from .activation import ACTIVATIONS
from .backend import FloatArray, LoadedNetwork
from .views import View
from .windows import Box, Windows

SLAB_VALUES = 1 << 17  # half a MiB in float32


@dataclass(frozen=True, eq=False)
class Window:
    """A place in a look; without arguments the whole look.

    Args:
        box: the place.
        shares: of its voxels, ``[z, y, x]``; None where all of them count fully.
        windows: it is one of; None for the whole look.
    """

    box: Box = (slice(None), slice(None), slice(None))
    shares: FloatArray | None = None
    windows: Windows | None = None

    def run(self, network: LoadedNetwork, look: FloatArray) -> FloatArray:
        """Give the logits ``[k, z, y, x]`` at this place of ``[c, z, y, x]``."""
        return network.run(look) if self.windows is None else self.windows.run(network, look, self.box)


@dataclass(frozen=True)
class Counting:
    """How a look counts.

    Args:
        share: of a look of weight one; over all members and views, shares times weights sum to one.
        activation: a key of ``ACTIVATIONS``.
        vote_above: by output channel, the probability above which a look votes; None counts no votes.
    """

    share: float
    activation: str
    vote_above: tuple[float, ...] | None


class Sums(Protocol):
    """Sums over looks; they come to be when the first result says how many channels there are."""

    def add(self, network: LoadedNetwork, view: View, array: FloatArray, window: Window) -> None:
        """Run one window of a look and add its share.

        Args:
            network: loaded for windows of this shape.
            view: which look.
            array: the prepared case ``[c, z, y, x]``; the same in every call.
            window: which part of the look.

        Raises:
            ResourceError: "gpu.memory".
        """
        ...

    def mean(self) -> FloatArray:
        """Give the mean of the probabilities, ``[k, z, y, x]``.

        Raises:
            ResourceError: "engine.not_finite".
        """
        ...

    def votes(self) -> FloatArray | None:
        """Give the share of the looks above their levels, likewise; None when votes are not counted."""
        ...


class NumpySums:
    """Sums in the memory of the machine; see ``Sums``."""

    def __init__(self, counting: Counting) -> None:
        self._share = counting.share
        self._activate = ACTIVATIONS[counting.activation]
        self._above = None if counting.vote_above is None else by_channel(counting.vote_above)
        self._total: FloatArray | None = None
        self._votes: FloatArray | None = None

    def add(self, network: LoadedNetwork, view: View, array: FloatArray, window: Window) -> None:
        """Run one window of a view and add its share."""
        place = (slice(None), *window.box)
        logits = window.run(network, view.apply(array))
        if self._total is None:
            whole = (logits.shape[0], *array.shape[1:])
            self._total = np.zeros(whole, np.float32)
            self._votes = None if self._above is None else np.zeros(whole, np.float32)
        # A look at the sum is a view into it: adding there adds at the right place.
        total = view.apply(self._total)[place]
        votes = None if self._votes is None else view.apply(self._votes)[place]
        weight = np.float32(view.weight * self._share)
        for slab in _slabs(logits.shape):
            share = weight if window.shares is None else window.shares[slab] * weight
            probabilities = self._activate(logits[:, slab])
            if votes is not None and self._above is not None:
                np.add(votes[:, slab], share, out=votes[:, slab], where=probabilities > self._above)
            np.multiply(probabilities, share, out=probabilities)
            np.add(total[:, slab], probabilities, out=total[:, slab])

    def mean(self) -> FloatArray:
        """Give the mean of the probabilities; see ``Sums``."""
        return checked_mean(self._total)

    def votes(self) -> FloatArray | None:
        """Give the share of the looks above their levels; see ``Sums``."""
        return None if self._votes is None else np.clip(self._votes, 0.0, 1.0, out=self._votes)


def by_channel(levels: Sequence[float]) -> FloatArray:
    """Give a level for each channel as ``[k, 1, 1, 1]``, to be compared with ``[k, z, y, x]``."""
    return np.array(levels, np.float32).reshape(-1, 1, 1, 1)


def _slabs(shape_kzyx: tuple[int, ...]) -> Iterator[slice]:
    """Cut along z so that a slab of all channels stays in a core's cache while it is activated, weighted and added."""
    channels, depth, height, width = shape_kzyx
    count = max(1, SLAB_VALUES // (channels * height * width))
    return (slice(start, start + count) for start in range(0, depth, count))


def checked_mean(total: FloatArray | None) -> FloatArray:
    """Give a finished sum as a mean, 0 to 1, in place.

    Raises:
        ResourceError: "engine.not_finite" when it has NaN or infinity, or nothing was summed.
    """
    if total is None or not np.isfinite(total).all():
        raise ResourceError(
            "engine.not_finite",
            "The network gave values that are not numbers.",
            "Run on the CPU; if it happens there too, install the package again from its source.",
        )
    return np.clip(total, 0.0, 1.0, out=total)  # the sum of shares may be 1 + 1e-7
