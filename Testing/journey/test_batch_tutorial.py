"""The commands and the code of the batch tutorial run as they stand there."""

import re
import shlex

import pytest

from Testing.makers.pages import commands_of, page, run_python_of
from Testing.makers.shell import medsegai
from Testing.makers.study_roots import make_root, table

PAGE = page("docs/tutorials/batch.md")
ROLES = ("T1", "T1ce", "T2", "FLAIR")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the tutorial speaks of: STUDIES and studies.csv."""
    folder = tmp_path_factory.mktemp("tutorial")
    make_root(folder / "STUDIES", 2, (1,), size=20)
    lines = [f"study,{','.join(ROLES)}", f"case1,{','.join(f'STUDIES/case-000/{role}.nii.gz' for role in ROLES)}"]
    (folder / "studies.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_commands_of_the_tutorial_run_in_their_order(place, tiny_package, monkeypatch):
    monkeypatch.chdir(place)
    commands = commands_of(PAGE)
    assert len(commands) == 5
    said = []
    for line in commands:
        done = medsegai(*shlex.split(line), packages=tiny_package)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        said.append(done)
    assert "1 can be computed, 1 cannot" in said[0].stdout
    assert "case-000: done" in said[1].stderr
    assert "case-000" not in said[2].stderr  # not computed twice
    assert [line["study"] for line in table(place / "OUT" / "results.csv")] == ["case-000"]
    assert [line["study"] for line in table(place / "OUT-TABLE" / "results.csv")] == ["case1"]
    written = {path.name for path in (place / "OUT").iterdir()}
    assert written == set(re.findall(r"^\| `([a-z_.]+)[`/]", PAGE, re.MULTILINE))
    checksum = re.search(r'"sha256": "([0-9a-f]{64})"', said[4].stdout)
    assert checksum
    assert checksum[1] == table(place / "OUT" / "results.csv")[0]["package_sha256"]


def test_python_lines_of_the_tutorial_run(place, tiny_package):
    first, after = "from MedSegAILib import", "In the Python console"
    said = run_python_of(PAGE, first, after, place, tiny_package).splitlines()
    assert said[0] == "1 of 2 have a result"
    assert said[1].startswith("case-001 file.too_short")
    assert said[2] == "1 would fail"
