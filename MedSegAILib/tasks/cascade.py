"""The stages of a task one after the other: each finds its box, looks, and adds to one label map. Ring 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.case import Case
from MedSegAILib.core.doubt import Doubt
from MedSegAILib.core.errors import PackageError, UsageError
from MedSegAILib.core.result import Notice, Probabilities
from MedSegAILib.core.volume import Array, Grid
from MedSegAILib.image.geometry import Box, reorientation_to, whole_box

from .boxes import from_space, larger_box, region_box, rough_box, to_space, touches_face
from .ensemble import Means, PassCount
from .kept import KeptStages
from .manifest import Stage
from .package import Package
from .record import Stopwatch
from .stage import StageOutcome, pass_count_of, run_stage


@dataclass(frozen=True, eq=False)
class CascadeOutcome:
    """What all stages found together.

    Args:
        labels: ``[z, y, x]`` on the native grid of the case's reference.
        probabilities: of the last stage that ran.
        doubt: of all stages that give a result.
        boxes: where stages looked that did not see the whole image.
        notices: what a user must know: no region for a box, a box that was too small.
        stages: facts of each stage for the passport.
        ensembles: facts of the ensembles that ran, first tries included; those of kept stages stand in ``stages``.
        fallbacks: steps down that were taken, one sentence each.
    """

    labels: npt.NDArray[Any]
    probabilities: Probabilities
    doubt: Doubt
    boxes: tuple[StageBox, ...]
    notices: tuple[Notice, ...]
    stages: tuple[dict[str, Any], ...]
    ensembles: tuple[dict[str, Any], ...]
    fallbacks: tuple[str, ...]


def run_stages(
    case: Case,
    package: Package,
    stages: Sequence[Stage],
    means: Means,
    given: Sequence[StageBox] = (),
    kept: KeptStages | None = None,
) -> CascadeOutcome:
    """Run all stages of a task on a checked case.

    Args:
        case: its volumes lie on one lattice, the reference is named.
        package: holds the weights.
        stages: of the package, with the members that take part.
        means: by what to run, and whom to tell.
        given: boxes that the caller wants instead of those that would be found.
        kept: stages of the run before.

    Raises:
        UsageError: "options.boxes" for a stage that there is not, or a box outside of the image.
        MedSegAIError: as ``pipeline.segment``.
    """
    names = [stage.name for stage in stages]
    if unknown := [box.stage for box in given if box.stage not in names]:
        raise UsageError(
            "options.boxes",
            f"{package.title} has no stage {unknown[0]!r}.",
            f"Its stages are {', '.join(names)}.",
        )
    count = PassCount(sum(pass_count_of(stage, means) for stage in stages), means.progress)
    cascade = _Cascade(case, package, means, {box.stage: box for box in given}, count)
    for stage in stages:
        cascade.run(stage, kept)
    return cascade.outcome()


@dataclass(frozen=True, eq=False)
class _Look:
    """What a stage found in which box, whether that was kept from the run before, and at which try."""

    outcome: StageOutcome
    box: Box | None
    is_kept: bool = False
    tries: int = 1


class _Cascade:
    """Stages so far."""

    def __init__(
        self, case: Case, package: Package, means: Means, given: Mapping[str, StageBox], count: PassCount
    ) -> None:
        self._case = case
        self._package = package
        self._means = means
        self._given = given
        self._count = count
        self._grid: Grid = case.reference_grid()
        self._found: list[tuple[Stage, StageOutcome]] = []
        self._facts: list[dict[str, Any]] = []
        self._ensembles: list[dict[str, Any]] = []
        self._fallbacks: list[str] = []
        # Of all stages so far, those without a result of their own too: later boxes come from here.
        self._known: Array = np.zeros(self._grid.shape_zyx, dtype=np.uint8)
        self._shown: Array = self._known
        self._boxes: list[StageBox] = []
        self._notices: list[Notice] = []

    def run(self, stage: Stage, kept: KeptStages | None) -> None:
        """Run one stage and add what it finds."""
        rule = stage.box
        watch = Stopwatch()
        with watch.step("box") if rule else nullcontext():
            box = self._box(stage)
        if box is None and rule is not None and stage.name not in self._given:
            self._skip(stage, rule.region)
            return
        look = self._look_twice(stage, box, watch, kept)
        facts = {"name": stage.name, "ran": True, "tries": look.tries, "kept": look.is_kept, "seconds": watch.seconds}
        if look.box is not None:
            self._boxes.append(to_space(stage.name, self._grid, look.box))
            facts["box"] = self._boxes[-1].to_json()
        if look.is_kept:
            facts["ensembles"] = list(look.outcome.ensembles)
        self._means.watch.add(watch)
        self._facts.append(facts)
        self._found.append((stage, look.outcome))
        self._fallbacks.extend(look.outcome.fallbacks)
        self._add(stage, look.outcome.labels, look.box)

    def outcome(self) -> CascadeOutcome:
        """Give all together."""
        last = self._found[-1]
        shown = [found for found in self._found if found[0].result != "none"] or [last]
        return CascadeOutcome(
            self._shown,
            last[1].probabilities,
            _all_doubts([(stage.name, outcome.doubt) for stage, outcome in shown]),
            tuple(self._boxes),
            tuple(self._notices),
            tuple(self._facts),
            tuple(self._ensembles),
            tuple(dict.fromkeys(self._fallbacks)),
        )

    def _skip(self, stage: Stage, region: str) -> None:
        """Leave a stage out whose region is not there."""
        self._count.expect(-pass_count_of(stage, self._means))
        self._facts.append({"name": stage.name, "ran": False})
        title = self._package.scheme.region(region).title.lower()
        self._notices.append(
            Notice(
                "stage.nothing_found",
                f"No {title} was found, so {stage.name} was not looked for.",
                f"Check that the image shows it; else give the box of stage {stage.name} yourself.",
            )
        )

    def _look_twice(self, stage: Stage, box: Box | None, watch: Stopwatch, kept: KeptStages | None) -> _Look:
        """Let a stage look, and once more in a larger box when its labels reach the box."""
        look = self._look(stage, box, watch, kept)
        if look.box is None or not touches_face(look.outcome.labels > 0, look.box):
            return look
        larger = self._larger(stage, look.box)
        if larger is not None:
            self._count.expect(pass_count_of(stage, self._means))
            look = replace(self._look(stage, larger, watch, kept), tries=2)
            self._notices.append(_enlarged(stage))
        if larger is None or touches_face(look.outcome.labels > 0, larger):
            self._notices.append(_touches(stage, is_given=stage.name in self._given))
        return look

    def _look(self, stage: Stage, box: Box | None, watch: Stopwatch, kept: KeptStages | None) -> _Look:
        """Let a stage look in a box, or give what is kept of it."""
        before = kept.get(stage.name, box) if kept is not None else None
        if before is not None:
            self._count.expect(-pass_count_of(stage, self._means))
            return _Look(before, box, is_kept=True)
        means = replace(self._means, watch=watch)
        outcome = run_stage(self._case, self._package, stage, means, self._count, box)
        self._ensembles.extend(outcome.ensembles)
        if kept is not None:
            kept.put(stage.name, box, outcome)
        return _Look(outcome, box)

    def _box(self, stage: Stage) -> Box | None:
        """Give the box of a stage; None for the whole image, or when its region was not found."""
        if stage.name in self._given:
            return from_space(self._given[stage.name], self._grid)
        rule = stage.box
        if rule is None:
            return None
        if rule.region:
            mask = self._package.scheme.mask(self._known, rule.region)
            return region_box(mask, self._grid, rule.margin_mm, rule.at_least_mm)
        move = reorientation_to(self._grid, "LPS")
        channels = [reorientation_to(volume.grid, "LPS").apply(volume.array) for volume in self._case.volumes.values()]
        try:
            box = rough_box(channels, move.grid(self._grid), rule.rough)
        except (TypeError, ValueError) as error:
            raise PackageError(
                "package.manifest",
                f"The box of stage {stage.name!r} cannot be laid ({error}).",
                "Compare it with docs/reference/manifest.md.",
            ) from error
        return move.undo_box(box, self._grid.shape_zyx)

    def _larger(self, stage: Stage, box: Box) -> Box | None:
        """Give the box of the second try; None when there is none: the caller chose, or it cannot grow."""
        if stage.box is None or stage.name in self._given:
            return None
        larger = larger_box(box, self._grid.shape_zyx, stage.box.larger)
        return None if larger == box else larger

    def _add(self, stage: Stage, labels: Array, box: Box | None) -> None:
        known = _combined(self._known, labels, stage.result, box)
        if stage.result != "none":
            self._shown = _combined(self._shown, labels, stage.result, box)
        self._known = known


def _combined(before: Array, labels: Array, result: str, box: Box | None) -> Array:
    """Put the labels of a stage onto those before."""
    if result == "replace":
        place = whole_box((before.shape[0], before.shape[1], before.shape[2])) if box is None else box
        combined = before.astype(np.promote_types(before.dtype, labels.dtype))
        combined[place] = labels[place]
        return combined
    return np.where(labels > 0, labels, before) if before.any() else labels


def _all_doubts(doubts: Sequence[tuple[str, Doubt]]) -> Doubt:
    """Give the doubts of several stages as one, the most mL at stake first."""
    if len(doubts) == 1:
        return doubts[0][1]
    places = sorted((place for _, doubt in doubts for place in doubt.places), key=lambda place: -place.at_stake_ml)
    contested = {name: value for _, doubt in doubts for name, value in doubt.contested_ml.items()}
    return Doubt(
        tuple(places),
        contested,
        max(doubt.pass_count for _, doubt in doubts),
        " ".join(f"{name}: {doubt.method}" for name, doubt in doubts),
        sum(doubt.left_out for _, doubt in doubts),
    )


def _enlarged(stage: Stage) -> Notice:
    return Notice(
        "stage.box_enlarged",
        f"What stage {stage.name} found reached the edge of its box; it looked again in a larger one.",
        "Look whether the whole structure is outlined.",
    )


def _touches(stage: Stage, *, is_given: bool) -> Notice:
    return Notice(
        "stage.touches_box",
        f"What stage {stage.name} found reaches the edge of {'the given' if is_given else 'its'} box: some of it may "
        "lie outside.",
        f"Give a larger box for stage {stage.name}, and run again.",
    )
