"""The journey of a reader through the browser viewer: real clicks, real MRML, the shipped package and sample."""

from __future__ import annotations

import json

from Testing.harness.viewer import looking, serving

SAMPLE = "Resources/SampleData/brain-tumor"


def test_segment_cancel_review_correct_export_save_and_reload(checkout, tmp_path, pictures):
    scene, result = tmp_path / "MedSegAI-scene.mrb", tmp_path / "MedSegAI-result"
    with serving(checkout / SAMPLE) as address, looking(address, pictures) as viewer:
        assert viewer.page.title() == "MedSegAI viewer (research use)"
        assert viewer.page.locator(".role .mdi-check-circle").count() == 4
        viewer.step("01-loaded")
        viewer.press("Segment")
        viewer.waitFor("#run-text:has-text('left')")
        viewer.step("02-running", 300)
        viewer.press("Cancel")
        viewer.sentence("Cancelled. Nothing was changed.")
        assert viewer.page.locator("[data-region]").count() == 0
        viewer.step("03-cancelled", 300)

        viewer.press("Segment")
        viewer.sentence("Done in")
        found = viewer.regions()
        assert list(found) == ["WT", "TC", "ET"]
        assert found["WT"][0] > found["TC"][0] > found["ET"][0] > 0
        viewer.page.locator(".surface-hint").wait_for(state="hidden")
        viewer.step("04-segmented")

        viewer.press("Show Whole tumor")
        viewer.waitFor("[data-region=WT] .mdi-eye-off-outline")
        viewer.step("05-hidden")
        viewer.press("Show Whole tumor")
        viewer.press("Next doubt")
        viewer.waitFor("#place:has-text('Place 1 of')")
        viewer.step("06-next-doubt")

        viewer.press("Exclude")
        viewer.waitFor("button.v-btn--active:has-text('Exclude')")
        viewer.choose("WT")
        viewer.click("Coronal", (0.47, 0.63))  # the place lies on the border; below it is the tumor with its core
        told = viewer.sentence("Exclude click in Whole tumor: ")
        cut = viewer.waitForVolume("WT", lambda ml: ml < found["WT"][0])
        assert viewer.regions()["WT"][1] == "Edited"
        viewer.step("07-exclude-click")
        viewer.press("Undo")
        assert viewer.waitForVolume("WT", lambda ml: ml > cut) == found["WT"][0]
        viewer.press("Redo")
        assert viewer.waitForVolume("WT", lambda ml: ml < found["WT"][0]) == cut, told
        viewer.press("Include")
        viewer.waitFor("button.v-btn--active:has-text('Include')")
        viewer.stroke("Axial", (0.56, 0.5), (0.68, 0.5))  # from within the tumor out of it
        viewer.sentence("Include scribble in Whole tumor: ")
        scribbled = viewer.waitForVolume("WT", lambda ml: ml > cut)
        viewer.step("08-scribble")
        viewer.press("Paint")
        viewer.waitFor("button.v-btn--active:has-text('Paint')")
        viewer.stroke("Axial", (0.60, 0.30), (0.72, 0.30))
        viewer.waitForVolume("WT", lambda ml: ml > scribbled)
        viewer.step("09-brush")
        viewer.press("Undo")
        viewer.sentence("Brush in Whole tumor")
        assert viewer.waitForVolume("WT", lambda ml: ml <= scribbled) == scribbled
        viewer.press("Undo")
        viewer.sentence("Include scribble in Whole tumor")
        kept = viewer.waitForVolume("WT", lambda ml: ml < scribbled)
        assert kept == cut
        viewer.press("Paint")
        viewer.waitFor(".tools:not(:has(.v-btn--active))")

        last = viewer.regions()
        viewer.page.get_by_label("Reader").fill("Dr. A")
        viewer.press("Accept")
        viewer.waitFor("[data-region=WT] .state-accepted")
        viewer.page.get_by_label("Folder on this computer").fill(str(tmp_path))
        viewer.press("Export")
        viewer.sentence("files written to")
        viewer.press("Save scene")
        viewer.sentence("Saved as")
        viewer.step("10-exported")

    audit = json.loads((result / "audit.json").read_text(encoding="utf-8"))
    told = {line["region"]: (line["state"], line["reader"]) for line in audit["regions"]}
    # Where the click cut a region within the whole tumor too, nested ones staying nested, it says so.
    states = {name: "edited" if last[name][0] != found[name][0] else "to do" for name in ("TC", "ET")}
    assert states["TC"] == "edited"
    assert told == {"WT": ("accepted", "Dr. A"), **{name: (state, "") for name, state in states.items()}}
    assert [event["what"] for event in audit["story"] if "undone" in event["what"]]
    assert {path.name for path in result.iterdir()} >= {"labels.nii.gz", "segmentation.seg.nrrd", "volumes.csv"}

    with serving(scene) as address, looking(address, pictures) as viewer:
        viewer.waitFor("[data-region=WT] .state-accepted")
        assert viewer.regions()["WT"] == (kept, "Accepted")
        assert {name: ml for name, (ml, _) in viewer.regions().items()} == {
            "WT": kept,
            "TC": last["TC"][0],
            "ET": last["ET"][0],
        }
        assert viewer.page.locator(".role .mdi-check-circle").count() == 4
        viewer.step("11-reloaded", 4000)
        viewer.press("Include")
        viewer.choose("WT")
        viewer.click("Axial", (0.5, 0.5))
        viewer.sentence("Include click in Whole tumor: ")
        viewer.waitForVolume("WT", lambda ml: ml > kept)
        viewer.step("12-click-after-reload")
