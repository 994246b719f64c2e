"""Images, result folders and saved scenes into a scene; roles without widgets; the first look at a result."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
import slicer.util
from MedSegAISlicer.scene.first_look import lookAtResult, middleOf
from MedSegAISlicer.scene.handing_over import gathering
from MedSegAISlicer.scene.load import ImageFiles, loadImage, loadResult, openScene, saveScene, taskOfResult
from MedSegAISlicer.scene.parameters import Parameters, parameterNode
from MedSegAISlicer.scene.places import placesOf
from MedSegAISlicer.scene.review import decide, reviewOf
from MedSegAISlicer.scene.segmentations import maskFromSegment, readPassport, readScheme, showResult
from MedSegAISlicer.scene.study_inputs import StudyInputs
from MedSegAISlicer.scene.volumes import caseFromNodes, gridFromNode

from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.volume import Volume
from MedSegAILib.report.outputs import write_outputs
from Testing.harness.mrml import addCase, addTransform, addVolume
from Testing.makers.phantoms import make_case, make_labels, oblique_grid
from Testing.makers.results import SCHEME, make_result

ROLES = ("T1", "T1ce", "T2", "FLAIR")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A study of files and the folder of a result that the shell has written for it."""
    from MedSegAILib.io.nifti import nifti_bytes

    folder, case = tmp_path_factory.mktemp("study"), make_case(oblique_grid())
    for role, volume in case.volumes.items():
        (folder / f"{role}.nii.gz").write_bytes(nifti_bytes(volume))
    labels = Volume(make_labels(case.reference_grid()).array, case.reference_grid())
    write_outputs(make_result(labels), case, folder / "result")
    return folder, case, labels


def load(folder, role="T1"):
    return loadImage(ImageFiles((folder / f"{role}.nii.gz",), f"scan {role}", role, "MR"))


def test_image_is_loaded_at_its_place_with_its_modality(scene, written):
    folder, case, _ = written
    node = load(folder)
    assert node.GetName() == "scan T1"
    assert node.GetAttribute("DICOM.Modality") == "MR"
    grid = gridFromNode(node)
    center = (np.array(grid.shape_zyx[::-1]) - 1) / 2
    there = case.reference_grid().ijk_to_ras @ [*center, 1]
    assert np.allclose(grid.ijk_to_ras @ [*center, 1], there, atol=1e-3)


def test_file_that_is_no_image_is_refused_and_nothing_stays(scene, tmp_path, complaints):
    path = tmp_path / "notes.nii.gz"
    path.write_bytes(b"no image")
    with pytest.raises(InputError) as told:
        loadImage(ImageFiles((path,), "notes"))
    assert told.value.code == "scene.unreadable"
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    complaints()


def test_result_folder_becomes_a_result_of_ours_on_its_volume(scene, written):
    folder, _, labels = written
    volume = load(folder)
    node = loadResult(folder / "result", SCHEME, [volume])
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert readPassport(node).task == "brain-tumor" == taskOfResult(folder / "result")
    assert readScheme(node).to_json() == SCHEME.to_json()
    assert [line.state for line in reviewOf(node)] == ["to do"] * 3
    found = {line.segmentId: line.volume_ml for line in reviewOf(node)}
    wanted = make_result(labels).volumes_ml()
    assert {name: round(ml, 3) for name, ml in found.items()} == {name: round(ml, 3) for name, ml in wanted.items()}
    # MRML has turned the left-handed volume over; its voxels count k the other way.
    whole = maskFromSegment(node, "WT", volume)
    assert (whole == np.isin(labels.array, (1, 2, 4))[::-1]).all()
    assert list(gathering(node)) != []  # an export reads it on the grid of the volume
    assert placesOf(node) == ()


def test_result_without_its_images_keeps_its_own_grid(scene, written):
    node = loadResult(written[0] / "result", SCHEME)
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is None
    assert reviewOf(node)[0].volume_ml > 0


def test_places_and_statements_come_back_with_the_passport(scene, written, tmp_path):
    for name in ("segmentation.seg.nrrd", "passport.json"):
        (tmp_path / name).write_bytes((written[0] / "result" / name).read_bytes())
    record = json.loads((tmp_path / "passport.json").read_text(encoding="utf-8"))
    place = {"region": "TC", "reason": "island", "position_ras_mm": [1, 2, 3], "at_stake_ml": 2.0, "share_against": 0}
    record["doubt"] = {"places": [place], "contested_ml": {"TC": 2.0}, "pass_count": 2, "method": "", "left_out": 0}
    record["notices"] = [{"code": "a.b", "message": "Something.", "hint": "Look."}]
    (tmp_path / "passport.json").write_text(json.dumps(record), encoding="utf-8")
    node = loadResult(tmp_path, SCHEME)
    assert [place.region for place in placesOf(node)] == ["TC"]
    assert json.loads(node.GetAttribute("MedSegAI.Statements")) == ["Something. Look."]


@pytest.mark.parametrize("missing", ["segmentation.seg.nrrd", "passport.json"])
def test_folder_that_lacks_a_file_is_no_result(scene, written, tmp_path, missing):
    for name in {"segmentation.seg.nrrd", "passport.json"} - {missing}:
        (tmp_path / name).write_bytes((written[0] / "result" / name).read_bytes())
    with pytest.raises(InputError) as told:
        loadResult(tmp_path, SCHEME)
    assert told.value.code == "scene.result"
    assert missing in told.value.message


def test_saved_scene_brings_volumes_result_and_decision_back(scene, written, tmp_path):
    volume = load(written[0])
    node = loadResult(written[0] / "result", SCHEME, [volume])
    decide(node, "WT", "accepted", "reader")
    Parameters(parameterNode(scene)).result = node
    before = slicer.util.arrayFromVolume(volume).copy()
    path = saveScene(scene, tmp_path / "a.mrb")
    scene.Clear(0)
    openScene(scene, path)
    found = Parameters(parameterNode(scene)).result
    assert reviewOf(found)[0].state == "accepted"
    assert (slicer.util.arrayFromVolume(slicer.util.getNode("scan T1")) == before).all()


def test_scene_that_is_not_there_leaves_the_present_one(scene, written, tmp_path):
    load(written[0])
    with pytest.raises(InputError) as told:
        openScene(scene, tmp_path / "none.mrb")
    assert told.value.code == "scene.file"
    assert slicer.util.getNode("scan T1") is not None


def test_roles_fill_themselves_and_a_choice_by_hand_stays(scene):
    nodes = addCase(make_case())
    study = StudyInputs(lambda: Parameters(parameterNode(scene)))
    study.setRoles(ROLES)
    assert study.inputs() == nodes
    assert "name" in study.reason("T1")
    study.choose("T2", None)
    study.fill()
    assert study.inputs()["T2"] is None
    assert study.inputs()["FLAIR"] is nodes["FLAIR"]
    with pytest.raises(UsageError) as told:
        study.choose("CT", nodes["T1"])
    assert told.value.code == "scene.role"


def test_volumes_without_a_telling_name_are_looked_at_one_by_one_in_steps(scene):
    case = make_case()
    for number, volume in enumerate(case.volumes.values()):
        addVolume(volume.array, volume.grid.ijk_to_ras, f"volume {number}")
    study = StudyInputs(lambda: Parameters(parameterNode(scene)))
    study.setRoles(ROLES)
    ends = []
    while study.wantsLook:
        ends.append(study.lookAtNext())
    assert sum(ends) == 4
    assert len(ends) > 4


def test_first_look_goes_to_a_voxel_of_the_first_region_under_its_transform(scene):
    grid = oblique_grid()
    volume = addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")
    shift = np.eye(4)
    shift[:3, 3] = 40, -3, 2
    volume.SetAndObserveTransformNodeID(addTransform(scene, shift).GetID())
    case = caseFromNodes({"T1": volume})
    node = showResult(
        scene, make_result(Volume(make_labels(case.reference_grid()).array, case.reference_grid())), volume
    )
    middle = middleOf(node, "WT")
    ijk = np.linalg.inv(shift @ grid.ijk_to_ras) @ [*middle, 1.0]
    i, j, k = (round(float(value)) for value in ijk[:3])
    assert np.allclose(ijk[:3], (i, j, k), atol=1e-3)
    assert make_labels(grid).array[k, j, i] > 0
    assert lookAtResult(node)


def test_nothing_found_is_nothing_to_look_at(scene):
    grid = oblique_grid()
    volume = addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")
    node = showResult(scene, make_result(Volume(np.zeros(grid.shape_zyx, np.uint8), grid)), volume)
    assert middleOf(node, "WT") is None
    assert not lookAtResult(node)
