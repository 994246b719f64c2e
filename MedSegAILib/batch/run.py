"""A batch from its checks to its tables: look through, resume, compute, report. Ring 6 (batch).

One loop hands studies to a crew and writes what became of them into the ledger, one line each, before anything else is
done with it. A stop at any moment loses at most the studies that are under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import MedSegAIError, SetupError, UsageError
from MedSegAILib.core.run import Cancel, Progress
from MedSegAILib.tasks.package import Package
from MedSegAILib.tasks.store import find_package

from .checks import CheckedStudy, check_study
from .crew import Crew
from .ledger import BEGUN, DONE, FAILED, LEDGER_FILE, Ledger
from .lock import FolderLock
from .options import BatchOptions
from .progress import BatchProgress, BatchProgressCallback, TimeLeft, write_progress
from .record import terms_of
from .resume import Todo, plan_run, remove_drafts
from .studies import Study, find_studies
from .study_run import STUDIES_FOLDER, StudyJob, held_mb
from .summary import BatchResult, Problem, summarize, write_key

PRIVATE_FOLDER = ".batch"
LOCK_FILE, LOG_FILE = "lock", "workers.log"
_WAIT_S = 0.2
CrewMaker = Callable[[BatchOptions, Path], Crew]


def segment_studies(
    source: Path,
    output: Path,
    task: str,
    options: BatchOptions,
    progress: BatchProgressCallback,
    cancel: Cancel,
) -> BatchResult:
    """Segment all studies of a folder or table; see ``MedSegAILib.segment_folder``."""
    batch = _Batch(source, output.absolute(), task, options, progress, cancel)
    return batch.look() if options.dry_run else batch.run(make_crew)


def make_crew(options: BatchOptions, private: Path) -> Crew:
    """Give who computes: processes of this machine, or the workers of a scheduler."""
    if options.cluster:
        from .cluster import DaskCrew

        return DaskCrew(options.cluster)
    from .local import LocalCrew

    return LocalCrew(options.workers, private / LOG_FILE)


@dataclass
class _Counts:
    """Ids by what became of them."""

    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


class _Batch:
    """One run of a batch."""

    def __init__(
        self,
        source: Path,
        output: Path,
        task: str,
        options: BatchOptions,
        progress: BatchProgressCallback,
        cancel: Cancel,
    ) -> None:
        if find_spec("jinja2") is None:
            raise SetupError("setup.jinja2_missing", "The library Jinja2 is not installed.", "Install medsegai[batch].")
        self.output, self.options, self.cancel = output, options, cancel
        self.private = output / PRIVATE_FOLDER
        self._tell_caller = progress
        self.package: Package = find_package(task, options.packages)
        self.package.refuse_other_than(options.run.package_sha256)
        self.terms = terms_of(self.package, options.run)
        self.studies = find_studies(source, self.package.roles, output, keep_names=options.keep_names)
        self.counts = _Counts()
        self._is_open = False

    def look(self) -> BatchResult:
        """Check every study and write nothing."""
        checked = self._check()
        problems = [self._problem(entry.study, entry.study.error) for entry in checked if entry.study.error]
        return BatchResult(self.output, len(checked), 0, len(problems), problems=tuple(problems), is_dry_run=True)

    def run(self, make: Callable[[BatchOptions, Path], Crew]) -> BatchResult:
        """Check, compute what is to do, write tables and pages."""
        _refuse_foreign(self.output)
        checked = self._check()
        (self.output / STUDIES_FOLDER).mkdir(parents=True, exist_ok=True)
        self.private.mkdir(exist_ok=True)
        with FolderLock(self.private / LOCK_FILE):
            self._is_open = True
            remove_drafts(self.output)
            ledger = Ledger(self.private / LEDGER_FILE)
            try:
                write_key(self.private, self.studies)
                self._note_problems(ledger, checked)
                sound = [entry.study for entry in checked if entry.study.error is None]
                todo = plan_run(sound, ledger, self.output, self.terms, retry_failed=self.options.retry_failed)
                self.counts.done.update(todo.standing)
                self.counts.failed.update(todo.failed)
                self._compute(ledger, todo, make)
            except BaseException:
                self._report(ledger, "stopped")
                raise
            finally:
                ledger.close()
            return self._report(ledger, "finished")

    def _check(self) -> list[CheckedStudy]:
        checked = []
        for number, study in enumerate(self.studies, start=1):
            self.cancel.check()
            entry = check_study(study, self.package, self.options.run)
            checked.append(entry)
            outcome = entry.study.error.code if entry.study.error else ""
            self._tell_caller(BatchProgress("checking", len(self.studies), number, study=study.id, outcome=outcome))
        return checked

    def _problem(self, study: Study, error: MedSegAIError) -> Problem:
        job = self._job(study)
        return Problem(study.id, error.code, job.plain(error.message), job.plain(error.hint))

    def _note_problems(self, ledger: Ledger, checked: list[CheckedStudy]) -> None:
        """Write down what failed its checks, once; a study that fails in the same way again needs no other line."""
        known = ledger.outcomes()
        for study in (entry.study for entry in checked):
            if study.error is None:
                continue
            problem = self._problem(study, study.error)
            told = {**study.error.to_json(), "message": problem.message, "hint": problem.hint, "details": {}}
            before = known.get(study.id)
            if before is None or before.event != FAILED or before.facts["error"] != told:
                ledger.append(FAILED, study.id, error=told, stamps={}, terms=self.terms, at_check=True)
            self.counts.failed.add(study.id)

    def _compute(self, ledger: Ledger, todo: Todo, make: Callable[[BatchOptions, Path], Crew]) -> None:
        if not todo.compute:
            return
        left = TimeLeft(len(todo.compute))
        waiting = iter(todo.compute)
        in_hand: set[str] = set()
        self._tell_state(self._now("computing", left))
        crew = make(self.options, self.private)
        try:
            while True:
                while len(in_hand) < crew.capacity and (entry := next(waiting, None)) is not None:
                    study, why = entry
                    ledger.append(BEGUN, study.id, why=why)
                    crew.submit(self._job(study))
                    in_hand.add(study.id)
                if not in_hand:
                    return
                self.cancel.check()
                for news in crew.wait(_WAIT_S):
                    if news.outcome is not None:
                        in_hand.discard(news.study)
                        self._settle(ledger, news.outcome)
                        left.one_more()
                        outcome = "done" if "record" in news.outcome else str(news.outcome["error"]["code"])
                        self._tell_state(replace(self._now("computing", left), study=news.study, outcome=outcome))
                    elif news.progress is not None:
                        step = _step_words(news.progress)
                        self._tell_caller(replace(self._now("computing", left), study=news.study, step=step))
        finally:
            crew.close()

    def _settle(self, ledger: Ledger, outcome: Mapping[str, Any]) -> None:
        study = str(outcome["study"])
        memory = {"memory_mb": outcome["memory_mb"], "batch_memory_mb": held_mb()}
        if "record" in outcome:
            ledger.append(DONE, study, record=outcome["record"], **memory)
            self.counts.done.add(study)
            self.counts.failed.discard(study)
        else:
            facts = {"error": outcome["error"], "stamps": outcome["stamps"], "terms": self.terms}
            ledger.append(FAILED, study, **facts, **memory)
            self.counts.failed.add(study)
            self.counts.done.discard(study)

    def _report(self, ledger: Ledger, state: str) -> BatchResult:
        self._tell_state(self._now("reporting"))
        settled = self.counts.done | self.counts.failed
        plan = [study.id for study in self.studies if study.id in settled]
        result = summarize(self.output, plan, ledger.outcomes(), len(self.studies))
        self._tell_state(self._now(state))
        return result

    def _job(self, study: Study) -> StudyJob:
        return StudyJob(
            study=study.id,
            inputs={role: str(Path(path).absolute()) for role, path in study.inputs.items()},
            reference=study.reference,
            output=str(self.output),
            terms=self.terms,
            packages=tuple(str(folder.absolute()) for folder in self.options.packages),
            keep_names=self.options.keep_names,
        )

    def _tell_state(self, now: BatchProgress) -> None:
        if self._is_open:
            write_progress(self.private, now)
        self._tell_caller(now)

    def _now(self, state: str, left: TimeLeft | None = None) -> BatchProgress:
        done, failed = len(self.counts.done), len(self.counts.failed)
        return BatchProgress(state, len(self.studies), done, failed, left.seconds() if left else None)


def _step_words(step: Progress) -> str:
    return f"{step.stage} {step.done}/{step.total}" if step.total > 1 else step.stage


def _refuse_foreign(output: Path) -> None:
    """Refuse a folder that holds something else than a batch: nothing of the user's is ever mixed with results."""
    if output.exists() and not output.is_dir():
        raise UsageError("output.not_a_folder", f"{output} is a file, not a folder.", "Give a folder with --output.")
    if output.is_dir() and any(output.iterdir()) and not (output / PRIVATE_FOLDER).is_dir():
        raise UsageError(
            "output.exists", f"The folder {output} is not empty and holds no batch.", "Give another folder."
        )
