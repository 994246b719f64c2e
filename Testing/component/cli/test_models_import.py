"""``medsegai models import brats2020``: from run folders to a package that other verbs take."""

from __future__ import annotations

import json

import pytest

from Testing.makers.brats2020_run import write_random_run
from Testing.makers.shell import medsegai


@pytest.fixture
def runs(tmp_path):
    return [
        write_random_run(tmp_path / "first", "EquiUnet", 2, "group", 1),
        write_random_run(tmp_path / "second", "AttEquiUnet", 2, "instance", 2, normalisation="zscore"),
    ]


def test_import_writes_a_package_that_verify_accepts(runs, tmp_path):
    output = tmp_path / "packages" / "glioma-1mm"
    done = medsegai("models", "import", "brats2020", *runs, "--output", output, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["task"], answer["folder"], answer["notices"]) == ("glioma-1mm", str(output), [])
    assert [(m["file"], m["source"]) for m in answer["members"]] == [
        ("a0.safetensors", "first"),
        ("b0.safetensors", "second"),
    ]
    assert medsegai("models", "verify", output).returncode == 0
    assert "glioma-1mm" in medsegai("models", "list", packages=output.parent).stdout


def test_import_says_what_it_assumed_and_what_comes_next(runs, tmp_path):
    (runs[0] / "first.yaml").unlink()
    done = medsegai("models", "import", "brats2020", runs[0], "--output", tmp_path / "imported", "--precision", "fp16")
    assert done.returncode == 0, done.stderr
    assert "brats2020.EquiUnet" in done.stdout
    assert "next: medsegai models verify" in done.stdout
    assert "note: first has no yaml" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (["--output", "imported"], "import.missing", 4),
        (["--output", "imported", "--precision", "fp8"], "import.precision", 2),
    ],
)
def test_refusal_is_a_sentence_with_its_exit_code(options, code, exit_code, tmp_path):
    done = medsegai("models", "import", "brats2020", tmp_path, *options, "--json")
    assert done.returncode == exit_code
    assert json.loads(done.stdout)["error"]["code"] == code
