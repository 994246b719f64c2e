"""All sequences side by side in the browser viewer, by one button and real input: linked, and painted in."""

from __future__ import annotations

import io

import numpy as np

from MedSegAILib.core.volume import Volume
from MedSegAILib.io.nifti import nifti_bytes
from MedSegAILib.report.outputs import write_outputs
from Testing.harness.viewer import looking, serving
from Testing.makers.phantoms import make_case, make_labels
from Testing.makers.results import make_result

ROLES = ("T1", "T1ce", "T2", "FLAIR")


def test_every_sequence_is_shown_beside_the_others_by_one_click(tmp_path, pictures):
    case = make_case()
    for role, volume in case.volumes.items():
        (tmp_path / f"{role}.nii.gz").write_bytes(nifti_bytes(volume))
    labels = make_labels(case.reference_grid()).array
    write_outputs(make_result(Volume(labels, case.reference_grid())), case, tmp_path / "out")
    with serving(tmp_path / "out", "--study", tmp_path) as address, looking(address, pictures) as viewer:
        viewer.waitFor("[data-region=WT]")
        viewer.choose("WT")
        before = viewer.regions()["WT"][0]
        viewer.press("Paint")  # a tool in the hand is put away while the views are made
        viewer.waitFor("button.v-btn--active:has-text('Paint')")
        viewer.press("Side by side")
        viewer.waitFor(".view-title:has-text('FLAIR')")
        viewer.waitFor(".tools:not(:has(.v-btn--active))")
        assert viewer.page.locator(".view-title").count() == 4
        viewer.step("beside-1")
        viewer.page.wait_for_timeout(2000)
        seen = _pixels(viewer, "T1")
        is_blue = (seen[..., 2] > seen[..., 0] + 15) & (seen[..., 2] > 40)
        # A quarter of blue over the bright image; over a hole in it the sum would be about 120.
        assert np.median(seen[is_blue].sum(axis=1)) > 250
        places = _all_at_one_place(viewer)

        viewer.wheel("T1ce", 3)
        wheeled = _all_at_one_place(viewer, places)
        viewer.slider("T2").press("ArrowRight")
        _all_at_one_place(viewer, wheeled)
        viewer.step("beside-2-moved")

        size = {role: _bright(viewer, role) for role in ROLES}
        _zoom(viewer, "T2")
        for role in ROLES:
            assert _grows(viewer, role, size[role]), role
        viewer.step("beside-3-zoomed")

        viewer.press("Paint")
        viewer.waitFor("button.v-btn--active:has-text('Paint')")
        viewer.stroke("FLAIR", (0.35, 0.35), (0.6, 0.35))
        painted = viewer.waitForVolume("WT", lambda ml: ml > before)
        viewer.step("beside-4-painted")
        viewer.press("Undo")
        assert viewer.waitForVolume("WT", lambda ml: ml < painted) == before
        viewer.press("Paint")
        viewer.key("Shift+S")
        viewer.waitFor(".view-title:has-text('Coronal')")
        viewer.press("Paint")
        viewer.waitFor("button.v-btn--active:has-text('Paint')")
        viewer.stroke("Axial", (0.35, 0.35), (0.6, 0.35))
        viewer.waitForVolume("WT", lambda ml: ml > before)
        viewer.step("beside-5-four-views")


def _all_at_one_place(viewer, other=""):
    """Wait until all views say the same place, another one than before; give it."""
    for _ in range(100):
        places = {viewer.where(role) for role in ROLES}
        if len(places) == 1 and places != {other}:
            return places.pop()
        viewer.page.wait_for_timeout(100)
    raise AssertionError(places)


def _pixels(viewer, role):
    from PIL import Image

    with Image.open(io.BytesIO(viewer.page.screenshot(clip=viewer.view(role)))) as picture:
        return np.array(picture.convert("RGB")).astype(int)


def _bright(viewer, role):
    """Count the pixels of a view that show the head."""
    return int((_pixels(viewer, role).sum(axis=2) > 120).sum())


def _zoom(viewer, role):
    """Drag with the right button, as a reader does to see more closely."""
    box, mouse = viewer.view(role), viewer.page.mouse
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(*middle)
    mouse.down(button="right")
    mouse.move(middle[0], middle[1] + 60, steps=8)
    mouse.up(button="right")


def _grows(viewer, role, before):
    for _ in range(50):
        if _bright(viewer, role) > 1.1 * before:
            return True
        viewer.page.wait_for_timeout(100)
    return False
