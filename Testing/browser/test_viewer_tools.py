"""Keys, an outline that is seen while it is drawn, and the gap between slices, in the browser viewer by real input."""

from __future__ import annotations

import io

import numpy as np

from MedSegAILib.core.volume import Volume
from MedSegAILib.io.nifti import nifti_bytes
from MedSegAILib.report.outputs import write_outputs
from Testing.harness.viewer import looking, serving
from Testing.makers.phantoms import make_case, make_labels
from Testing.makers.results import make_result


def test_keys_outline_and_fill_between_slices(tmp_path, pictures):
    case = make_case()
    labels = make_labels(case.reference_grid()).array.copy()
    filled = np.flatnonzero(labels.any(axis=(1, 2)))
    labels[filled[len(filled) // 2]] = 0  # a slice is missing
    for role, volume in case.volumes.items():
        (tmp_path / f"{role}.nii.gz").write_bytes(nifti_bytes(volume))
    write_outputs(make_result(Volume(labels, case.reference_grid())), case, tmp_path / "out")
    with serving(tmp_path / "out", "--study", tmp_path) as address, looking(address, pictures) as viewer:
        viewer.waitFor("[data-region=WT]")
        viewer.choose("WT")
        before = viewer.regions()["WT"][0]

        viewer.key("?")
        viewer.waitFor(".keys:has-text('next place to look at')")
        viewer.step("keys")
        viewer.key("?")
        viewer.page.locator(".keys").wait_for(state="hidden")
        viewer.page.get_by_label("Reader").press_sequentially("Dr. IX")  # no key of ours: it is text
        assert viewer.page.locator(".tools .v-btn--active").count() == 0

        viewer.press("Fill between slices")
        viewer.sentence("Fill between slices of Whole tumor: ")
        filled_ml = viewer.waitForVolume("WT", lambda ml: ml > before)
        viewer.key("Ctrl+Z")
        assert viewer.waitForVolume("WT", lambda ml: ml < filled_ml) == before
        viewer.key("Ctrl+Y")
        viewer.waitForVolume("WT", lambda ml: ml == filled_ml)

        viewer.key("X")
        viewer.waitFor("button.v-btn--active:has-text('Exclude')")
        _looked_at_first(viewer, filled_ml)
        viewer.page.get_by_label("Draw an outline").check(force=True)
        viewer.page.wait_for_timeout(500)
        seen = []
        square = [(0.35, 0.35), (0.65, 0.35), (0.65, 0.65), (0.35, 0.65), (0.36, 0.4)]
        quiet = _yellow(viewer)

        def look():
            viewer.page.wait_for_timeout(800)
            seen.append(_yellow(viewer))
            viewer.step("outline", 0)

        viewer.outline("Axial", square, look)
        assert seen[0] > quiet + 300  # pixels of the outline
        viewer.sentence("Exclude lasso in Whole tumor: ")
        viewer.waitForVolume("WT", lambda ml: ml < filled_ml)
        viewer.key("X")
        viewer.waitFor(".tools:not(:has(.v-btn--active))")
        viewer.key("Shift+A")
        viewer.waitFor("[data-region=WT] .state-accepted")
        viewer.step("outline-excluded")


def _looked_at_first(viewer, before_ml):
    """A correction is an outline until it is applied; discarded, it leaves nothing."""
    viewer.page.get_by_label("Look first").check(force=True)
    viewer.page.wait_for_timeout(500)
    quiet = _yellow(viewer)
    viewer.click("Axial", (0.5, 0.5))
    viewer.sentence("The yellow outline is a preview")
    viewer.page.wait_for_timeout(1500)
    viewer.step("preview")
    assert _yellow(viewer) > quiet + 100
    assert viewer.regions()["WT"][0] == before_ml
    viewer.press("Discard")
    viewer.sentence("Discarded. Nothing was changed.")
    assert viewer.regions()["WT"][0] == before_ml
    viewer.click("Axial", (0.5, 0.5))
    viewer.sentence("The yellow outline is a preview")
    viewer.press("Apply")
    viewer.waitForVolume("WT", lambda ml: ml < before_ml)
    viewer.press("Undo")
    viewer.waitForVolume("WT", lambda ml: ml == before_ml)
    viewer.page.get_by_label("Look first").uncheck(force=True)


def _yellow(viewer):
    from PIL import Image

    with Image.open(io.BytesIO(viewer.page.screenshot(clip=viewer.view("Axial")))) as picture:
        pixels = np.array(picture.convert("RGB")).astype(int)
    return int(((pixels[..., 0] > 190) & (pixels[..., 1] > 190) & (pixels[..., 2] < 100)).sum())
