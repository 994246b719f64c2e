"""A task of two stages in the browser viewer, with networks whose answer is known; and a result folder."""

from __future__ import annotations

import io
import json

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


def test_cascade_is_segmented_reviewed_corrected_and_exported(study, tmp_path, pictures):
    folder, truth, package = study
    with serving(folder, "--task", "staged", packages=package.parent) as address, looking(address, pictures) as viewer:
        assert viewer.page.locator(".role .mdi-check-circle").count() == 1
        viewer.press("Segment")
        viewer.sentence("Done in")
        voxel_ml = truth.grid.voxel_volume_ml
        wanted = {"pancreas": truth.array == 1, "tumor": truth.array == 2, "organ": truth.array > 0}
        found = {name: ml for name, (ml, _) in viewer.regions().items()}
        assert found == {name: round(float(mask.sum()) * voxel_ml, 1) for name, mask in wanted.items()}
        viewer.step("cascade-segmented")
        _drag_right_face(viewer)
        viewer.press("Re-run from here")
        viewer.waitFor(".v-select:has([aria-label=Version]):visible")
        assert {name: ml for name, (ml, _) in viewer.regions().items()} == found
        viewer.step("cascade-again")
        viewer.press("Show boxes")
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
    passport = json.loads((tmp_path / "MedSegAI-result" / "passport.json").read_text(encoding="utf-8"))
    organ, tumor = passport["stages"]
    assert organ["kept"]  # the first stage was not computed again
    _, middle, longest = sorted(tumor["box"]["size_mm"])
    assert longest > middle + 5.0  # of the dragged box; before, all sides were about 50 mm


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


def _drag_right_face(viewer):
    """Drag the face of the inner box that lies on the right of the axial view, by its handle, 40 pixels outward."""
    viewer.page.wait_for_timeout(2000)
    x, y = _right_face(viewer)
    goal = x + 40
    for _ in range(5):  # a busy machine may see the press before it has seen where the mouse is
        viewer.page.mouse.move(x, y)
        viewer.page.wait_for_timeout(500)
        viewer.page.mouse.down()
        viewer.page.mouse.move(goal, y, steps=10)
        viewer.page.wait_for_timeout(500)
        viewer.page.mouse.up()
        viewer.page.wait_for_timeout(1000)
        x, y = _right_face(viewer)
        if x > goal - 8:
            return
    raise AssertionError(f"the face stayed {goal - x:.0f} pixels short of its goal")


def _right_face(viewer):
    """Give where the handle of that face is on the page, in pixels."""
    box = viewer.view("Axial")
    seen = _pixels(viewer.page.screenshot(clip=box))
    is_yellow = (seen[..., 0] > 200) & (seen[..., 1] > 190) & (seen[..., 2] < 130)
    lines = np.flatnonzero(is_yellow.sum(axis=0) > 60)  # columns of the four upright lines, some pixels wide each
    starts = lines[np.flatnonzero(np.diff(lines, prepend=-10) > 3)]
    assert len(starts) == 4, starts
    rows = np.flatnonzero(is_yellow[:, starts[2] + 1])  # the lines of the outer box cross that column, too
    rows = max(np.split(rows, np.flatnonzero(np.diff(rows) > 20) + 1), key=len)
    return float(box["x"] + starts[2] + 1), float(box["y"] + (rows[0] + rows[-1]) / 2)


def _pixels(png):
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        return np.array(picture.convert("RGB")).astype(int)
