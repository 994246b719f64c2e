"""Ranger: RAdam, LookAhead and gradient centralization in one optimizer. Beside the library (training).

Written from the description of the design page "brats2020", section 5, whose check trajectory a test holds. Sources:
Liu et al., arXiv 1908.03265 (RAdam); Zhang et al., arXiv 1907.08610 (LookAhead); Yong et al., arXiv 2004.01461
(centralization).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import sqrt
from typing import Any

import torch
from torch import Tensor

ENOUGH = 5.0  # length of the moving average from which its variance can be trusted; first in step 6


class Ranger(torch.optim.Optimizer):
    """RAdam on centralized gradients; every few steps the weights go half the way back to slow ones.

    Args:
        parameters: weights, or groups of them.
        lr: learning rate.
        betas: of the means of gradient and squared gradient.
        eps: added to the root of the second.
        weight_decay: decoupled, before the step.
        lookahead: share of the way that the slow weights go to the fast ones, and steps between.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.95, 0.999),
        eps: float = 1e-5,
        weight_decay: float = 0.0,
        lookahead: tuple[float, int] = (0.5, 6),
    ) -> None:  # fmt: skip
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "lookahead": lookahead}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make one step; give the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weights in group["params"]:
                if weights.grad is not None:
                    self._move(weights, centralized(weights.grad), group)
        return loss

    def _move(self, weights: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weights]
        if not state:
            state["step"] = 0
            state["mean"] = torch.zeros_like(weights, memory_format=torch.preserve_format)
            state["square"] = torch.zeros_like(weights, memory_format=torch.preserve_format)
            state["slow"] = weights.detach().clone(memory_format=torch.preserve_format)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        mean, square = state["mean"], state["square"]
        mean.lerp_(gradient, 1.0 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1.0 - beta2)
        if group["weight_decay"]:
            weights.mul_(1.0 - group["weight_decay"] * group["lr"])
        factor = rectification(state["step"], beta2)
        stride = group["lr"] / (1.0 - beta1 ** state["step"])
        if factor is None:
            weights.add_(mean, alpha=-stride)
        else:
            weights.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-stride * factor)
        pull, every = group["lookahead"]
        if state["step"] % every == 0:
            state["slow"].lerp_(weights, pull)
            weights.copy_(state["slow"])


def centralized(gradient: Tensor) -> Tensor:
    """Take the mean over all axes but the first away; a gradient of one axis stays."""
    if gradient.ndim < 2:
        return gradient
    return gradient - gradient.mean(dim=tuple(range(1, gradient.ndim)), keepdim=True)


def rectification(step: int, beta2: float) -> float | None:
    """Give RAdam's factor, with Adam's correction of the second moment in it; None while its variance is unknown.

    Source: Liu et al., algorithm 2.
    """
    power = beta2**step
    longest = 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * step * power / (1.0 - power)
    if length <= ENOUGH:
        return None
    ratio = (length - 4.0) / (longest - 4.0) * (length - 2.0) / length * longest / (longest - 2.0)
    return sqrt((1.0 - power) * ratio)
