"""From region probabilities to a label map: named steps with parameters, listed in ``STEPS``. Ring 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import PackageError, SetupError
from MedSegAILib.core.run import Cancel
from MedSegAILib.core.volume import Array
from MedSegAILib.image.components import large_parts, largest_part, without_holes
from MedSegAILib.image.intensity import window_map

from .steps import run_steps

Labels = npt.NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a decision may look at besides probabilities.

    Args:
        spacing_zyx_mm: of their voxels.
        image: gives the inputs as they were read, ``[c, z, y, x]`` on the same voxels; None where a decision is only
            looked at (places of doubt), then steps that need the image are passed over.
        cancel: checked within long steps.
    """

    spacing_zyx_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    image: Callable[[], Array] | None = None
    cancel: Cancel = field(default_factory=Cancel)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel."""
        depth, height, width = self.spacing_zyx_mm
        return depth * height * width / 1000.0


@dataclass(frozen=True, eq=False)
class _State:
    probabilities: Mapping[str, Array]  # by region, [z, y, x], 0 to 1
    around: Surroundings
    masks: Mapping[str, Array] = field(default_factory=dict)
    labels: Array | None = None


def decide(
    probabilities: Mapping[str, Array], steps: Sequence[Mapping[str, Any]], around: Surroundings | None = None
) -> Labels:
    """Run the decision steps of a manifest.

    Args:
        probabilities: by region name, each ``[z, y, x]``, 0 to 1.
        steps: ``{"step": name, parameter: value, ...}``.
        around: spacing and image; None for voxels of 1 mm and no image.

    Returns:
        Label map ``[z, y, x]``, uint8, or uint16 when a label is above 255.

    Raises:
        PackageError: "package.step" for an unknown step, parameter or region, or when no step gives labels.
    """
    state = run_steps(_State(probabilities, around or Surroundings()), steps, STEPS, "decision")
    if state.labels is None:
        raise PackageError("package.step", "No decision step of the package gives labels.", "Repair the manifest.")
    return state.labels


def _threshold(state: _State, above: float | Mapping[str, float]) -> _State:
    """Take the voxels whose probability lies above the threshold, strictly, as the published inference does."""
    if isinstance(above, Mapping):
        return replace(state, masks={name: state.probabilities[name] > float(value) for name, value in above.items()})
    return replace(state, masks={name: values > above for name, values in state.probabilities.items()})


def _paint(state: _State, order: Sequence[tuple[str, int]]) -> _State:
    """Paint each region with a label, later regions over earlier ones.

    For BraTS 2020 the order WT 2, TC 1, ET 4 is the paper's rule: enhancing tumor keeps label 4 even outside the
    core (``docs/systems``: the published code differs there).
    """
    shape = next(iter(state.masks.values())).shape
    labels = np.zeros(shape, dtype=_dtype(value for _, value in order))
    for name, value in order:
        labels[state.masks[name]] = value
    return replace(state, labels=labels)


def _argmax(state: _State, labels: Mapping[str, int]) -> _State:
    """Give each voxel the label of its most probable channel; 0 where that is none of those named, or all are 0."""
    names = list(state.probabilities)
    if unknown := set(labels) - set(names):
        raise KeyError(f"no channels {sorted(unknown)}")
    stacked = np.stack([state.probabilities[name] for name in names])
    values = np.array([int(labels.get(name, 0)) for name in names], dtype=_dtype(map(int, labels.values())))
    winners = values[stacked.argmax(axis=0)]
    # Outside of what the network saw every probability is 0, and the first channel would win.
    winners[stacked.max(axis=0) <= 0.0] = 0
    return replace(state, labels=winners)


def _largest_component(
    state: _State,
    regions: Sequence[str] | None = None,
    labels: Sequence[int] | None = None,
    connectivity: int = 26,
) -> _State:
    return _cleaned(state, regions, labels, lambda mask, _name: largest_part(mask, connectivity))


def _fill_holes(state: _State, regions: Sequence[str] | None = None, labels: Sequence[int] | None = None) -> _State:
    return _cleaned(state, regions, labels, lambda mask, _name: without_holes(mask))


def _min_volume(state: _State, ml: float | Mapping[str, float]) -> _State:
    """Remove components that are smaller; names are those of masks, or after painting label values."""

    def keep(mask: Array, name: str) -> Array:
        least = float(ml.get(name, 0.0)) if isinstance(ml, Mapping) else float(ml)
        return large_parts(mask, least / state.around.voxel_ml)

    return _cleaned(state, None, None, keep)


def _crf(state: _State, window: Sequence[float] | None = None, settings: Mapping[str, Any] | None = None) -> _State:
    """Let the probabilities follow the image; see ``engine.crf``.

    Args:
        state: with the probabilities.
        window: two intensities that become 0 and 255, as the usual settings expect; None takes the image as it is.
        settings: fields of ``engine.crf.CrfSettings``.
    """
    if state.around.image is None:
        return state
    try:
        from MedSegAILib.engine.crf import CrfSettings, refine
    except ImportError as error:
        raise SetupError(
            "setup.torch_missing", "The step crf needs torch, which does not load here.", "Install torch."
        ) from error
    image = state.around.image()
    if window is not None:
        low, high = window
        image = window_map(image, float(low), float(high), (0.0, 255.0))
    names = list(state.probabilities)
    refined = refine(
        np.stack([state.probabilities[name] for name in names]),
        image,
        state.around.spacing_zyx_mm,
        CrfSettings(**dict(settings or {})),
        on_iteration=lambda _done, _count: state.around.cancel.check(),
    )
    return replace(state, probabilities=dict(zip(names, refined, strict=True)))


def _cleaned(
    state: _State,
    regions: Sequence[str] | None,
    labels: Sequence[int] | None,
    change: Callable[[Array, str], Array],
) -> _State:
    """Change masks, or after painting the voxels of labels: of each by itself, or of the union of those listed."""
    if state.labels is None:
        if not state.masks or labels is not None:
            raise ValueError("there are no masks yet, or labels are named before they are painted")
        chosen = list(state.masks if regions is None else regions)
        return replace(state, masks={**state.masks, **{name: change(state.masks[name], name) for name in chosen}})
    if regions is not None:
        raise ValueError("regions are named after painting; name labels")
    painted = state.labels.copy()
    values = [[int(value)] for value in np.unique(painted) if value] if labels is None else [list(map(int, labels))]
    for union in values:
        mask = np.isin(painted, union)
        kept = change(mask, str(union[0]))
        painted[mask & ~kept] = 0
        # Only background is filled: what has a label of its own keeps it.
        painted[kept & (painted == 0)] = union[0]
    return replace(state, labels=painted)


def _dtype(values: Any) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if max(values) < 256 else np.uint16


STEPS: dict[str, Callable[..., _State]] = {
    "crf": _crf,
    "threshold": _threshold,
    "paint": _paint,
    "argmax": _argmax,
    "largest_component": _largest_component,
    "fill_holes": _fill_holes,
    "min_volume": _min_volume,
}
