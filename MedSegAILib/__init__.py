"""MedSegAI: segmentation of medical images from trained packages. Research use only.

    from pathlib import Path
    import MedSegAILib as medsegai

    case = medsegai.read_study(Path("study"), roles=["T1", "T1ce", "T2", "FLAIR"])
    result = medsegai.segment(case, task="brain-tumor")
    print(result.volumes_ml())

Importing this module costs the standard library only; each public name loads what it needs on first use.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import VERSION

__version__ = VERSION

# A library stays silent until the program that uses it asks for its log.
logging.getLogger(__name__).addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from .api import correct, segment, segment_folder
    from .batch.options import BatchOptions
    from .batch.progress import BatchProgress
    from .batch.summary import BatchResult
    from .core.case import Case
    from .core.errors import MedSegAIError
    from .core.prompts import BoxPrompt, Click, Lasso, Scribble
    from .core.result import Result
    from .core.run import Cancel, Progress, RunOptions
    from .core.volume import Grid, Volume
    from .io import read_case, read_label_map, read_study, read_volume
    from .report.outputs import write_outputs

# Public name: module that holds it.
_HOMES = {
    "correct": "api",
    "segment": "api",
    "segment_folder": "api",
    "BatchOptions": "batch.options",
    "BatchProgress": "batch.progress",
    "BatchResult": "batch.summary",
    "Case": "core.case",
    "BoxPrompt": "core.prompts",
    "Click": "core.prompts",
    "Lasso": "core.prompts",
    "Scribble": "core.prompts",
    "MedSegAIError": "core.errors",
    "Result": "core.result",
    "Cancel": "core.run",
    "Progress": "core.run",
    "RunOptions": "core.run",
    "Grid": "core.volume",
    "Volume": "core.volume",
    "read_case": "io",
    "read_label_map": "io",
    "read_study": "io",
    "read_volume": "io",
    "write_outputs": "report.outputs",
}

__all__ = [
    "BatchOptions",
    "BatchProgress",
    "BatchResult",
    "BoxPrompt",
    "Cancel",
    "Case",
    "Click",
    "Grid",
    "Lasso",
    "MedSegAIError",
    "Progress",
    "Result",
    "RunOptions",
    "Scribble",
    "Volume",
    "__version__",
    "correct",
    "read_case",
    "read_label_map",
    "read_study",
    "read_volume",
    "segment",
    "segment_folder",
    "write_outputs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
