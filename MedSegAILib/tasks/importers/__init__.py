"""Foreign weights become packages: one entry for each kind of source, loaded when it is asked for.

Not here: running packages, and fetching anything; sources are folders of this machine. Ring 3.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from MedSegAILib.core.errors import SetupError, UsageError
from MedSegAILib.core.result import Notice
from MedSegAILib.tasks.package import Package

Precision = Literal["fp32", "fp16"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16")

IMPORTERS: dict[str, str] = {
    "brats2020": "brats2020_package:import_runs",
}


@dataclass(frozen=True, eq=False)
class Imported:
    """What an import gives.

    Args:
        package: written, read back and checked.
        members: facts of each member for people and scripts: file, source, ensemble, network, parameters.
        notices: what was assumed.
    """

    package: Package
    members: tuple[dict[str, Any], ...]
    notices: tuple[Notice, ...]


class Importer(Protocol):
    """A way to make a package of foreign files."""

    def __call__(self, sources: Sequence[Path], output: Path, precision: Precision) -> Imported:
        """Write a package folder.

        Args:
            sources: folders of the foreign files.
            output: folder of the package, new or empty; its name becomes the name of the task.
            precision: of the written weights.

        Raises:
            PackageError: a source does not fit; the message names it.
            UsageError: the output cannot be used.
        """
        ...


def load_importer(name: str) -> Importer:
    """Load the code behind an importer.

    Raises:
        UsageError: "import.kind" for an unknown name.
        SetupError: "setup.torch_missing" when torch is not installed or does not load.
    """
    if name not in IMPORTERS:
        raise UsageError("import.kind", f"There is no importer {name!r}.", f"Choose one of {', '.join(IMPORTERS)}.")
    module_name, _, function_name = IMPORTERS[name].partition(":")
    try:
        module = importlib.import_module(f".{module_name}", __name__)
    except (ImportError, OSError) as error:  # OSError: a shared library of it is missing
        raise SetupError(
            "setup.torch_missing",
            f"Importing {name} needs torch, which does not load here ({error}).",
            "Install torch; running the package afterwards does not need it.",
        ) from error
    found: Importer = getattr(module, function_name)
    return found
