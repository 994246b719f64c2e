"""The river: case in, result out. Check, prepare, predict, undo, decide; no files, no settings, no scene. Ring 3."""

from __future__ import annotations

from MedSegAILib.core.case import Case
from MedSegAILib.core.result import Notice, Passport, Result
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback, RunOptions, ignore_progress
from MedSegAILib.core.volume import Volume
from MedSegAILib.engine.device import choose
from MedSegAILib.version import VERSION

from .cascade import run_stages
from .check import check
from .determinism import TOLERANCE, refuse_chance
from .ensemble import Means
from .kept import KeptStages
from .package import Package
from .plausible import compare_sequences, look_at_heads, refuse_other_modality
from .preset_members import stages_of
from .preset_views import views_of
from .record import Stopwatch, describe_inputs, peak_memory_mb
from .repair import repair
from .strip import strip


def segment(
    case: Case,
    package: Package,
    options: RunOptions | None = None,
    progress: ProgressCallback = ignore_progress,
    cancel: Cancel | None = None,
    kept: KeptStages | None = None,
) -> Result:
    """Segment a case with a package.

    Args:
        case: inputs by role.
        package: a checked package.
        options: preset, device, backend, threads; None takes the defaults.
        progress: called at every step.
        cancel: checked between any two network passes.
        kept: stages of the run before, for a caller that changes the box of a later stage and runs again.

    Returns:
        Label map on the grid of the case's reference, to the voxel.

    Raises:
        InputError, UsageError: the case does not fit; see ``tasks.check``.
        PackageError: the package asks for something that this version does not know.
        ResourceError, SetupError: memory or a library is missing.
        Cancelled: "run.cancelled".
    """
    options = options or RunOptions()
    package.refuse_other_than(options.package_sha256)
    cancel = cancel or Cancel()
    watch = Stopwatch()
    plan = choose(options)
    views, stages = views_of(package, options.preset), stages_of(package, options.preset)

    progress(Progress("check", 0, 1))
    with watch.step("check"):
        checked = check(case, package)
        inputs = describe_inputs(checked.case)
        refuse_other_modality(checked.case, {entry.role: entry.modality for entry in package.inputs})
        looks, notices = look_at_heads(checked.case) if package.is_head else ({}, ())
    cancel.check()
    progress(Progress("repair", 0, 1))
    with watch.step("repair"):
        checked = repair(checked, options.repair, cancel, is_head=package.wants_aligned)
        if package.is_head:
            checked = strip(checked, looks, options.repair, wanted=package.wants_stripped)
        if package.wants_aligned:
            notices += compare_sequences(checked.case)
    cancel.check()

    means = Means(plan, views, progress, cancel, watch, options.memory_mb << 20)
    package_facts = {
        "name": package.folder.name,
        "version": package.version,
        "manifest_sha256": package.sha256,
        "sha256": dict(package.checksums),
    }
    if kept is not None:
        chosen = {**options.to_json(), "boxes": []}
        kept.begin({"inputs": inputs, "repairs": checked.repairs, "package": package_facts, "options": chosen})
    outcome = run_stages(checked.case, package, stages, means, options.boxes, kept)
    if kept is not None:
        kept.probabilities = outcome.probabilities
    if options.deterministic:
        refuse_chance(outcome.fallbacks, options)

    passport = Passport(
        task=package.task,
        package=package_facts,
        library=VERSION,
        engine={
            "backend": plan.backend,
            "device": plan.device,
            "precision": plan.precision,
            "threads": plan.threads,
            "views": [view.name for view in views],
            "ensembles": list(outcome.ensembles),
            "doubt": outcome.doubt.method,
            **({"deterministic": TOLERANCE} if options.deterministic else {}),
        },
        options=options.to_json(),
        inputs=inputs,
        repairs=checked.repairs,
        fallbacks=(*plan.fallbacks, *outcome.fallbacks),
        seconds=watch.seconds,
        peak_memory_mb=peak_memory_mb(),
        stages=outcome.stages,
    )
    progress(Progress("done", 1, 1))
    return Result(
        Volume(outcome.labels, checked.case.reference_grid(), name="labels"),
        package.scheme,
        passport,
        (*_of_package(package), *checked.notices, *notices, *outcome.notices, *map(_stepped_down, outcome.fallbacks)),
        outcome.probabilities if options.keep_probabilities else None,
        outcome.doubt,
        outcome.boxes,
    )


def _of_package(package: Package) -> tuple[Notice, ...]:
    """Give what the package itself says about every result of it."""
    if not package.notice:
        return ()
    return (Notice("package.notice", package.notice, "Read its card before you use the result for anything."),)


def _stepped_down(sentence: str) -> Notice:
    return Notice(
        "memory.stepped_down",
        sentence,
        "The result differs from that of the whole image, the more the smaller the windows; free memory and run again.",
    )
