"""Every door gives the same voxels: shell, Python, worker; and the same run twice gives the same bits."""

import csv
import json

import numpy as np
import pytest
import SimpleITK

import MedSegAILib
from MedSegAILib.worker.client import WorkerClient
from Testing.makers.phantoms import aligned_grid, make_case, oblique_grid, write_study
from Testing.makers.shell import medsegai

TASK = "brain-tumor"


@pytest.fixture(scope="module", params=["aligned", "oblique"])
def study(request, tmp_path_factory):
    """A folder of four files; oblique is left-handed and anisotropic too."""
    case = make_case(aligned_grid() if request.param == "aligned" else oblique_grid())
    folder = tmp_path_factory.mktemp("study")
    write_study(case, folder)
    return folder


@pytest.fixture(scope="module")
def by_shell(study, tiny_package, tmp_path_factory):
    """The output folder of the shell."""
    output = tmp_path_factory.mktemp("shell") / "out"
    done = medsegai("segment", "--task", TASK, "--study", study, "--output", output, packages=tiny_package)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.fixture(scope="module")
def by_python(study, tiny_package):
    """The result of the Python call."""
    case = MedSegAILib.read_study(study, ["T1", "T1ce", "T2", "FLAIR"])
    return MedSegAILib.segment(case, TASK, packages=[tiny_package])


def labels_in(folder):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / "labels.nii.gz")))


def test_shell_and_python_give_the_same_voxels(by_shell, by_python):
    assert np.array_equal(labels_in(by_shell), by_python.labels.array)
    assert set(np.unique(by_python.labels.array)) - {0}, "an empty result would compare equal to anything empty"


def test_worker_and_python_give_the_same_voxels(study, by_python, tiny_package):
    case = MedSegAILib.read_study(study, ["T1", "T1ce", "T2", "FLAIR"])
    with WorkerClient(packages=[tiny_package]) as client:
        result = client.segment(case, TASK)
    assert np.array_equal(result.labels.array, by_python.labels.array)
    assert result.labels.grid.is_same_as(by_python.labels.grid)
    assert result.volumes_ml() == by_python.volumes_ml()
    assert result.passport.inputs == by_python.passport.inputs
    assert result.passport.package == by_python.passport.package
    assert result.doubt == by_python.doubt
    assert result.doubt.pass_count == 2


def test_second_run_gives_the_same_label_file_to_the_byte(study, by_shell, tiny_package, tmp_path):
    output = tmp_path / "again"
    assert (
        medsegai("segment", "--task", TASK, "--study", study, "--output", output, packages=tiny_package).returncode == 0
    )
    for name in ("labels.nii.gz", "segmentation.seg.nrrd", "volumes.csv", "doubt.csv", "overlay.png"):
        assert (output / name).read_bytes() == (by_shell / name).read_bytes(), name


def test_labels_lie_on_the_grid_of_the_reference_input(study, by_shell):
    labels = SimpleITK.ReadImage(str(by_shell / "labels.nii.gz"))
    reference = SimpleITK.ReadImage(str(study / "T1ce.nii.gz"))
    assert labels.GetSize() == reference.GetSize()
    for name in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(labels, name)() == pytest.approx(getattr(reference, name)(), abs=1e-4)


def test_volumes_of_every_place_are_those_of_the_voxels(by_shell, by_python, tiny_package, study, tmp_path):
    labels = SimpleITK.ReadImage(str(by_shell / "labels.nii.gz"))
    array = SimpleITK.GetArrayFromImage(labels)
    voxel_ml = float(np.prod(labels.GetSpacing())) / 1000
    counted = {name: np.isin(array, values).sum() * voxel_ml for name, values in
               {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}.items()}  # fmt: skip
    assert by_python.volumes_ml() == pytest.approx(counted, rel=1e-4)
    with (by_shell / "volumes.csv").open(encoding="utf-8") as file:
        text = file.read()
    assert all(name in text for name in counted)
    assert len(list(csv.reader(text.splitlines()))) >= 4


def test_json_answer_lists_files_that_are_there(study, tiny_package, tmp_path):
    output = tmp_path / "out"
    done = medsegai("segment", "--task", TASK, "--study", study, "--output", output, "--json", packages=tiny_package)
    answer = json.loads(done.stdout)
    assert sorted(answer["files"]) == sorted(path.name for path in output.iterdir())
    assert set(answer["volumes_ml"]) == {"WT", "TC", "ET"}
    assert answer["passport"]["use"].startswith("Research use only")


def test_evaluate_of_a_result_with_itself_is_perfect(by_shell, tiny_package):
    done = medsegai("evaluate", by_shell, by_shell / "labels.nii.gz", "--task", TASK, "--json", packages=tiny_package)
    assert [region["dice"] for region in json.loads(done.stdout)["regions"]] == [1.0, 1.0, 1.0]
