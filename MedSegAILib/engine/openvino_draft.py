"""What the functions of the ops share: the draft of a model, its inputs for weights, and a few words of OpenVINO.

Not here: which ops exist (``openvino_model``, ``openvino_norms``). Ring 1 (verbs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from openvino import opset13 as ops

from MedSegAILib.core.errors import PackageError

from .backend import FloatArray, Weights

Attributes = Mapping[str, Any]
Form = Callable[..., FloatArray]
Values = Sequence[Any]


@dataclass(frozen=True)
class Slot:
    """An input of the model that takes tensors of the weights.

    Args:
        names: of the tensors.
        shapes: of the tensors in the weights.
        form: takes the tensors in the order of their names and gives what the model wants of them.
        is_kernel: whether the last two axes of the tensors are y and x.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    form: Form
    is_kernel: bool

    def check(self, weights: Weights) -> None:
        """Compare the tensors' shapes with those which the model was built for.

        Raises:
            PackageError: "package.weights".
        """
        for name, shape in zip(self.names, self.shapes, strict=True):
            found = weights[name].shape
            if found != shape:
                raise PackageError(
                    "package.weights",
                    f"The tensor {name!r} should have shape {list(shape)}; the weights have {list(found)}.",
                    "Install the package again from its source.",
                )

    def filled(self, weights: Weights, *, is_turned: bool) -> FloatArray:
        """Give the values of the input; for a turned look with y and x of kernels swapped."""
        tensors = [weights[name] for name in self.names]
        if is_turned and self.is_kernel:
            tensors = [np.swapaxes(tensor, -2, -1) for tensor in tensors]
        return self.form(*tensors)


@dataclass
class Draft:
    """What the functions of the ops work on.

    Args:
        weights: of the first member; their shapes count.
        nodes: of the graph.
        lanes: float32 values of this machine's vectors.
        slots: inputs of the model so far.
        parameters: likewise, as OpenVINO has them.
    """

    weights: Weights
    nodes: Sequence[Attributes]
    lanes: int
    slots: list[Slot] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def tensor(self, name: str, form: Form, *, is_kernel: bool = False) -> Any:
        """Give a new input of the model, for a tensor in a form."""
        return self.tensors((name,), form, is_kernel=is_kernel)

    def tensors(self, names: Iterable[str], form: Form, *, is_kernel: bool = False) -> Any:
        """Give a new input of the model that is made of several tensors; see ``Slot``."""
        names = tuple(names)
        found = [self.weights[name] for name in names]
        parameter = ops.parameter(list(form(*found).shape), np.float32)
        self.slots.append(Slot(names, tuple(tensor.shape for tensor in found), form, is_kernel))
        self.parameters.append(parameter)
        return parameter


# --- forms of tensors, and words of OpenVINO --------------------------------------------------------------------


def as_it_is(tensor: FloatArray) -> FloatArray:
    """Give a tensor as the weights have it."""
    return tensor


def per_channel(axes: int) -> Form:
    """Give the form ``[1, c, 1, ...]`` for values of so many spatial axes."""
    return lambda tensor: tensor.reshape([1, -1] + [1] * axes)


def shape_of(value: Any) -> list[int]:
    """Give the shape of a value of the model."""
    output = value.output(0) if hasattr(value, "output") else value
    return [int(count) for count in output.shape]


def constant(array: Any) -> Any:
    """Give float32 numbers that no member changes."""
    return ops.constant(np.ascontiguousarray(array, dtype=np.float32), np.float32)


def integers(values: Iterable[int]) -> Any:
    """Give axes, sizes or counts."""
    return ops.constant(np.array(list(values), dtype=np.int64))
