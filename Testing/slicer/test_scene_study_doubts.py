"""What looking at real studies says against the inputs before a run, and the fix of it: real MRML, no worker."""

from __future__ import annotations

import pytest
import slicer
from MedSegAISlicer.scene.logic import SegmentationLogic
from MedSegAISlicer.scene.parameters import Parameters, parameterNode
from MedSegAISlicer.scene.study_inputs import StudyInputs

from Testing.harness.mrml import fingerprint

ROLES = ("T1", "T1ce", "T2", "FLAIR")
pytestmark = pytest.mark.shared


@pytest.fixture
def package():
    return SegmentationLogic().package()


@pytest.fixture
def study(scene):
    return StudyInputs(lambda: Parameters(parameterNode(scene)))


def load(folder, names):
    """Load files under other names."""
    volumes = slicer.modules.volumes.logic()
    return {name: volumes.AddArchetypeVolume(str(folder / f"{file}.nii.gz"), name, 0) for name, file in names.items()}


def lights(study, package):
    while study.wantsLook:
        study.lookAtNext()
    return study.lights(package)


def colors(found):
    return [light.color for light in found.values()]


def test_exchanged_t1_and_t1ce_are_told_before_the_run_and_a_click_puts_them_right(study, package, shared_dir):
    folder = shared_dir / "data" / "brain_tumor_four_sequences" / "BraTS2021_00006"
    nodes = load(folder, {"T1": "T1ce", "T1ce": "T1", "T2": "T2", "FLAIR": "FLAIR"})
    before = {name: fingerprint(node) for name, node in nodes.items()}
    study.setRoles(ROLES)
    found = lights(study, package)
    assert colors(found) == ["amber", "amber", "green", "green"]
    assert found["T1"].reason == "T1 and T1ce look exchanged (the contrast agent shows in T1)."
    assert found["T1"].fix == "Exchange T1 and T1ce"
    study.fix(found["T1ce"])
    chosen = study.inputs()
    assert (chosen["T1"], chosen["T1ce"]) == (nodes["T1ce"], nodes["T1"])
    assert colors(lights(study, package)) == ["green"] * 4
    assert {name: fingerprint(node) for name, node in nodes.items()} == before


def test_one_volume_given_twice_is_found_anew_by_its_look(study, package, shared_dir):
    folder = shared_dir / "data" / "brain_tumor_four_sequences" / "BraTS2021_00006"
    nodes = load(folder, {"T1 plain": "T1", "T1 with Gd": "T1ce", "T2w": "T2", "FLAIR": "FLAIR"})
    study.setRoles(ROLES)
    study.choose("T1ce", nodes["T1 plain"])
    study.choose("T1", nodes["T1 plain"])
    found = lights(study, package)
    assert (found["T1"].color, found["T1ce"].color) == ("red", "red")
    study.fix(found["T1"])
    lights(study, package)
    assert {role: node.GetName() for role, node in study.inputs().items()} == {
        "T1": "T1 plain",
        "T1ce": "T1 with Gd",
        "T2": "T2w",
        "FLAIR": "FLAIR",
    }


def test_a_skull_is_told_before_the_run_and_a_click_masks_the_brain_for_it(scene, study, package, shared_dir):
    folder = shared_dir / "data" / "brain_tumor_lgg_flair" / "TCGA_DU_5849_19950405"
    load(folder, {"T1ce": "T1ce", "FLAIR": "FLAIR"})
    study.setRoles(ROLES)
    found = lights(study, package)
    assert found["FLAIR"].reason.startswith("It shows the skull (2808 mL; a brain has at most 1900 mL).")
    parameters = Parameters(parameterNode(scene))
    assert "strip" not in parameters.options.repair
    study.fix(found["FLAIR"])
    assert parameters.options.repair == ("resample", "register", "strip")
    again = study.lights(package)["T1ce"]
    assert again.reason == "It shows the skull: all outside the brain is masked for the run."
    study.fix(again)
    assert "strip" not in parameters.options.repair
