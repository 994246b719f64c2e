"""The commands of the pages on DICOM, bundles and models run as they stand there, in their order."""

import csv
import json
import shlex
import zipfile
from pathlib import Path

import pytest
import torch

from MedSegAILib.networks import build
from Testing.makers.dicom_files import write_head
from Testing.makers.dicom_seg_reader import read_seg
from Testing.makers.pages import commands_of, page
from Testing.makers.shell import in_process
from Testing.makers.tiny_package import ARGUMENTS, NETWORK, manifest
from Testing.makers.wheels import make_wheel


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder and an empty home."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def run(line, packages):
    done = in_process(*shlex.split(line), packages=packages)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def test_page_on_dicom(place, tiny_package):
    write_head(place / "STUDY", ("T1ce", "FLAIR"))
    with zipfile.ZipFile("STUDY.zip", "w") as archive:
        for path in (place / "STUDY").rglob("*.dcm"):
            archive.write(path, path.relative_to(place))
    lines = commands_of(page("docs/how-to/dicom-seg.md"))
    assert [line.split()[0] for line in lines] == ["dicom", "dicom", "segment", "export"]
    for line in lines:
        run(line, tiny_package)
    assert {path.name for path in (place / "SORTED").iterdir()} == {"1_T1ce", "2_FLAIR"}
    found = read_seg(place / "OUT" / "segmentation.dcm")
    assert read_seg(place / "OUT" / "again.dcm") == found
    volumes = {
        row["title"]: float(row["volume_ml"])
        for row in csv.DictReader((place / "OUT" / "volumes.csv").read_text().splitlines())
    }
    assert {label: len(places) * 0.008 for label, places in found.items()} == pytest.approx(
        {title: volume for title, volume in volumes.items() if volume}, abs=1e-3
    )


def test_page_on_bundles(place, tiny_package):
    make_wheel(place / "WHEELS")
    outputs = [run(line, tiny_package) for line in commands_of(page("docs/how-to/offline-bundle.md"))]
    assert "unchanged package brain-tumor" in outputs[-1]


def test_page_on_models(place, tiny_package):
    for line in commands_of(page("docs/how-to/models.md")):
        if line.endswith("--from my-task"):  # what a person does here: fill in, put the weights beside
            (place / "my-task" / "manifest.json").write_text(json.dumps(manifest("my-task")))
            (place / "my-task" / "card.md").write_text("# Mine\n")
            torch.save(build(NETWORK, **ARGUMENTS).state_dict(), place / "my-task" / "a0.pt")
        run(line, tiny_package)
    assert (place / "MONAI" / "models" / "model.ts").is_file()
    assert "my-task" in run("models list", tiny_package)
