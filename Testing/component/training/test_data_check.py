"""The data check names every defect that was drawn into phantoms, with a picture and a next step, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from Testing.makers.shell import in_process
from training.data_check import Check, check_folder, write_check
from training.data_check.copies import near_copies, thumbnail
from training.data_check.sides import Fit, mirrored_references
from training.phantoms.brain import HeadOptions, draw_head
from training.phantoms.tumor import TumorPlan

SIDES = {"a": -34.0, "b": 33.0, "c": 30.0, "d": -31.0, "e": 36.0, "f": -28.0}


def write(array: np.ndarray, path: Path, origin_mm: float = 0.0) -> None:
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing((4.0, 4.0, 4.0))
    image.SetOrigin((origin_mm, 0.0, 0.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(image, str(path))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six drawn heads, tumors on either side, as a folder for each study, with an index of the label values."""
    root = tmp_path_factory.mktemp("sound")
    for seed, (name, left_mm) in enumerate(SIDES.items()):
        plan = TumorPlan("ring", (left_mm, 8.0 * seed - 20.0, 10.0), 20.0, 4.0, 12.0, 0.2)
        head = draw_head(seed, HeadOptions(spacing_mm=4.0, tumor=plan))
        write(np.round(head.volumes["T1ce"]).astype(np.int16), root / "imagesTr" / f"{name}.nii.gz")
        write(head.labels, root / "labelsTr" / f"{name}.nii.gz")
    pairs = [{"image": f"imagesTr/{name}.nii.gz", "label": f"labelsTr/{name}.nii.gz"} for name in SIDES]
    labels = {"0": "background", "1": "core", "2": "edema", "4": "enhancing"}
    index = {"modality": {"0": "T1ce"}, "labels": labels, "training": pairs}
    (root / "dataset.json").write_text(json.dumps(index), encoding="utf-8")
    return root


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "set")
    return tmp_path / "set"


def array_of(path: Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


def only_finding(check: Check, folder: Path) -> tuple[str, str]:
    """The one finding; its picture and its next step are there."""
    (finding,) = check.findings
    files = write_check(check, folder)
    told = json.loads(files["check.json"].read_text(encoding="utf-8"))["findings"][0]
    assert files[told["picture"]].read_bytes().startswith(b"\x89PNG")
    assert told["next_step"].endswith(".")
    assert told["picture"] in files["check.html"].read_text(encoding="utf-8")
    return finding.study, finding.sentence


def test_nothing_is_found_in_a_sound_set(sound: Path) -> None:
    assert check_folder(sound).findings == ()


def test_a_wrong_grid_is_named(root: Path, tmp_path: Path) -> None:
    write(array_of(root / "labelsTr" / "b.nii.gz"), root / "labelsTr" / "b.nii.gz", origin_mm=3.0)
    study, sentence = only_finding(check_folder(root), tmp_path / "out")
    assert study == "b"
    assert "different grids" in sentence


def test_a_missing_file_is_named(root: Path, tmp_path: Path) -> None:
    (root / "imagesTr" / "c.nii.gz").unlink()
    study, sentence = only_finding(check_folder(root), tmp_path / "out")
    assert study == "c"
    assert "missing: c.nii.gz" in sentence


def test_a_wrong_label_value_is_named_with_the_values(root: Path, tmp_path: Path) -> None:
    labels = array_of(root / "labelsTr" / "d.nii.gz")
    labels[labels == 4] = 3
    write(labels, root / "labelsTr" / "d.nii.gz")
    study, sentence = only_finding(check_folder(root), tmp_path / "out")
    assert study == "d"
    assert "3" in sentence
    assert "[0, 1, 2, 4]" in sentence


def test_a_reference_with_left_and_right_exchanged_is_named(root: Path, tmp_path: Path) -> None:
    write(np.ascontiguousarray(array_of(root / "labelsTr" / "e.nii.gz")[:, :, ::-1]), root / "labelsTr" / "e.nii.gz")
    study, sentence = only_finding(check_folder(root), tmp_path / "out")
    assert study == "e"
    assert "left and right look exchanged" in sentence


@pytest.mark.parametrize("change", ["same", "brighter", "mirrored"])
def test_a_study_given_twice_is_named_also_when_it_was_changed(root: Path, tmp_path: Path, change: str) -> None:
    image, labels = array_of(root / "imagesTr" / "a.nii.gz"), array_of(root / "labelsTr" / "a.nii.gz")
    if change == "mirrored":
        image, labels = (np.ascontiguousarray(array[:, :, ::-1]) for array in (image, labels))
    write(image * 2 if change == "brighter" else image, root / "imagesTr" / "g.nii.gz")
    write(labels, root / "labelsTr" / "g.nii.gz")
    index = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    index["training"].append({"image": "imagesTr/g.nii.gz", "label": "labelsTr/g.nii.gz"})
    (root / "dataset.json").write_text(json.dumps(index), encoding="utf-8")
    study, sentence = only_finding(check_folder(root), tmp_path / "out")
    assert study == "g"
    assert sentence.split(" (")[0].endswith(" a")


def test_a_whole_study_on_the_other_side_is_named_where_the_organ_has_one(tmp_path: Path) -> None:
    for number in range(8):
        labels = np.zeros((12, 20, 40), np.uint8)
        place = 28 if number != 3 else 4
        labels[3:9, 6 : 12 + number, place : place + 8] = 1
        noise = np.random.default_rng(number).normal(0.0, 5.0, labels.shape)
        write((100 + 80 * labels + noise).astype(np.int16), tmp_path / "images" / f"s{number}.nii.gz")
        write(labels, tmp_path / "labels" / f"s{number}.nii.gz")
    (finding,) = check_folder(tmp_path).findings
    assert (finding.study, finding.kind) == ("s3", "sides")
    assert "the other side" in finding.sentence


def test_labels_whose_names_say_the_wrong_side_are_named(tmp_path: Path) -> None:
    labels = np.zeros((12, 20, 40), np.uint8)
    labels[3:9, 6:12, 4:12], labels[3:9, 6:12, 28:36] = 1, 2  # the axis runs to the patient's left
    write(np.arange(labels.size, dtype=np.int16).reshape(labels.shape), tmp_path / "imagesTr" / "a.nii.gz")
    write(labels, tmp_path / "labelsTr" / "a.nii.gz")
    index = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "left kidney", "2": "right kidney"},
             "training": [{"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz"}]}  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps(index), encoding="utf-8")
    (finding,) = check_folder(tmp_path).findings
    assert "'left kidney' to the right of 'right kidney'" in finding.sentence


def test_the_shell_says_what_was_found_and_trains_nothing(root: Path, tmp_path: Path) -> None:
    (root / "imagesTr" / "c.nii.gz").unlink()
    done = in_process("train", "--data", root, "--check", "--output", tmp_path / "look")
    assert done.returncode == 3
    assert "1 of 6 studies may not train" in done.stderr
    assert "c T1ce is missing: c.nii.gz" in done.stdout
    assert (tmp_path / "look" / "check.html").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["look", "set"]


def test_different_heads_are_no_copies() -> None:
    heads = {str(seed): draw_head(seed, HeadOptions(spacing_mm=8.0)).volumes["T1"] for seed in range(4)}
    assert near_copies({name: thumbnail(image) for name, image in heads.items()}) == []


def test_a_faint_reference_that_fits_neither_way_is_not_accused() -> None:
    fits = {str(number): Fit(0.5, 0.1) for number in range(5)}
    assert mirrored_references({**fits, "x": Fit(0.02, 0.1)}) == []
    assert [one.study for one in mirrored_references({**fits, "x": Fit(0.1, 0.4)})] == ["x"]
