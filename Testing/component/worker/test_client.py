"""Jobs through a real process: results, refusals, cancel, death, and the next job afterwards."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import Cancelled, InputError, ResourceError, SetupError, UsageError, WorkerError
from MedSegAILib.core.result import Result
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.worker.client import WorkerClient
from Testing.component.worker.conftest import pump, run, wait_until_gone
from Testing.fake_worker import FAKE_ENTRY, threshold

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def test_a_result_equals_the_one_computed_here(client, small_case):
    result = client.segment(small_case, "quick", RunOptions(preset="fast", keep_probabilities=True))
    here = threshold(small_case, "quick", RunOptions(preset="fast", keep_probabilities=True))
    np.testing.assert_array_equal(result.labels.array, here.labels.array)
    np.testing.assert_array_equal(result.probabilities.array, here.probabilities.array)
    assert result.labels.grid.ijk_to_ras.tobytes() == here.labels.grid.ijk_to_ras.tobytes()
    assert (result.scheme, result.notices) == (here.scheme, here.notices)
    assert result.passport.options["preset"] == "fast"
    assert result.passport.engine["pid"] != os.getpid()


def test_the_scene_gets_everything_in_its_own_thread_and_once(client, small_case):
    heard = []
    job = client.segment_async(small_case, "quick")
    job.on_progress = lambda progress: heard.append((progress.stage, threading.current_thread()))
    job.on_result = lambda result: heard.append((type(result).__name__, threading.current_thread()))
    job.on_error = lambda error: heard.append((str(error), threading.current_thread()))
    assert job.state == "queued"
    pump(client, lambda: job.is_finished)
    for _ in range(5):
        client.poll()
    assert heard == [("predict", threading.current_thread()), ("Result", threading.current_thread())]
    assert job.state == "done"


def test_three_jobs_in_a_row_start_one_process(client, small_case):
    pids = {client.segment(small_case, "quick").passport.engine["pid"] for _ in range(3)}
    assert pids == {client.worker_pid}


def test_no_process_starts_before_the_first_job(client):
    client.poll()
    assert client.worker_pid == 0
    assert not [child for child in psutil.Process().children() if "fake_worker" in " ".join(child.cmdline())]


def test_jobs_wait_in_line_and_see_the_voxels_of_when_they_were_asked_for(client, small_case):
    first, second = client.segment_async(small_case, "quick"), client.segment_async(small_case, "quick")
    wanted = threshold(small_case, "quick", RunOptions()).labels.array
    for volume in small_case.volumes.values():
        volume.array[:] = 0
    order = []
    first.on_result = lambda result: order.append("first")
    second.on_result = lambda result: order.append("second")
    pump(client, lambda: second.is_finished)
    assert order == ["first", "second"]
    np.testing.assert_array_equal(second.result.labels.array, wanted)


def test_a_case_that_is_written_in_the_polls_gives_the_same_result(client, small_case):
    asked = []
    job = client.segment_async(small_case, "quick", still=lambda: asked.append(job.state))
    assert job.request is None
    pump(client, lambda: job.is_finished)
    assert asked == ["running"] * len(small_case.volumes)
    assert job.writing is None  # nothing of the caller's is held any more
    np.testing.assert_array_equal(job.result.labels.array, threshold(small_case, "quick", RunOptions()).labels.array)


def test_voxels_that_change_while_they_are_written_fail_the_job_and_the_next_one_works(client, small_case):
    def still():
        raise InputError("scene.volume_changed", "It was changed.", "Again.")

    job = client.segment_async(small_case, "quick", still=still)
    folder = client._held.folders[job.number].path
    pump(client, lambda: job.is_finished)
    assert (job.state, job.error.code) == ("failed", "scene.volume_changed")
    assert not folder.exists()
    assert client.segment(small_case, "quick").passport.task == "quick"


@pytest.mark.parametrize("ending", ["cancel", "close"])
def test_a_cancel_while_voxels_are_written_leaves_no_file(client, ending):
    case = Case({"MR": Volume(np.zeros((400, 200, 200), np.float64), Grid((400, 200, 200), np.eye(4)))})
    job = client.segment_async(case, "quick", still=lambda: time.sleep(0.02))
    folder = client._held.folders[job.number].path
    pump(client, lambda: (folder / "input-0.raw").exists())
    assert job.writing is not None
    job.cancel() if ending == "cancel" else client.close()
    pump(client, lambda: job.is_finished, 2.0)
    assert job.state == "cancelled"
    assert not folder.exists()


def test_a_callback_may_ask_for_the_next_job(client, small_case):
    jobs = [client.segment_async(small_case, "refuse")]
    jobs[0].on_error = lambda error: jobs.append(client.segment_async(small_case, "quick"))
    pump(client, lambda: len(jobs) == 2 and jobs[1].is_finished)
    assert [job.state for job in jobs] == ["failed", "done"]


def test_an_error_of_ours_arrives_unchanged(client, small_case):
    with pytest.raises(InputError) as caught:
        client.segment(small_case, "refuse")
    assert (caught.value.code, caught.value.message) == ("fake.input", "The image is 2D, not 3D.")
    assert caught.value.hint == "Give a volume."
    assert caught.value.details == {"shape": [4, 5], "role": "T1 é"}


@pytest.mark.parametrize(
    ("task", "error_class", "code", "says"),
    [
        ("defect", WorkerError, "worker.defect", "RuntimeError: no such kernel"),
        ("change-input", WorkerError, "worker.defect", "read-only"),
        ("missing", SetupError, "setup.library", "no_such_library_of_ours"),
        pytest.param("memory", ResourceError, "worker.memory", "more memory", marks=posix),
    ],
)
def test_the_worker_survives_what_a_task_raises(client, small_case, task, error_class, code, says):
    client.segment(small_case, "quick")
    pid = client.worker_pid
    job = run(client, small_case, task)
    assert (type(job.error), job.error.code) == (error_class, code)
    assert says in job.error.message
    assert run(client, small_case, "quick").state == "done"
    assert client.worker_pid == pid


def test_the_trace_of_a_defect_is_in_the_log(client, small_case):
    run(client, small_case, "defect")
    pump(client, lambda: any("RuntimeError: no such kernel" in line for line in client.log_lines()))
    assert any('raise RuntimeError("no such kernel")' in line for line in client.log_lines())


def test_whatever_is_printed_never_reaches_the_messages(client, small_case):
    job = run(client, small_case, "flood")
    assert job.state == "done", job.error
    assert job.progress.stage == "flood"
    pump(client, lambda: any("kind" in line for line in client.log_lines()))


def test_the_log_carries_any_language(client, small_case):
    run(client, small_case, "log")
    pump(client, lambda: "INFO MedSegAILib.fake: one line é 脳" in client.log_lines())


def test_the_log_names_no_case(client, small_case):
    object.__setattr__(small_case, "name", "SURNAME^GIVEN")
    run(client, small_case, "log")
    pump(client, lambda: any("done in" in line for line in client.log_lines()))
    assert "SURNAME" not in "\n".join(client.log_lines())


@posix
@pytest.mark.parametrize(
    ("task", "says"),
    [("crash", "SIGABRT"), ("leave", "exit code 3"), ("killed", "it was at 'predict' (3 of 8): it was killed by sig")],
)
def test_a_worker_that_dies_in_a_job_says_why_and_the_next_job_works(client, small_case, task, says):
    job = run(client, small_case, task)
    assert (type(job.error), job.error.code) == (WorkerError, "worker.died")
    assert says in job.error.message
    assert isinstance(client.segment(small_case, "quick"), Result)


@posix
def test_kill_9_from_outside_in_the_middle_of_a_job(client, small_case, place):
    job = client.segment_async(small_case, "friendly")
    pump(client, lambda: job.progress and job.progress.done > 3)
    os.kill(client.worker_pid, signal.SIGKILL)
    seconds = pump(client, lambda: job.is_finished)
    assert seconds < 2
    assert job.error.code == "worker.died"
    assert "out of memory is the likeliest reason" in job.error.message
    assert not list(place.iterdir())
    assert run(client, small_case, "quick").state == "done"


@posix
def test_a_worker_that_dies_between_two_jobs_costs_nothing(client, small_case):
    client.segment(small_case, "quick")
    before = client.worker_pid
    worker = psutil.Process(before)
    os.kill(before, signal.SIGKILL)
    wait_until_gone(worker, 2.0)
    assert run(client, small_case, "quick").state == "done"
    assert client.worker_pid not in (0, before)


@posix
@pytest.mark.parametrize(("deaths", "state"), [(1, "done"), (2, "failed")])
def test_a_job_that_no_worker_took_is_given_to_one_more(small_case, tmp_path, deaths, state):
    """The threads of a killed process end one by one: its pipe can swallow a job although its first thread is gone."""
    for number in range(deaths):
        (tmp_path / str(number)).touch()
    with WorkerClient(entry=(*FAKE_ENTRY, "--swallow", str(tmp_path))) as client:
        job = run(client, small_case, "quick")
    assert job.state == state
    assert job.starts == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("task", "keeps_worker"), [("friendly", True), ("deaf", False)])
def test_cancel_is_idle_within_two_seconds(client, small_case, task, keeps_worker):
    job = client.segment_async(small_case, task)
    outcomes = []
    job.on_error, job.on_result = outcomes.append, outcomes.append
    pump(client, lambda: job.progress)
    pid = client.worker_pid
    job.cancel()
    job.cancel()
    assert job.state == "cancelling"
    assert pump(client, lambda: not client.is_busy) < 2.0
    assert job.state == "cancelled"
    assert [type(outcome) for outcome in outcomes] == [Cancelled]
    assert run(client, small_case, "quick").state == "done"
    assert (client.worker_pid == pid) is keeps_worker
    if not keeps_worker:
        assert not psutil.pid_exists(pid)


def test_a_result_that_comes_after_the_cancel_is_dropped(client, small_case):
    job = client.segment_async(small_case, "quick")
    outcomes = []
    job.on_error, job.on_result = outcomes.append, outcomes.append
    pump(client, lambda: job.state == "running" and client.worker_pid)
    # Time enough for the result to lie in the pipe, unread.
    threading.Event().wait(0.5)
    job.cancel()
    pump(client, lambda: job.is_finished)
    assert [type(outcome) for outcome in outcomes] == [Cancelled]
    assert job.result is None


def test_a_job_that_waits_is_cancelled_without_disturbing_the_one_that_runs(client, small_case):
    running, waiting = client.segment_async(small_case, "friendly"), client.segment_async(small_case, "quick")
    pump(client, lambda: running.progress)
    waiting.cancel()
    client.poll()
    assert (running.state, waiting.state) == ("running", "cancelled")
    running.cancel()
    pump(client, lambda: not client.is_busy)


def test_cancel_before_the_worker_has_greeted_is_immediate(client, small_case):
    job = client.segment_async(small_case, "quick")
    client.poll()
    job.cancel()
    client.poll()
    assert job.state == "cancelled"
    assert run(client, small_case, "quick").state == "done"


@posix
def test_cancel_ends_the_children_of_the_worker_too(client, small_case):
    job = client.segment_async(small_case, "family")
    pump(client, lambda: job.progress)
    child = psutil.Process(job.progress.done)
    job.cancel()
    pump(client, lambda: job.is_finished)
    wait_until_gone(child, 2.0)


def test_the_blocking_call_heeds_its_cancel_flag(client, small_case):
    cancel = Cancel()
    steps = []

    def progress(step):
        steps.append(step)
        if step.done == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        client.segment(small_case, "friendly", progress=progress, cancel=cancel)
    assert steps[0].total == 400
    assert not client.is_busy


@pytest.mark.parametrize("raised", [KeyboardInterrupt, WorkerError("a.callback", "raised by the caller")])
def test_what_a_callback_raises_is_the_callers_and_stops_the_run(client, small_case, raised):
    def progress(step):
        raise raised

    with pytest.raises(raised if isinstance(raised, type) else WorkerError):
        client.segment(small_case, "friendly", progress=progress)
    assert not client.is_busy
    assert client.worker_pid
    assert run(client, small_case, "quick").state == "done"


def test_voxels_that_cannot_be_sent_are_told_by_the_callback(client, small_case):
    small_case.volumes["T1"].__dict__["array"] = small_case.volumes["T1"].array.astype(np.complex64)
    errors = []
    job = client.segment_async(small_case, "quick")
    job.on_error = errors.append
    assert errors == []
    client.poll()
    assert [error.code for error in errors] == ["transfer.dtype"]
    assert client.worker_pid == 0


def test_a_closed_client_takes_no_job(place, small_case):
    client = WorkerClient(entry=FAKE_ENTRY)
    client.close()
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.segment_async(small_case, "quick")


def first_of(client, small_case, task):
    shown = []
    job = client.segment_async(small_case, task, first_look=True)
    job.on_provisional = shown.append
    pump(client, lambda: job.is_finished)
    return job, shown


def test_a_first_look_comes_before_the_result(client, small_case):
    job, (first,) = first_of(client, small_case, "quick")
    assert set(np.unique(first.labels.array)) <= {0, 1}
    assert first.labels.grid.is_same_as(job.result.labels.grid)
    np.testing.assert_array_equal(first.labels.array, job.result.labels.array // 2)


def test_a_first_look_that_fails_costs_nothing(client, small_case):
    job, shown = first_of(client, small_case, "refuse")
    assert (shown, job.error.code) == ([], "fake.input")
