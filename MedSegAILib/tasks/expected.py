"""What a run will take and be worth, said before it starts: seconds, memory, Dice. Ring 3.

Seconds are learned from this machine's own runs (``history``); the Dice is that of the package's card. Nothing is
guessed: what is not known is None.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.engine.backend import NetworkSpec, Shape
from MedSegAILib.engine.device import Plan, choose
from MedSegAILib.engine.memory import MemoryPlan, Work, plan_memory
from MedSegAILib.engine.slices import cut_of
from MedSegAILib.engine.views import VIEW_SETS
from MedSegAILib.engine.windows import Windows

from .foretell import foretell_shape
from .history import Run, network_words
from .manifest import Ensemble
from .outlook import RECENT_RUNS, dice_words, expected_dice, time_words
from .package import Package
from .preset_members import stages_of

HALF_TO_FLOAT = 2  # weights are stored as float16 and used as float32


@dataclass(frozen=True)
class Expectation:
    """What to expect of a run.

    Args:
        seconds: None while no like run was made here.
        run_count: how many like runs that rests on.
        memory_mb: what the run adds to the process, 0 when it cannot be told.
        dice: by data set and region, as the package's card has it for the preset; empty when not measured.
        note: a step down that memory makes necessary, or why nothing can run here.
    """

    seconds: float | None = None
    run_count: int = 0
    memory_mb: int = 0
    dice: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def words(self) -> str:
        """Give it as one line for people."""
        runs = f"{self.run_count} like run{'s' if self.run_count > 1 else ''} here"
        time = (
            f"about {time_words(self.seconds)} ({runs})"
            if self.seconds is not None
            else "time not known before the first run here"
        )
        memory = f", {self.memory_mb / 1024:.1f} GiB" if self.memory_mb else ""
        return f"{time}{memory}, {dice_words(self.dice)}"

    def to_json(self) -> dict[str, Any]:
        """Give a JSON-able dictionary."""
        return asdict(self)


def expect(package: Package, options: RunOptions, history: Sequence[Run], case: Case | None = None) -> Expectation:
    """Tell what a run will take and be worth.

    Args:
        package: the task.
        options: preset, device, backend, threads, memory.
        history: from ``history.read_history``.
        case: None for a typical brain.
    """
    dice = expected_dice(package, options.preset)
    try:
        plan = choose(options)
        stages = stages_of(package, options.preset)
        parts = [(ensemble, foretell_shape(stage, ensemble, case)) for stage in stages for ensemble in stage.ensembles]
        memory = [_memory(package, ensemble, shape, plan, options) for ensemble, shape in parts]
    except MedSegAIError as error:
        return Expectation(dice=dice, note=error.message)
    views = len(VIEW_SETS.get(str(package.presets.get(options.preset, {}).get("views")), ()))
    forward_voxels = sum(
        len(ensemble.members) * views * _voxels(shape, planned.windows)
        for (ensemble, shape), planned in zip(parts, memory, strict=True)
    )
    seconds, run_count = expected_seconds(package, plan, options.preset, forward_voxels, history)
    note = " ".join(dict.fromkeys(planned.note for planned in memory if planned.note))
    return Expectation(seconds, run_count, max(planned.needed_bytes for planned in memory) >> 20, dice, note)


def expected_seconds(
    package: Package, plan: Plan, preset: str, forward_voxels: int, history: Sequence[Run]
) -> tuple[float | None, int]:
    """Give the seconds of a run, and how many like runs they rest on; None and 0 without any.

    Like runs had the same networks, backend, device, precision and threads; those of the same preset come first, since
    some views need a second network made ready.
    """
    ensembles = [ensemble for stage in stages_of(package, preset) for ensemble in stage.ensembles]
    networks = [network for ensemble in ensembles for network, _ in ensemble.by_network()]
    network = network_words([(entry.name, entry.arguments) for entry in networks])
    wanted = (network, plan.backend, plan.device, plan.precision, plan.threads)
    like = [run for run in history if (run.network, run.backend, run.device, run.precision, run.threads) == wanted]
    chosen = ([run for run in like if run.preset == preset] or like)[-RECENT_RUNS:]
    if not chosen:
        return None, 0
    # The median: the first run after a start, and one beside other programs, are slow.
    a_voxel_s = statistics.median(run.predict_s / run.forward_voxels for run in chosen)
    other_s = statistics.median(run.other_s for run in chosen)
    return round(a_voxel_s * forward_voxels + other_s, 2), len(chosen)


def _memory(package: Package, ensemble: Ensemble, shape: Shape, plan: Plan, options: RunOptions) -> MemoryPlan:
    wanted = cut_of(ensemble.window, shape[1:])
    plans = []
    for network, files in ensemble.by_network():
        weight_bytes = HALF_TO_FLOAT * (package.folder / files[0]).stat().st_size
        spec = NetworkSpec(network.name, network.arguments)
        work = Work(spec, plan.backend, shape, len(ensemble.channels), weight_bytes, has_votes=True)
        plans.append(plan_memory(work, wanted, options.memory_mb << 20))
    return max(plans, key=lambda planned: planned.needed_bytes)


def _voxels(shape: Shape, windows: Windows | None) -> int:
    whole = (shape[1], shape[2], shape[3])
    return windows.count(whole) * math.prod(windows.clipped(whole)) if windows else math.prod(whole)
