"""The commands and the code of README.md run as they stand there."""

import re
import shlex
import subprocess
import sys

import pytest

from Testing.makers.phantoms import make_case, make_labels, write_nifti, write_study
from Testing.makers.shell import CHECKOUT, environment, medsegai

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the README speaks of: STUDY and reference.nii.gz."""
    folder = tmp_path_factory.mktemp("readme")
    case = make_case()
    write_study(case, folder / "STUDY")
    write_nifti(make_labels(case.reference_grid()), folder / "reference.nii.gz")
    return folder


def test_shell_commands_run_in_their_order(place, tiny_package, monkeypatch):
    monkeypatch.chdir(place)
    commands = re.findall(r"^    medsegai (.+)$", README, re.MULTILINE)
    assert [line.split()[0] for line in commands] == ["segment", "evaluate", "doctor"]
    for line in commands:
        done = medsegai(*shlex.split(line), packages=tiny_package)
        assert done.returncode == 0, (line, done.stdout, done.stderr)


def test_python_lines_print_the_volumes(place, tiny_package):
    code = README[README.index("    from pathlib import Path") :].split("\n\nIn 3D Slicer")[0]
    lines = [line.removeprefix("    ") for line in code.splitlines()]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=place,
        env=environment(tiny_package),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"\{'WT': \d", done.stdout)
