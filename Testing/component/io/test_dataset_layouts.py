"""The contract of layouts: each lists its own tiny folder, no other takes it, names, parts and meanings are right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.errors import InputError
from MedSegAILib.io import read_label_map
from MedSegAILib.io.datasets import LAYOUTS, find_layout, label_names, list_studies


def put(path: Path, value: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.zeros((8, 9, 10), np.uint8)
    array[2:5, 2:6, 3:7] = value
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(path))
    return path


def make_msd(root: Path) -> None:
    for name in ("hip_001", "hip_002"):
        put(root / "imagesTr" / f"{name}.nii.gz")
        put(root / "labelsTr" / f"{name}.nii.gz")
    put(root / "imagesTs" / "hip_003.nii.gz")
    put(root / "labelsTs" / "hip_003.nii.gz")
    put(root / "imagesTs" / "hip_004.nii.gz")
    pairs = [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in ("hip_001", "hip_002")]
    index = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "Anterior"}, "training": pairs,
             "test": ["./imagesTs/hip_003.nii.gz", "./imagesTs/hip_004.nii.gz"]}  # fmt: skip
    (root / "dataset.json").write_text(json.dumps(index), encoding="utf-8")


def make_promise12(root: Path) -> None:
    for folder, name in (("part1", "Case00"), ("part2", "Case01")):
        put(root / folder / f"{name}.mhd")
    put(root / "part1" / "Case00_segmentation.mhd")


def make_ibsr18(root: Path) -> None:
    for part, name in (("Training_Set", "IBSR_01"), ("Validation_Set", "IBSR_11")):
        put(root / part / name / f"{name}.nii.gz")
        put(root / part / name / f"{name}_seg.nii.gz")


def make_brats(root: Path) -> None:
    for ending in ("t1", "t1ce", "t2", "flair", "seg"):
        put(root / "HGG" / "Brats18_1" / f"Brats18_1_{ending}.nii.gz", 4)
    for ending in ("t1n", "t1c", "t2w", "t2f", "seg"):
        put(root / "BraTS-GLI-00001-000" / f"BraTS-GLI-00001-000-{ending}.nii.gz", 3)
    for what in ("MR_T1", "MR_T1c", "MR_T2", "MR_Flair"):
        put(root / "LGG" / "pat_7" / f"VSD.Brain.XX.O.{what}.123" / f"VSD.Brain.XX.O.{what}.123.mha")
    put(root / "LGG" / "pat_7" / "VSD.Brain_3more.XX.O.OT.9" / "VSD.Brain_3more.XX.O.OT.9.mha", 3)


def make_image_label(root: Path) -> None:
    for name in ("a", "b"):
        put(root / "images" / f"{name}.nii.gz")
    put(root / "labels" / "a.nii.gz")


def make_study_folders(root: Path) -> None:
    for name in ("one", "two"):
        put(root / name / "T1.nii.gz")
        put(root / name / "seg.nii.gz")


def make_corrections(root: Path) -> None:
    for name in ("one", "two"):
        for image in ("T1", "seg", "seg_before"):
            put(root / name / f"{image}.nii.gz")
        (root / name / "prompts.json").write_text('{"prompts": [], "facts": {}}', encoding="utf-8")


MAKERS = {
    "msd": make_msd, "promise12": make_promise12, "ibsr18": make_ibsr18, "brats": make_brats,
    "image_label": make_image_label, "study_folders": make_study_folders,
    "corrections": make_corrections,
}  # fmt: skip
WANTED = {
    "msd": {"hip_001": ("MRI", "train"), "hip_002": ("MRI", "train"), "hip_003": ("MRI", "test"),
            "hip_004": ("MRI", "test")},
    "promise12": {"Case00": ("T2", ""), "Case01": ("T2", "")},
    "ibsr18": {"IBSR_01": ("T1", "train"), "IBSR_11": ("T1", "test")},
    "brats": {"BraTS-GLI-00001-000": ("T1", ""), "Brats18_1": ("T1", ""), "pat_7": ("T1", "")},
    "image_label": {"a": ("image", ""), "b": ("image", "")},
    "study_folders": {"one": ("T1", ""), "two": ("T1", "")},
    "corrections": {"one": ("T1", ""), "two": ("T1", "")},
}  # fmt: skip
WITHOUT_REFERENCE = {"hip_004", "Case01", "b"}


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def layout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    root = tmp_path_factory.mktemp(request.param)
    MAKERS[request.param](root)
    return request.param, root


def test_every_layout_is_in_the_suite() -> None:
    assert set(MAKERS) == set(LAYOUTS) == set(WANTED)


def test_a_folder_is_taken_for_what_it_is(layout: tuple[str, Path]) -> None:
    name, root = layout
    assert find_layout(root) == name


def test_every_study_is_listed_with_input_part_and_reference(layout: tuple[str, Path]) -> None:
    name, root = layout
    studies = list_studies(root)
    assert {study.name: (next(iter(study.files)), study.part) for study in studies} == WANTED[name]
    assert {study.name for study in studies if study.reference is None} == WITHOUT_REFERENCE & set(WANTED[name])
    for study in studies:
        assert all(path.is_file() for path in study.files.values())
        if study.reference is not None:
            assert read_label_map(study.reference).array.max() > 0


def test_inputs_take_the_names_that_are_asked_for(layout: tuple[str, Path]) -> None:
    name, root = layout
    roles = ("T1",) if name in ("brats", "study_folders", "corrections") else ("ours",)
    assert {tuple(study.files) for study in list_studies(root, roles)} == {roles}


def test_an_empty_folder_and_a_missing_one_are_in_no_layout(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError) as caught:
            find_layout(place)
        assert caught.value.code == "data.layout"


def test_labels_of_every_brats_year_come_to_mean_the_same(tmp_path: Path) -> None:
    make_brats(tmp_path)
    meanings = {study.name: dict(study.relabel) for study in list_studies(tmp_path)}
    assert meanings == {"BraTS-GLI-00001-000": {3: 4}, "Brats18_1": {}, "pat_7": {3: 1}}
    four = {tuple(study.files) for study in list_studies(tmp_path)}
    assert four == {("T1", "T1ce", "T2", "FLAIR")}


def test_numbered_channels_of_nnunet_are_one_study(tmp_path: Path) -> None:
    for number in (0, 1):
        put(tmp_path / "imagesTr" / f"case_012_000{number}.nii.gz")
    put(tmp_path / "labelsTr" / "case_012.nii.gz")
    (study,) = list_studies(tmp_path, ("T2", "ADC"))
    assert (study.name, tuple(study.files), study.part) == ("case_012", ("T2", "ADC"), "train")


def test_a_name_that_ends_in_four_digits_stays_whole(tmp_path: Path) -> None:
    put(tmp_path / "images" / "prostatex_0000.nii.gz")
    put(tmp_path / "labels" / "prostatex_0000.nii.gz")
    (study,) = list_studies(tmp_path)
    assert study.name == "prostatex_0000"
    assert study.reference is not None


def test_names_of_the_decathlons_labels_are_read(tmp_path: Path) -> None:
    make_msd(tmp_path)
    assert label_names(tmp_path) == {0: "background", 1: "Anterior"}


def test_several_modalities_in_one_4d_file_are_refused(tmp_path: Path) -> None:
    make_msd(tmp_path)
    index = json.loads((tmp_path / "dataset.json").read_text(encoding="utf-8"))
    index["modality"] = {"0": "FLAIR", "1": "T1w"}
    (tmp_path / "dataset.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        list_studies(tmp_path)
    assert caught.value.code == "data.index"


@pytest.mark.shared
def test_the_shared_sets_are_listed_whole(shared_dir: Path) -> None:
    counts = {
        name: (find_layout(shared_dir / "data" / name), len(list_studies(shared_dir / "data" / name)))
        for name in ("hippocampus", "ibsr18", "prostate", "brain_tumor_four_sequences", "brain_tumor_lgg_flair")
    }
    assert counts == {
        "hippocampus": ("msd", 220), "ibsr18": ("study_folders", 13), "prostate": ("image_label", 5),
        "brain_tumor_four_sequences": ("study_folders", 11), "brain_tumor_lgg_flair": ("study_folders", 87),
    }  # fmt: skip
