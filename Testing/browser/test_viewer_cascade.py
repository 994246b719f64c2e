"""A task of two stages in the browser viewer, with networks whose answer is known; and a result folder."""

from __future__ import annotations

import io

import numpy as np
import pytest

from MedSegAILib.core.volume import Volume
from MedSegAILib.io.nifti import nifti_bytes
from MedSegAILib.report.outputs import write_outputs
from Testing.harness.viewer import looking, serving
from Testing.makers.abdomen import make_abdomen
from Testing.makers.phantoms import make_case, make_labels
from Testing.makers.results import make_result
from Testing.makers.staged_package import CASCADE_MEMBERS, cascade_manifest, write_package


@pytest.fixture
def study(tmp_path):
    """Folder with one CT, its true labels, and the folder of the package."""
    case, truth = make_abdomen()
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "CT.nii.gz").write_bytes(nifti_bytes(case.volumes["CT"]))
    return folder, truth, write_package(tmp_path / "packages" / "staged", cascade_manifest(), CASCADE_MEMBERS)


def test_cascade_is_segmented_reviewed_corrected_and_exported(study, tmp_path):
    folder, truth, package = study
    with serving(folder, "--task", "staged", packages=package.parent) as address, looking(address) as viewer:
        assert viewer.page.locator(".role .mdi-check-circle").count() == 1
        viewer.press("Segment")
        viewer.sentence("Done in")
        voxel_ml = truth.grid.voxel_volume_ml
        wanted = {"pancreas": truth.array == 1, "tumor": truth.array == 2, "organ": truth.array > 0}
        found = {name: ml for name, (ml, _) in viewer.regions().items()}
        assert found == {name: round(float(mask.sum()) * voxel_ml, 1) for name, mask in wanted.items()}
        viewer.press("Show Organ")
        viewer.waitFor("[data-region=organ] .mdi-eye-off-outline")
        viewer.choose("tumor")
        viewer.press("Erase")
        viewer.waitFor("button.v-btn--active:has-text('Erase')")
        viewer.click("Axial", (0.5, 0.5))  # the slices went to the middle of the organ, beside the tumor
        viewer.stroke("Axial", (0.3, 0.5), (0.7, 0.5))
        cut = viewer.waitForVolume("tumor", lambda ml: ml < found["tumor"])
        viewer.press("Undo")
        assert viewer.waitForVolume("tumor", lambda ml: ml > cut) == found["tumor"]
        viewer.press("Erase")
        viewer.press("Accept")
        viewer.waitFor("[data-region=tumor] .state-accepted")
        viewer.page.get_by_label("Folder on this computer").fill(str(tmp_path))
        viewer.press("Export")
        viewer.sentence("files written to")
        viewer.step("cascade")
    assert (tmp_path / "MedSegAI-result" / "labels.nii.gz").is_file()


def test_result_folder_lies_over_its_images_without_cutting_holes(tmp_path):
    case = make_case()
    labels = Volume(make_labels(case.reference_grid()).array, case.reference_grid())
    for role, volume in case.volumes.items():
        (tmp_path / f"{role}.nii.gz").write_bytes(nifti_bytes(volume))
    write_outputs(make_result(labels), case, tmp_path / "out")
    with serving(tmp_path / "out", "--study", tmp_path) as address, looking(address) as viewer:
        viewer.waitFor("[data-region=WT]")
        assert {name: ml for name, (ml, _) in viewer.regions().items()} == {
            name: round(ml, 1) for name, ml in make_result(labels).volumes_ml().items()
        }
        box = viewer.view("Axial")
        viewer.page.wait_for_timeout(3000)
        middle = {"x": box["x"] + box["width"] * 0.2, "y": box["y"] + 60, "width": box["width"] * 0.6, "height": 200}
        seen = _pixels(viewer.page.screenshot(clip=middle))
        # Blue of the whole tumor, a quarter over the bright image; over a hole it would be as dark as (19, 45, 57).
        is_blue = (seen[..., 2] > seen[..., 0] + 15) & (seen[..., 2] > 40)
        assert is_blue.sum() > 200
        assert np.median(seen[is_blue].sum(axis=1)) > 250
        viewer.step("result")


def _pixels(png):
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        return np.array(picture.convert("RGB")).astype(int)
