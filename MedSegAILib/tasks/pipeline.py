"""The river: case in, result out. Check, prepare, predict, undo, decide; no files, no settings, no scene. Ring 3."""

from __future__ import annotations

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.result import Notice, Passport, Result
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback, RunOptions, ignore_progress
from MedSegAILib.core.volume import Volume
from MedSegAILib.engine.device import choose
from MedSegAILib.engine.views import VIEW_SETS, View
from MedSegAILib.version import VERSION

from .check import check
from .ensemble import Means
from .package import Package
from .plausible import compare_sequences, look_at_heads, refuse_other_modality
from .record import Stopwatch, describe_inputs, peak_memory_mb
from .repair import repair
from .stage import run_stage
from .strip import strip


def segment(
    case: Case,
    package: Package,
    options: RunOptions | None = None,
    progress: ProgressCallback = ignore_progress,
    cancel: Cancel | None = None,
) -> Result:
    """Segment a case with a package.

    Args:
        case: inputs by role.
        package: a checked package.
        options: preset, device, backend, threads; None takes the defaults.
        progress: called at every step.
        cancel: checked between any two network passes.

    Returns:
        Label map on the grid of the case's reference, to the voxel.

    Raises:
        InputError, UsageError: the case does not fit; see ``tasks.check``.
        PackageError: the package asks for something that this version does not know.
        ResourceError, SetupError: memory or a library is missing.
        Cancelled: "run.cancelled".
    """
    options = options or RunOptions()
    cancel = cancel or Cancel()
    watch = Stopwatch()
    plan = choose(options)
    views = _views(package, options)

    progress(Progress("check", 0, 1))
    with watch.step("check"):
        checked = check(case, package)
        inputs = describe_inputs(checked.case)
        refuse_other_modality(checked.case, {entry.role: entry.modality for entry in package.inputs})
        looks, notices = look_at_heads(checked.case) if package.is_head else ({}, ())
    cancel.check()
    progress(Progress("repair", 0, 1))
    with watch.step("repair"):
        checked = repair(checked, options.repair, cancel, is_head=package.is_head)
        if package.is_head:
            checked = strip(checked, looks, options.repair, wanted=package.wants_stripped)
            notices += compare_sequences(checked.case)
    cancel.check()

    # One stage for now; a cascade will pass the region of one stage as the box of the next.
    means = Means(plan, views, progress, cancel, watch, options.memory_mb << 20)
    outcome = run_stage(checked.case, package, package.stages[0], means)

    passport = Passport(
        task=package.task,
        package={"name": package.folder.name, "version": package.version, "sha256": dict(package.checksums)},
        library=VERSION,
        engine={
            "backend": plan.backend,
            "device": plan.device,
            "precision": plan.precision,
            "threads": plan.threads,
            "views": [view.name for view in views],
            "ensembles": list(outcome.ensembles),
            "doubt": outcome.doubt.method,
        },
        options=options.to_json(),
        inputs=inputs,
        repairs=checked.repairs,
        fallbacks=(*plan.fallbacks, *outcome.fallbacks),
        seconds=watch.seconds,
        peak_memory_mb=peak_memory_mb(),
    )
    progress(Progress("done", 1, 1))
    return Result(
        Volume(outcome.labels, checked.case.reference_grid(), name="labels"),
        package.scheme,
        passport,
        (*checked.notices, *notices, *map(_stepped_down, outcome.fallbacks)),
        outcome.probabilities if options.keep_probabilities else None,
        outcome.doubt,
    )


def _stepped_down(sentence: str) -> Notice:
    return Notice(
        "memory.stepped_down",
        sentence,
        "The result differs from that of the whole image, the more the smaller the windows; free memory and run again.",
    )


def _views(package: Package, options: RunOptions) -> tuple[View, ...]:
    try:
        return VIEW_SETS[package.presets[options.preset]["views"]]
    except KeyError as error:
        raise PackageError(
            "package.preset",
            f"{package.title} has no usable preset {options.preset!r}.",
            f"Its presets are {', '.join(package.presets)}.",
        ) from error
