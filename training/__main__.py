"""The door of training: ``python -m training VERB``; the verbs stand in ``train_verbs`` and ``package_verbs``."""

from __future__ import annotations

import argparse
import logging
import sys

from MedSegAILib.core.errors import MedSegAIError

from .package_verbs import add_package_verbs
from .train_verbs import add_train_verbs


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; the exit code is that of the error's class."""
    try:
        run(arguments)
    except MedSegAIError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def run(arguments: list[str] | None = None, prog: str = "python -m training") -> None:
    """Run one verb.

    Args:
        arguments: what follows the program's name; None takes the process's own.
        prog: name of the program for its help.

    Raises:
        MedSegAIError: whatever the verb could not do.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    parser = argparse.ArgumentParser(prog=prog, description="Train and make MedSegAI packages.")
    verbs = parser.add_subparsers(required=True)
    add_train_verbs(verbs)
    add_package_verbs(verbs)
    options = parser.parse_args(arguments)
    options.run(options)


if __name__ == "__main__":
    sys.exit(main())
