"""Why a worker ended: the likeliest reason for each way to go."""

from __future__ import annotations

import pytest

from MedSegAILib.core.errors import SetupError, WorkerError
from MedSegAILib.worker.post_mortem import SHOWN_LINES, explain, missing_library


@pytest.mark.parametrize(
    ("exit_code", "line", "says"),
    [
        (-9, "", "signal 9; out of memory is the likeliest"),
        (137, "", "signal 9"),
        (-15, "", "stopped from outside (SIGTERM)"),
        (-11, "", "compiled library crashed (SIGSEGV)"),
        (-6, "terminate called after throwing an instance of 'std::bad_alloc'", "ran out of memory"),
        (-6, "", "crashed (SIGABRT)"),
        (0xC0000005, "", "crashed (0xc0000005)"),
        (-1073741819, "", "crashed (0xc0000005)"),
        (0xC0000017, "", "ran out of memory"),
        (1, "MemoryError", "ran out of memory"),
        (3, "something else", "exit code 3"),
        (0, "", "exit code 0"),
    ],
)
def test_the_end_of_a_worker_has_a_reason(exit_code, line, says):
    error = explain(exit_code, [line], "it was at 'predict' (3 of 8)")
    assert (type(error), error.code) == (WorkerError, "worker.died")
    assert says in error.message
    assert "'predict' (3 of 8)" in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ModuleNotFoundError: No module named 'openvino.runtime'", "openvino.runtime is not installed"),
        ("ImportError: DLL load failed while importing _C", "DLL load failed"),
        ("A module that was compiled using NumPy 1.x cannot be run in NumPy 2.0", "another version of NumPy"),
        ("ImportError: numpy.core.multiarray failed to import", "another version of NumPy"),
    ],
)
def test_a_missing_library_is_named(line, says):
    error = explain(1, ["Traceback", line], "it started")
    assert (type(error), error.code) == (SetupError, "setup.library")
    assert says in error.message


def test_an_import_error_in_a_living_worker_says_the_same():
    missing = ModuleNotFoundError("No module named 'x.y'", name="x.y")
    assert missing_library(missing).message == explain(1, [f"ModuleNotFoundError: {missing}"], "it started").message
    assert "libfoo.so" in missing_library(ImportError("libfoo.so: cannot open shared object file")).message


def test_the_last_lines_of_the_log_travel_along():
    error = explain(3, [f"line {number}" for number in range(100)], "it started")
    assert error.details["log"] == [f"line {number}" for number in range(100 - SHOWN_LINES, 100)]
