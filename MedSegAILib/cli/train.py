"""``medsegai train``: the door to the folder ``training``, of which the library knows nothing else. Ring 8."""

from __future__ import annotations

import importlib

import typer

from MedSegAILib.core.errors import SetupError

TRAINING = "training"
# All words, --help too, go to `python -m training train`, which alone knows what they mean.
EVERYTHING = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def train(context: typer.Context) -> None:
    """Make a package of your own: --data FOLDER --minutes 10 --output PACKAGE; or train a recipe of ours.

    Raises:
        SetupError: "setup.training_missing" where the folder or a library of it is not installed.
    """
    try:
        door = importlib.import_module(f"{TRAINING}.__main__")
    except ModuleNotFoundError as error:
        raise SetupError(
            "setup.training_missing",
            f"Training is not installed here ({error.name} is missing).",
            "Install it: pip install 'medsegai[training]', or run from a checkout.",
        ) from error
    door.run(["train", *context.args], prog="medsegai")
