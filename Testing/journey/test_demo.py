"""What `make demo` runs: the shipped package on the shipped sample study, whose truth is known."""

import json
import re
import shlex

import pytest

from Testing.makers.shell import CHECKOUT, medsegai

FILES = ["doubt.csv", "labels.nii.gz", "overlay.png", "passport.json", "segmentation.seg.nrrd", "volumes.csv"]
LEAST_WHOLE_TUMOR_DICE = 0.70


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Output folder and answer of the demo's own command, with another output folder."""
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    task = re.search(r"^TASK := (.+)$", makefile, re.MULTILINE)[1]
    sample = re.search(r"^SAMPLE := (.+)$", makefile, re.MULTILINE)[1].replace("$(TASK)", task)
    line = re.search(r"^\t@\$\(VENV\)/bin/medsegai (segment .+)$", makefile, re.MULTILINE)[1]
    output = tmp_path_factory.mktemp("demo") / "out"
    line = line.replace("$(TASK)", task).replace("$(SAMPLE)", str(CHECKOUT / sample))
    words = shlex.split(line.replace("$(DEMO)", str(output)))
    done = medsegai(*words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return output, json.loads(done.stdout)


def test_demo_writes_every_file_of_a_result(demo):
    output, _ = demo
    assert sorted(path.name for path in output.iterdir()) == FILES


def test_demo_runs_without_a_notice(demo):
    assert demo[1]["notices"] == []


def test_demo_finds_the_whole_tumor_of_the_sample(demo):
    truth = CHECKOUT / "Resources" / "SampleData" / "brain-tumor" / "seg.nii.gz"
    done = medsegai("evaluate", demo[0], truth, "--task", "brain-tumor", "--json")
    dice = {region["region"]: region["dice"] for region in json.loads(done.stdout)["regions"]}
    assert dice["WT"] >= LEAST_WHOLE_TUMOR_DICE
