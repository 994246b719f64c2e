"""What the shell says before a run (time, memory, Dice) and after it (places in doubt); it learns from its own runs."""

from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from Testing.makers.phantoms import make_case, write_study
from Testing.makers.shell import command, environment, medsegai


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(make_case(), folder)
    return folder


@pytest.fixture
def no_history():
    shutil.rmtree(Path.home() / ".MedSegAI", ignore_errors=True)
    yield
    shutil.rmtree(Path.home() / ".MedSegAI", ignore_errors=True)


def arguments(study, output, *more):
    return ["segment", "--task", "brain-tumor", "--study", study, "--output", output, *more]


def watched(packages, *given):
    """Run the shell with a terminal as its error stream; give both streams."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            command(*given), env=environment(packages), stdout=subprocess.PIPE, stderr=theirs, text=True
        ) as child:
            os.close(theirs)
            seen = bytearray()
            try:
                while part := os.read(ours, 4096):
                    seen += part
            except OSError:  # Linux ends a terminal so
                pass
            answer = child.stdout.read()
        assert child.returncode == 0, seen.decode()
    finally:
        os.close(ours)
    return answer, seen.decode()


def test_time_is_told_before_the_run_once_one_was_made_here(study, tiny_package, tmp_path, no_history):
    _, first = watched(tiny_package, *arguments(study, tmp_path / "one"))
    assert "expected: time not known before the first run here" in first
    assert "Dice not measured" in first
    _, second = watched(tiny_package, *arguments(study, tmp_path / "two"))
    assert "expected: about" in second
    assert "1 like run here" in second
    told = medsegai("models", "info", "brain-tumor", packages=tiny_package).stdout
    assert "fast: identity; about" in told
    assert "2 like runs here" in told
    here = json.loads(medsegai("models", "info", "brain-tumor", "--json", packages=tiny_package).stdout)[
        "expected_here"
    ]
    assert here["fast"]["seconds"] <= here["balanced"]["seconds"] <= here["best"]["seconds"]


def test_places_in_doubt_are_told_after_the_run_and_written(study, tiny_package, tmp_path, no_history):
    output = tmp_path / "out"
    told = medsegai(*arguments(study, output, "--preset", "best"), packages=tiny_package)
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    with (output / "doubt.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    passport = json.loads((output / "passport.json").read_text(encoding="utf-8"))
    assert len(rows) == len(passport["doubt"]["places"]) > 0
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    lines = [line for line in told.stdout.splitlines() if line.endswith(rows[0]["words"])]
    assert lines
    assert lines[0].split()[0] == rows[0]["region"]
    answer = json.loads(
        medsegai(*arguments(study, tmp_path / "json", "--preset", "best", "--json"), packages=tiny_package).stdout
    )
    assert answer["doubt"] == passport["doubt"]
    assert answer["expected"]["run_count"] == 1


def test_little_memory_is_an_option_and_too_little_is_refused_by_name(study, tiny_package, tmp_path):
    done = medsegai(*arguments(study, tmp_path / "out", "--memory", "20"), packages=tiny_package)
    assert done.returncode == 5
    assert "The network needs about" in done.stderr
    assert not (tmp_path / "out").exists()
