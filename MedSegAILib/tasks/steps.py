"""Named steps with parameters, as manifests list them, run one after the other on a state. Ring 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from MedSegAILib.core.errors import PackageError

State = TypeVar("State")


def run_steps(
    state: State, steps: Sequence[Mapping[str, Any]], table: Mapping[str, Callable[..., State]], kind: str
) -> State:
    """Run steps of a manifest.

    Args:
        state: what the first step takes.
        steps: ``{"step": name, parameter: value, ...}``.
        table: by name, what takes a state and the parameters and gives the next state.
        kind: what the steps are, for messages: "preparation".

    Raises:
        PackageError: "package.step" for an unknown step or parameter, or a value that it does not take.
    """
    for entry in steps:
        parameters = {name: value for name, value in entry.items() if name != "step"}
        try:
            state = table[entry["step"]](state, **parameters)
        except (KeyError, TypeError, ValueError) as error:
            raise PackageError(
                "package.step",
                f"The package asks for a {kind} that this version does not know: {dict(entry)}.",
                f"Known steps: {', '.join(table)}.",
            ) from error
    return state
