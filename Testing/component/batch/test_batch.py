"""A batch survives everything: bad studies, defects, crashes, kill -9 at any moment; and computes nothing twice."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from MedSegAILib.batch.options import BatchOptions
from MedSegAILib.batch.run import segment_studies
from MedSegAILib.core.errors import Cancelled, PackageError, UsageError
from MedSegAILib.core.run import Cancel, RunOptions
from Testing.batch_driver import segment
from Testing.makers.shell import CHECKOUT, environment
from Testing.makers.study_roots import CORRUPT, STUDIES, count_of, entries, make_root, table, what_stands


@pytest.fixture
def copy(undisturbed, tmp_path):
    """A copy of that output, to go on with."""
    return shutil.copytree(undisturbed, tmp_path / "out")


def start(root, output, package, *more, seconds="0.3"):
    command = [sys.executable, "-m", "Testing.batch_driver", str(root), str(output), str(package), *more]
    return subprocess.Popen(command, cwd=CHECKOUT, env={**environment(), "FAKE_BATCH_SECONDS": seconds})


def wait_for(output, event, count, limit_s=90.0):
    until_s = time.monotonic() + limit_s
    while sum(count_of(output, event).values()) < count:
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_corrupt_study_costs_itself_only(undisturbed):
    failed = table(undisturbed / "failed.csv")
    assert [(line["study"], line["code"]) for line in failed] == [(f"case-{CORRUPT:03d}", "file.too_short")]
    assert len(table(undisturbed / "results.csv")) == STUDIES - 1
    assert not (undisturbed / "studies" / f"case-{CORRUPT:03d}").exists()


def test_killed_batch_goes_on_to_the_same_files_and_computes_nothing_twice(
    root, tiny_package, options, undisturbed, tmp_path
):
    output = tmp_path / "out"
    process = start(root, output, tiny_package)
    wait_for(output, "done", 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = count_of(output, "done")
    times = {study: (output / "studies" / study / "labels.nii.gz").stat().st_mtime_ns for study in before}
    result = segment(root, output, options)
    assert result.done == STUDIES - 1
    assert what_stands(output) == what_stands(undisturbed)
    assert set(count_of(output, "done").values()) == {1}
    begun = count_of(output, "begun")
    assert all(begun[study] == 1 for study in before)
    assert sum(begun.values()) <= STUDIES - 1 + options.workers
    for study, changed_ns in times.items():
        assert (output / "studies" / study / "labels.nii.gz").stat().st_mtime_ns == changed_ns


def test_folder_that_stands_without_its_line_is_taken_as_it_is(root, options, copy):
    ledger = copy / ".batch" / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-1]))
    segment(root, copy, options)
    assert [entry.facts.get("found") for entry in entries(copy)][-1] is True
    assert set(count_of(copy, "begun").values()) == {1}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda root, out: shutil.copy(root / "case-001" / "T1.nii.gz", root / "case-000" / "T1.nii.gz"),
            "T1 has changed",
        ),
        (lambda root, out: (out / "studies" / "case-000" / "labels.nii.gz").unlink(), "labels.nii.gz is not there"),
        (lambda root, out: (root / "case-000" / "FLAIR.nii.gz").unlink(), "other inputs"),
    ],
)
def test_changed_study_is_computed_again_and_says_why(root, options, copy, tmp_path, change, why):
    mine = shutil.copytree(root, tmp_path / "studies")
    change(mine, copy)
    if why == "other inputs":
        (mine / "case-000" / "T1.nii.gz").unlink()
        (mine / "case-000" / "T2.nii.gz").unlink()
    done_before = count_of(copy, "done")
    segment(mine, copy, options)
    again = {study for study, count in count_of(copy, "done").items() if count > done_before.get(study, 0)}
    said = [entry.facts["why"] for entry in entries(copy) if entry.event == "begun" and entry.study == "case-000"]
    assert again == ({"case-000"} if why != "other inputs" else set())  # T1ce alone is no set the package knows
    assert (why in said[-1]) == (why != "other inputs")


def test_touched_file_is_not_computed_again(root, options, copy, tmp_path):
    mine = shutil.copytree(root, tmp_path / "studies")
    os.utime(mine / "case-000" / "T1.nii.gz", (1, 1))
    segment(mine, copy, options)
    assert set(count_of(copy, "begun").values()) == {1}


def test_other_option_and_other_package_compute_all_again(root, options, copy, tmp_path):
    from dataclasses import replace

    from Testing.makers.tiny_package import make_tiny_package

    fast = replace(options, run=replace(options.run, preset="fast"))
    segment(root, copy, fast)
    assert entries(copy)[-2].facts["why"] == "another option preset: 'balanced', now 'fast'"
    other = make_tiny_package(tmp_path / "other", seed=3)
    segment(root, copy, replace(fast, packages=(other,)))
    assert entries(copy)[-2].facts["why"].startswith("another package: ")


def test_defect_and_crash_cost_their_study_only_and_name_no_foreign_text(options, tmp_path):
    root = make_root(tmp_path / "studies", 4)
    (root / "case-001" / "defect.txt").touch()
    (root / "case-002" / "crash.txt").touch()
    result = segment(root, tmp_path / "out", options)
    assert (result.done, result.failed) == (2, 2)
    told = {line["study"]: line for line in table(tmp_path / "out" / "failed.csv")}
    assert "ZeroDivisionError" in told["case-001"]["message"]
    assert "nobody" not in told["case-001"]["message"]
    assert "SIGKILL" in told["case-002"]["message"]
    assert {line["code"] for line in told.values()} == {"batch.study_died"}
    # Such a failure is tried again next time: the machine may have been at fault.
    (root / "case-002" / "crash.txt").unlink()
    assert segment(root, tmp_path / "out", options).done == 3


def test_second_batch_in_one_folder_is_refused(root, tiny_package, options, tmp_path):
    process = start(root, tmp_path / "out", tiny_package, seconds="2")
    try:
        wait_for(tmp_path / "out", "begun", 1)
        with pytest.raises(UsageError) as caught:
            segment(root, tmp_path / "out", options)
        assert caught.value.code == "batch.locked"
    finally:
        process.kill()
        process.wait()


def test_cancelled_batch_leaves_the_tables_of_what_is_done(root, options, tmp_path):
    cancel = Cancel()

    class Stop(Cancel):
        def check(self):
            if count_of(tmp_path / "out", "done"):
                cancel.set()
            cancel.check()

    with pytest.raises(Cancelled):
        segment(root, tmp_path / "out", options, Stop())
    done = len(table(tmp_path / "out" / "results.csv"))
    assert 1 <= done < STUDIES - 1
    assert "still to do" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_dry_run_checks_all_and_writes_nothing(root, options, tmp_path):
    from dataclasses import replace

    seen = []
    result = segment_studies(
        root, tmp_path / "out", "brain-tumor", replace(options, dry_run=True), seen.append, Cancel()
    )
    assert (result.total, result.failed, result.is_dry_run) == (STUDIES, 1, True)
    assert [problem.study for problem in result.problems] == [f"case-{CORRUPT:03d}"]
    assert not (tmp_path / "out").exists()
    assert [progress.done for progress in seen] == list(range(1, STUDIES + 1))


def test_foreign_folder_is_not_written_to(root, options, tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UsageError) as caught:
        segment(root, tmp_path, options)
    assert caught.value.code == "output.exists"


def test_package_is_pinned_by_its_checksum(root, tiny_package, tmp_path):
    run = RunOptions(package_sha256="0" * 64)
    with pytest.raises(PackageError) as caught:
        segment(root, tmp_path / "out", BatchOptions(run=run, packages=(tiny_package,)))
    assert caught.value.code == "package.pinned"
    assert caught.value.details["found"] in (tiny_package / "manifest.sha256").read_text(encoding="utf-8")


def test_patients_name_in_a_folder_stands_nowhere_but_in_the_private_key(options, tmp_path):
    root = make_root(tmp_path / "studies", 2, (1,))
    (root / "case-000").rename(root / "QUAXMANN^ERNA")
    (root / "case-001").rename(root / "Quaxmann, Emil")
    (root / "QUAXMANN^ERNA" / "T1.nii.gz").rename(root / "QUAXMANN^ERNA" / "quaxmann_T1.nii.gz")
    (root / "Quaxmann, Emil" / "T2.nii.gz").rename(root / "Quaxmann, Emil" / "quaxmann_T2.nii.gz")
    output = tmp_path / "out"
    segment(root, output, options)
    for path in (path for path in output.rglob("*") if path.is_file() and path.name != "key.csv"):
        assert b"quaxmann" not in path.read_bytes().lower(), path
        assert "quaxmann" not in path.as_posix().lower()
    assert "QUAXMANN^ERNA" in (output / ".batch" / "key.csv").read_text(encoding="utf-8")


def test_two_processes_give_the_same_files_as_one(root, options, undisturbed, tmp_path):
    from dataclasses import replace

    segment(root, tmp_path / "out", replace(options, workers=2))
    assert what_stands(tmp_path / "out") == what_stands(undisturbed)
