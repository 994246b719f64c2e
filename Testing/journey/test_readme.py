"""The commands and the code of README.md run as they stand there."""

import re
import shlex

import pytest

from Testing.makers.pages import commands_of, page, run_python_of
from Testing.makers.phantoms import make_case, make_labels, write_nifti, write_study
from Testing.makers.shell import medsegai
from Testing.makers.study_roots import make_root

README = page("README.md")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the README speaks of: STUDY, reference.nii.gz and STUDIES."""
    folder = tmp_path_factory.mktemp("readme")
    case = make_case()
    write_study(case, folder / "STUDY")
    write_nifti(make_labels(case.reference_grid()), folder / "reference.nii.gz")
    make_root(folder / "STUDIES", 1, (), size=20)
    return folder


def test_shell_commands_run_in_their_order(place, tiny_package, monkeypatch):
    monkeypatch.chdir(place)
    commands = commands_of(README)
    assert [line.split()[0] for line in commands] == ["segment", "evaluate", "batch", "doctor"]
    for line in commands:
        done = medsegai(*shlex.split(line), packages=tiny_package)
        assert done.returncode == 0, (line, done.stdout, done.stderr)


def test_python_lines_print_the_volumes(place, tiny_package):
    said = run_python_of(README, "from pathlib import Path", "In 3D Slicer", place, tiny_package)
    assert re.match(r"\{'WT': \d", said)
