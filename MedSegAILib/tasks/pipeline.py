"""The river: case in, result out. Check, prepare, predict, undo, decide; no files, no settings, no scene. Ring 3."""

from __future__ import annotations

from functools import partial

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.result import Passport, Probabilities, Result
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback, RunOptions, ignore_progress
from MedSegAILib.core.volume import Array, Volume
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.device import Plan, choose
from MedSegAILib.engine.predict import Job, predict
from MedSegAILib.engine.views import VIEW_SETS, View
from MedSegAILib.version import VERSION

from .check import check
from .decide import decide
from .package import Package, Stage
from .prepare import Prepared, prepare
from .record import Stopwatch, describe_inputs, peak_memory_mb


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
    cancel.check()

    # Tasks of one stage for now; a cascade passes the region of one stage as the box of the next.
    stage = package.stages[-1]
    progress(Progress("prepare", 0, 1))
    with watch.step("prepare"):
        prepared = prepare(checked.case, package.roles, stage.ensemble.prepare)
    cancel.check()

    with watch.step("predict"):
        job = _job(package, stage, plan, views)
        probabilities = predict(prepared.array, job, lambda n, of: progress(Progress("predict", n, of)), cancel)

    progress(Progress("decide", 0, 1))
    with watch.step("decide"):
        labels = _decide(prepared, probabilities, stage)
    cancel.check()

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
            "working_shape_zyx": list(prepared.array.shape[1:]),
        },
        options=options.to_json(),
        inputs=inputs,
        repairs=checked.repairs,
        fallbacks=plan.fallbacks,
        seconds=watch.seconds,
        peak_memory_mb=peak_memory_mb(),
    )
    kept = None
    if options.keep_probabilities:
        grid = prepared.trail.working_grid
        kept = Probabilities(probabilities, stage.ensemble.channels, np.array(grid.ijk_to_ras))
    progress(Progress("done", 1, 1))
    grid = checked.case.reference_grid()
    return Result(Volume(labels, grid, name="labels"), package.scheme, passport, checked.notices, kept)


def _views(package: Package, options: RunOptions) -> tuple[View, ...]:
    try:
        return VIEW_SETS[package.presets[options.preset]["views"]]
    except KeyError as error:
        raise PackageError(
            "package.preset",
            f"{package.title} has no usable preset {options.preset!r}.",
            f"Its presets are {', '.join(package.presets)}.",
        ) from error


def _job(package: Package, stage: Stage, plan: Plan, views: tuple[View, ...]) -> Job:
    ensemble = stage.ensemble
    return Job(
        members=tuple(partial(package.weights, name) for name in ensemble.members),
        network=NetworkSpec(ensemble.network, ensemble.arguments, package.graph(ensemble)),
        plan=plan,
        views=views,
        activation=ensemble.activation,
    )


def _decide(prepared: Prepared, probabilities: Array, stage: Stage) -> Array:
    trail = prepared.trail
    by_region = dict(zip(stage.ensemble.channels, trail.undo(probabilities), strict=True))
    return trail.place(decide(by_region, stage.decide))
