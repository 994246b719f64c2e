"""``medsegai inspect``: the numbers of a drawn set are those it was drawn with, and every defect is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from Testing.makers.shell import medsegai


def write(path: Path, array: np.ndarray, origin_mm: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing((1.0, 2.0, 4.0))
    image.SetOrigin((origin_mm, 0.0, 0.0))
    SimpleITK.WriteImage(image, str(path))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten slices of 20 x 40 voxels; label 1 fills the left front upper eighth, label 2 one slice of ``two``."""
    root = tmp_path_factory.mktemp("sets") / "drawn"
    for number, name in enumerate(("one", "two")):
        labels = np.zeros((10, 20, 40), np.uint8)
        labels[5:, :10, 20:] = 1
        if name == "two":
            labels[0, 18:, :5] = 2
        write(root / name / "T1.nii.gz", (100 * labels + number + np.arange(40)).astype(np.int16))
        write(root / name / "seg.nii.gz", labels)
    return root


@pytest.fixture(scope="module")
def answer(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    done = medsegai("inspect", drawn, "--output", tmp_path_factory.mktemp("plots"), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_sizes_and_classes_are_those_of_the_drawing(answer: dict) -> None:
    assert (answer["studies"], answer["layout"]) == (2, "study_folders")
    assert answer["sizes"]["voxels"][0] == [40, 20, 10]
    assert answer["sizes"]["spacing_mm"][1] == [1.0, 2.0, 4.0]
    first, second = answer["classes"]
    assert (first["value"], first["studies"], second["studies"]) == (1, 2, 1)
    assert first["voxel_share"] == pytest.approx(1 / 8)
    assert first["mean_ml"] == pytest.approx(1000 * 0.008)
    assert second["slice_share"] == pytest.approx(1 / 20)  # one of ten slices in one of two studies


def test_the_place_of_a_label_is_told_along_the_patients_axes(answer: dict) -> None:
    # ITK's axes run to the left, to the back and up, as the arrays here do.
    place = answer["places"]["1"]
    assert place["R to L"]["union"] == [0.5, 1.0]
    assert place["A to P"]["union"] == [0.0, 0.5]
    assert place["I to S"]["union"] == [0.5, 1.0]
    assert place["A to P"]["rough_crop"] == [0.0, 0.55]
    assert place["R to L"]["middle"] == pytest.approx(0.75)


def test_plots_are_written_as_png(answer: dict) -> None:
    assert set(answer["files"]) == {"sizes.png", "classes.png", "places.png", "intensities.png"}
    for path in answer["files"].values():
        assert Path(path).read_bytes().startswith(b"\x89PNG")


def test_a_sound_set_has_no_defects(answer: dict) -> None:
    assert answer["defects"] == []


def test_every_defect_is_named_with_its_study(tmp_path: Path) -> None:
    root = tmp_path / "broken"
    labels = np.zeros((10, 20, 40), np.uint8)
    labels[2:4, 2:4, 2:4] = 1
    image = np.arange(labels.size, dtype=np.int16).reshape(labels.shape)
    write(root / "images" / "sound.nii.gz", image)
    write(root / "labels" / "sound.nii.gz", labels)
    write(root / "images" / "copy.nii.gz", image)
    write(root / "labels" / "copy.nii.gz", labels)
    write(root / "images" / "shifted.nii.gz", image + 1)
    write(root / "labels" / "shifted.nii.gz", labels, origin_mm=3.0)
    write(root / "images" / "flat.nii.gz", np.full_like(image, 7))
    write(root / "labels" / "flat.nii.gz", labels)
    write(root / "images" / "blank.nii.gz", image + 2)
    write(root / "labels" / "blank.nii.gz", np.zeros_like(labels))
    write(root / "images" / "halves.nii.gz", image + 3)
    write(root / "labels" / "halves.nii.gz", labels * np.float32(0.5))
    write(root / "images" / "alone.nii.gz", image + 4)
    write(root / "labels" / "lonely.nii.gz", labels)
    done = medsegai("inspect", root, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = {}
    for entry in json.loads(done.stdout)["defects"]:
        found[entry["study"]] = f"{found.get(entry['study'], '')}{entry['defect']};"
    assert set(found) == {"copy", "sound", "shifted", "flat", "blank", "halves", "alone", "lonely"} - {"copy"}
    assert "same voxels as copy" in found["sound"]
    assert "different grids" in found["shifted"]
    assert "same value everywhere" in found["flat"]
    assert "empty" in found["blank"]
    assert "cannot be read" in found["halves"]
    assert "no reference" in found["alone"]
    assert "no image" in found["lonely"]


def test_values_that_the_set_does_not_name_are_defects(tmp_path: Path) -> None:
    labels = np.zeros((10, 20, 40), np.uint8)
    labels[2:4, 2:4, 2:4] = 5
    write(tmp_path / "imagesTr" / "a.nii.gz", np.arange(labels.size, dtype=np.int16).reshape(labels.shape))
    write(tmp_path / "labelsTr" / "a.nii.gz", labels)
    index = {"modality": {"0": "CT"}, "labels": {"0": "background", "1": "organ"},
             "training": [{"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz"},
                          {"image": "imagesTr/b.nii.gz", "label": "labelsTr/b.nii.gz"}]}  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps(index), encoding="utf-8")
    done = medsegai("inspect", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "a: the reference holds the values [5]; the set names [0, 1]" in done.stdout
    assert "b: CT is missing: b.nii.gz" in done.stdout


def test_a_folder_in_no_layout_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = medsegai("inspect", tmp_path)
    assert done.returncode == 3
    assert "no folder of labeled studies" in done.stderr
