"""Ranger follows the check trajectory of the design page, step by step, and can be stopped and resumed."""

from __future__ import annotations

import pytest
import torch

from training.ranger import Ranger, centralized, rectification

# design/systems/brats2020.md, section 5; float32, learning rate 0.01.
MATRIX = {
    1: [1.002045, 0.5396385, -0.4175281, -0.9931996, -0.6536683, 0.2868941],
    6: [1.002686, 0.5383982, -0.4170094, -0.9975962, -0.6530151, 0.2907384],
    20: [1.001156, 0.5384522, -0.4154952, -0.9970198, -0.6517789, 0.2898654],
}
VECTOR = {
    1: [0.9974747, 0.5350681, -0.4220985, -0.9943328],
    6: [0.9905244, 0.5263306, -0.4292614, -0.9972487],
    20: [0.9886249, 0.525175, -0.4297375, -0.997139],
}


def start(shape: tuple[int, ...]) -> torch.nn.Parameter:
    count = int(torch.tensor(shape).prod())
    return torch.nn.Parameter(torch.cos(torch.arange(count, dtype=torch.float32)).reshape(shape))


def walk(weights: torch.nn.Parameter, optimizer: Ranger, first: int, last: int) -> dict[int, list[float]]:
    index = torch.arange(weights.numel(), dtype=torch.float32)
    trail = {}
    for step in range(first, last + 1):
        weights.grad = (0.5 * torch.sin(0.7 * index + 0.31 * step) + 0.1).reshape(weights.shape)
        optimizer.step()
        trail[step] = weights.detach().flatten().tolist()
    return trail


@pytest.mark.parametrize(("shape", "wanted"), [((2, 3), MATRIX), ((4,), VECTOR)], ids=["matrix", "vector"])
def test_it_walks_the_check_trajectory(shape: tuple[int, ...], wanted: dict[int, list[float]]) -> None:
    weights = start(shape)
    trail = walk(weights, Ranger([weights], lr=0.01), 1, 20)
    for step, values in wanted.items():
        assert trail[step] == pytest.approx(values, abs=2e-6), step


def test_stopped_and_resumed_it_walks_on_to_the_bit() -> None:
    weights = start((2, 3))
    whole = walk(weights, Ranger([weights], lr=0.01), 1, 20)
    weights = start((2, 3))
    optimizer = Ranger([weights], lr=0.01)
    walk(weights, optimizer, 1, 9)
    again = torch.nn.Parameter(weights.detach().clone())
    resumed = Ranger([again], lr=0.01)
    resumed.load_state_dict(optimizer.state_dict())
    assert walk(again, resumed, 10, 20)[20] == whole[20]


def test_the_variance_is_trusted_from_the_sixth_step_on() -> None:
    assert [rectification(step, 0.999) is None for step in range(1, 8)] == [True] * 5 + [False] * 2


def test_centralization_leaves_biases_alone_and_no_mean_in_a_filter() -> None:
    gradient = torch.arange(24.0).reshape(2, 3, 4)
    assert centralized(gradient).mean(dim=(1, 2)).tolist() == [0.0, 0.0]
    assert torch.equal(centralized(gradient[0, 0]), gradient[0, 0])
