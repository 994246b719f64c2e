"""Where a run trains and how exactly: processors, precision, and the words that tell it. Beside the library (training).

Half precision on a CPU without instructions for it is 38 times slower (design page "performance", section 6), so it is
refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from MedSegAILib.core.errors import UsageError

PRECISIONS = ("auto", "32-true", "16-mixed", "bf16-mixed")


@dataclass(frozen=True)
class Hardware:
    """What a run may use.

    Args:
        accelerator: "auto", "cpu" or "gpu".
        devices: GPUs of a node; 0 takes all of them, or one CPU process.
        nodes: machines.
        precision: of ``PRECISIONS``; "auto" is mixed on a GPU and full on a CPU.
        workers: processes that draw batches; -1 takes four beside a GPU, none beside a CPU.
        deterministic: the same bits in every run, where the device can.
    """

    accelerator: str = "auto"
    devices: int = 0
    nodes: int = 1
    precision: str = "auto"
    workers: int = -1
    deterministic: bool = False

    @property
    def uses_gpu(self) -> bool:
        """Whether a GPU trains."""
        return self.accelerator == "gpu" or (self.accelerator == "auto" and torch.cuda.is_available())

    def worker_count(self) -> int:
        """Give the processes that draw batches."""
        return self.workers if self.workers >= 0 else (4 if self.uses_gpu else 0)


def chosen_precision(hardware: Hardware) -> str:
    """Give the precision of a run.

    Raises:
        UsageError: "training.precision" for an unknown one, and for half precision on a CPU that is slow at it.
    """
    if hardware.precision not in PRECISIONS:
        raise UsageError(
            "training.precision",
            f"There is no precision {hardware.precision!r}.",
            f"Choose one of {', '.join(PRECISIONS)}.",
        )
    if hardware.uses_gpu:
        automatic = "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
        return automatic if hardware.precision == "auto" else hardware.precision
    if hardware.precision in ("auto", "32-true"):
        return "32-true"
    if hardware.precision == "bf16-mixed" and cpu_has_bf16():
        return "bf16-mixed"
    raise UsageError(
        "training.precision",
        f"This processor has no instructions for {hardware.precision}; training would be many times slower.",
        "Leave --precision out, or train on a GPU.",
    )


def cpu_has_bf16() -> bool:
    """Tell whether the processor computes with bfloat16 itself."""
    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name)()) for name in known if hasattr(torch.cpu, name))


def machine_words(hardware: Hardware) -> str:
    """Say where a run trains, for card and manifest."""
    if hardware.uses_gpu:
        count = (hardware.devices or torch.cuda.device_count()) * hardware.nodes
        return f"{count} {torch.cuda.get_device_name()}" if torch.cuda.is_available() else f"{count} GPUs"
    count = os.cpu_count() or 1
    return {1: "one processor core", 2: "two processor cores"}.get(count, f"{count} processor cores")
