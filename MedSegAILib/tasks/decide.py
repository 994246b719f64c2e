"""From region probabilities to a label map: named steps with parameters, listed in ``STEPS``. Ring 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.volume import Array


@dataclass(frozen=True, eq=False)
class _State:
    probabilities: Mapping[str, Array]  # by region, [z, y, x], 0 to 1
    masks: Mapping[str, Array] = field(default_factory=dict)
    labels: Array | None = None


def decide(probabilities: Mapping[str, Array], steps: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.uint8 | np.uint16]:
    """Run the decision steps of a manifest.

    Args:
        probabilities: by region name, each ``[z, y, x]``, 0 to 1.
        steps: ``{"step": name, parameter: value, ...}``.

    Returns:
        Label map ``[z, y, x]``, uint8, or uint16 when a label is above 255.

    Raises:
        PackageError: "package.step" for an unknown step, parameter or region, or when no step gives labels.
    """
    state = _State(probabilities)
    for entry in steps:
        parameters = {name: value for name, value in entry.items() if name != "step"}
        try:
            state = STEPS[entry["step"]](state, **parameters)
        except (KeyError, TypeError) as error:
            raise PackageError(
                "package.step",
                f"The package asks for a decision that this version does not know: {dict(entry)}.",
                f"Known steps: {', '.join(STEPS)}.",
            ) from error
    if state.labels is None:
        raise PackageError("package.step", "No decision step of the package gives labels.", "Repair the manifest.")
    return state.labels


def _threshold(state: _State, above: float) -> _State:
    """Take the voxels whose probability lies above the threshold, strictly, as the published inference does."""
    return replace(state, masks={name: values > above for name, values in state.probabilities.items()})


def _paint(state: _State, order: Sequence[tuple[str, int]]) -> _State:
    """Paint each region with a label, later regions over earlier ones.

    For BraTS 2020 the order WT 2, TC 1, ET 4 is the paper's rule: enhancing tumor keeps label 4 even outside the
    core (``docs/systems``: the published code differs there).
    """
    shape = next(iter(state.masks.values())).shape
    largest = max(value for _, value in order)
    labels = np.zeros(shape, dtype=np.uint8 if largest < 256 else np.uint16)
    for name, value in order:
        labels[state.masks[name]] = value
    return replace(state, labels=labels)


STEPS: dict[str, Callable[..., _State]] = {"threshold": _threshold, "paint": _paint}
