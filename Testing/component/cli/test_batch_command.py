"""``medsegai batch`` and ``MedSegAILib.segment_folder`` are one thing: same defaults, same words."""

import inspect
from dataclasses import fields

import pytest

from MedSegAILib.api import segment_folder
from MedSegAILib.batch.options import BATCH_RUN, BatchOptions
from MedSegAILib.batch.progress import BatchProgress
from MedSegAILib.cli.batch import batch, words
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.tasks.determinism import refuse_chance

# Field of the options -> option of the shell, where the words differ.
RENAMED = {"memory_mb": "memory"}
# Not for the shell: probabilities are not written, repairs are two lists, packages come by the environment.
NOT_IN_SHELL = {"keep_probabilities", "repair", "run", "packages"}


def defaults():
    return {name: parameter.default for name, parameter in inspect.signature(batch).parameters.items()}


@pytest.mark.parametrize("given", [BATCH_RUN, BatchOptions()], ids=["run", "batch"])
def test_every_default_is_the_same_in_shell_and_function(given):
    for field in fields(given):
        if field.name not in NOT_IN_SHELL:
            assert defaults()[RENAMED.get(field.name, field.name)] == getattr(given, field.name), field.name


def test_shell_has_no_choice_that_the_function_lacks():
    choices = {RENAMED.get(field.name, field.name) for kind in (RunOptions, BatchOptions) for field in fields(kind)}
    known = choices | {"source", "output", "task", "repairs", "no_repairs", "as_json"}
    assert set(defaults()) <= known
    assert set(inspect.signature(segment_folder).parameters) >= {"source", "output", "task", "options"}


def test_batch_is_deterministic_unless_told_otherwise():
    assert RunOptions(deterministic=True) == BATCH_RUN


def test_progress_is_told_in_one_line():
    progress = BatchProgress("computing", 97, 3, 1, 700.0, "case7", step="predict 3/8")
    assert words(progress) == "case7: predict 3/8, 12 min left"
    assert words(BatchProgress("computing", 97, 3, 1, 7300.0, "case7", outcome="done")) == "case7: done, 2.0 h left"


def test_checksum_that_is_none_is_refused():
    with pytest.raises(UsageError) as caught:
        RunOptions(package_sha256="abc")
    assert caught.value.code == "options.package_sha256"


def test_workers_below_one_are_refused():
    with pytest.raises(UsageError) as caught:
        BatchOptions(workers=0)
    assert caught.value.code == "batch.workers"


def test_deterministic_run_refuses_what_free_memory_decides():
    from MedSegAILib.core.errors import ResourceError

    refuse_chance((), RunOptions(deterministic=True))
    refuse_chance(("Computed in windows.",), RunOptions(deterministic=True, memory_mb=500))
    with pytest.raises(ResourceError) as caught:
        refuse_chance(("Computed in windows.",), RunOptions(deterministic=True))
    assert caught.value.code == "memory.deterministic"
