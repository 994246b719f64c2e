"""Sums on the device of a torch network: case, looks, probabilities and sums stay there, only the result comes back.

The same code runs on CPU tensors, where tests compare it with ``NumpySums``. Ring 2 (engine).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from MedSegAILib.core.errors import ResourceError

from .backend import FloatArray, LoadedNetwork
from .sums import Counting, Window, checked_mean
from .torch_backend import TorchNetwork
from .views import View
from .windows import Box

_AXES = {"z": 1, "y": 2, "x": 3}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid_,
    "softmax": lambda logits: torch.softmax(logits, dim=0),
}


class TorchSums:
    """Sums where the network is; see ``Sums``. Takes networks of the torch backend, whole looks and plain windows."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._case: Tensor | None = None
        self._total: Tensor | None = None
        self._votes: Tensor | None = None

    def add(self, network: LoadedNetwork, view: View, array: FloatArray, window: Window) -> None:
        """Run one window of a look and add its share; see ``Sums``."""
        if not isinstance(network, TorchNetwork):
            raise TypeError("TorchSums takes networks of the torch backend")
        with torch.inference_mode(), _memory_named(network.device_name):
            self._add(network, view, array, window)

    def _add(self, network: TorchNetwork, view: View, array: FloatArray, window: Window) -> None:
        if self._case is None:
            self._case = torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(network.device_name)
        box, shares, counting = window.box, window.shares, self._counting
        place = (slice(None), *box)
        probabilities = ACTIVATIONS[counting.activation](network.forward(_look(self._case, view)[place]))
        if self._total is None:
            whole = (probabilities.shape[0], *array.shape[1:])
            self._total = probabilities.new_zeros(whole)
            self._votes = None if counting.vote_above is None else probabilities.new_zeros(whole)
        weight = probabilities.new_full((), view.weight * counting.share)
        if shares is not None:
            weight = torch.from_numpy(shares).to(weight.device) * weight
        if self._votes is not None and counting.vote_above is not None:
            levels = probabilities.new_tensor(counting.vote_above).reshape(-1, 1, 1, 1)
            votes = (probabilities > levels) * weight
            _back(self._votes, votes, view, box)
        _back(self._total, probabilities.mul_(weight), view, box)

    def mean(self) -> FloatArray:
        """Give the mean of the probabilities; see ``Sums``."""
        return checked_mean(None if self._total is None else self._total.cpu().numpy())

    def votes(self) -> FloatArray | None:
        """Give the share of the looks above their levels; see ``Sums``."""
        if self._votes is None:
            return None
        votes: FloatArray = self._votes.clamp(0.0, 1.0).cpu().numpy()
        return votes


def _look(case: Tensor, view: View) -> Tensor:
    """Give the look at ``[c, z, y, x]``, as ``View.apply`` does with arrays."""
    return torch.rot90(torch.flip(case, [_AXES[letter] for letter in view.flips]), view.quarter_turns, (2, 3))


def _back(total: Tensor, part: Tensor, view: View, box: Box) -> None:
    """Add a window of a look at its home in the sum: tensors have no views with negative strides, so it is moved."""
    turned = torch.rot90(part, -view.quarter_turns, (2, 3))
    home = (slice(None), *_home(box, view, total))
    total[home] += torch.flip(turned, [_AXES[letter] for letter in view.flips])


def _home(box: Box, view: View, total: Tensor) -> Box:
    """Give where the voxels of a box in a look lie in the case: undo the turns, then the flips."""
    sizes = [*total.shape[1:]] if not view.swaps_yx else [total.shape[1], total.shape[3], total.shape[2]]
    spans = [slice(*span.indices(size)[:2]) for span, size in zip(box, sizes, strict=True)]
    for _ in range(view.quarter_turns):  # row i of a turned look is column x - 1 - i of what was turned
        spans = [spans[0], spans[2], slice(sizes[1] - spans[1].stop, sizes[1] - spans[1].start)]
        sizes = [sizes[0], sizes[2], sizes[1]]
    for axis, letter in enumerate("zyx"):
        if letter in view.flips:
            spans[axis] = slice(sizes[axis] - spans[axis].stop, sizes[axis] - spans[axis].start)
    return spans[0], spans[1], spans[2]


@contextmanager
def _memory_named(device_name: str) -> Iterator[None]:
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise ResourceError(
            "gpu.memory",
            f"The GPU {device_name} has too little memory for the sums.",
            "Close other programs that use the GPU, or choose the device cpu.",
        ) from error
