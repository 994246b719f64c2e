"""What steers a run: options, progress, cancel. Ring 0 (nouns)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .box import StageBox
from .errors import Cancelled, UsageError

PRESETS = ("fast", "balanced", "best")
DEVICES = ("auto", "cpu", "cuda")
BACKENDS = ("auto", "openvino", "torch")
# What may be done to a case before the network sees it; each is named in the passport when it was done.
REPAIRS = ("resample", "register", "strip")
DEFAULT_REPAIRS = ("resample", "register")  # masking whole heads gains nothing on average, see tasks/strip.py


@dataclass(frozen=True)
class RunOptions:
    """Everything a user may choose about a run; the defaults are the same behind every door.

    Args:
        preset: "fast", "balanced" or "best": which members and views take part.
        device: "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:<n>".
        backend: "auto" (openvino on a CPU, torch on a GPU), "openvino" or "torch".
        threads: CPU threads for the network, 0 = all cores.
        keep_probabilities: keep the region probabilities of the box in the result (float32).
        memory_mb: memory that a run on the CPU may take, in MB; 0 = what is free. A case that needs more is cut
            into windows, and the passport says so.
        repair: what may be done to the inputs where it is needed: "resample" (other grids), "register" (sequences
            that do not lie on each other), "strip" (mask the brain of a whole head); an empty tuple refuses all.
        boxes: where stages shall look instead of the box that they would find, at most one a stage; see
            ``Result.boxes``.
        deterministic: the same input gives the same bytes on the same machine: fp32 everywhere, and a case for which
            the free memory is short is refused instead of computed in windows.
        package_sha256: checksum that the package must have (of its ``manifest.json``, 64 hexadecimal digits); empty
            takes the installed one.

    Raises:
        UsageError: "options.<field>" with the values there are.
    """

    preset: Literal["fast", "balanced", "best"] = "balanced"
    device: str = "auto"
    backend: Literal["auto", "openvino", "torch"] = "auto"
    threads: int = 0
    keep_probabilities: bool = False
    memory_mb: int = 0
    repair: tuple[str, ...] = DEFAULT_REPAIRS
    boxes: tuple[StageBox, ...] = ()
    deterministic: bool = False
    package_sha256: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "repair", tuple(self.repair))  # JSON brings a list
        # JSON brings dictionaries.
        boxes = tuple(box if isinstance(box, StageBox) else StageBox.from_json(box) for box in self.boxes)
        object.__setattr__(self, "boxes", boxes)
        stages = [box.stage for box in boxes]
        if len(set(stages)) != len(stages):
            raise UsageError("options.boxes", "One stage is given two boxes.", "Give one box a stage.")
        for name in self.repair:
            self._one_of("repair", name, REPAIRS)
        self._one_of("preset", self.preset, PRESETS)
        self._one_of("backend", self.backend, BACKENDS)
        kind, _, index = self.device.partition(":")
        if kind not in DEVICES or (index and not index.isdigit()):
            raise UsageError(
                "options.device", f"There is no device {self.device!r}.", f"Choose one of {', '.join(DEVICES)}."
            )
        if self.threads < 0:
            raise UsageError(
                "options.threads", f"{self.threads} threads cannot be used.", "Give 0 (all cores) or more."
            )
        if self.memory_mb < 0:
            raise UsageError(
                "options.memory_mb",
                f"{self.memory_mb} MB of memory cannot be used.",
                "Give 0 (what is free) or more.",
            )
        if self.package_sha256 and not re.fullmatch("[0-9a-f]{64}", self.package_sha256):
            raise UsageError(
                "options.package_sha256",
                f"A checksum has 64 hexadecimal digits; {self.package_sha256!r} is none.",
                "Take it from `medsegai models info TASK`, or from the passport of an earlier result.",
            )

    @staticmethod
    def _one_of(field_name: str, value: str, allowed: tuple[str, ...]) -> None:
        if value not in allowed:
            raise UsageError(
                f"options.{field_name}",
                f"There is no {field_name} {value!r}.",
                f"Choose one of {', '.join(allowed)}.",
            )

    def to_json(self) -> dict[str, Any]:
        """Give the options as a dictionary; ``RunOptions(**d)`` reads it back."""
        return {**asdict(self), "repair": list(self.repair), "boxes": [box.to_json() for box in self.boxes]}


@dataclass(frozen=True)
class Progress:
    """One step forward: ``done`` of ``total`` units of the named stage; 0 of 0 when the length is unknown."""

    stage: str
    done: int
    total: int


ProgressCallback = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Do nothing; the default callback."""


class Cancel:
    """A flag that one thread sets and the computing one looks at between two windows."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask the run to stop at its next check."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Go on, or stop here.

        Raises:
            Cancelled: "run.cancelled" once :meth:`set` was called.
        """
        if self._event.is_set():
            raise Cancelled
