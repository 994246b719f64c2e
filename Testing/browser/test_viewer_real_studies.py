"""The whole journey in the browser viewer on real studies: a brain tumor, and a CT of the abdomen by stages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from Testing.harness.viewer import ViewerPage, looking, serving
from Testing.makers.staged_package import CASCADE_MEMBERS, cascade_manifest, write_package

BRAIN = "brain_tumor_four_sequences/BraTS2021_00006"
ABDOMEN = "abdomen_ct/images/ircadb_17.nii.gz"


@pytest.mark.shared
def test_real_brain_tumor_from_loaded_to_reloaded(shared_dir, tmp_path, pictures):
    with opened(shared_dir / "data" / BRAIN, "--task", "brain-tumor", pictures=pictures) as viewer:
        assert viewer.page.locator(".role .mdi-check-circle").count() == 4
        viewer.select("Volume of T1ce", "T1")
        viewer.waitFor(".role-doubt:has-text('The same volume is chosen for T1.'):visible")
        viewer.step("brain-0-one-volume-twice")
        viewer.press("Fix T1ce")
        viewer.waitFor(".steps:not(:has(.role-doubt:visible))")
        assert viewer.page.locator(".role .mdi-check-circle").count() == 4
        found = segmented_after_a_cancel(viewer, "brain")
        assert found["WT"][0] > found["TC"][0] >= found["ET"][0] > 0
        kept = reviewed_and_corrected(viewer, "brain", "WT")
        taken_along(viewer, "brain", tmp_path)
    is_told(tmp_path, "WT")
    is_there_again(tmp_path, "brain", kept, pictures)


@pytest.mark.shared
def test_real_abdomen_by_stages_from_loaded_to_reloaded(shared_dir, checkout, tmp_path, pictures):
    task, packages = cascade_of(checkout, tmp_path)
    study = shared_dir / "data" / ABDOMEN
    with opened(study, "--task", task, packages=packages, pictures=pictures) as viewer:
        viewer.waitFor(".role .mdi-check-circle")  # its name says nothing: it is looked at first
        found = segmented_after_a_cancel(viewer, "abdomen")
        region = next(iter(found))
        assert found[region][0] > 0
        viewer.waitFor("button:has-text('Re-run from here'):visible")
        kept = reviewed_and_corrected(viewer, "abdomen", region)
        taken_along(viewer, "abdomen", tmp_path)
    is_told(tmp_path, region)
    is_there_again(tmp_path, "abdomen", kept, pictures, packages)


def cascade_of(checkout: Path, folder: Path) -> tuple[str, Path | None]:
    """Give the shipped task of two stages where there is one, else one whose networks are thresholds."""
    if (checkout / "MedSegAILib" / "packages" / "pancreas" / "manifest.json").is_file():
        return "pancreas", None
    package = write_package(folder / "packages" / "staged", cascade_manifest(), CASCADE_MEMBERS)
    return "staged", package.parent


@contextmanager
def opened(*what: object, packages: Path | None = None, pictures: Path | None = None) -> Iterator[ViewerPage]:
    with serving(*what, packages=packages) as address, looking(address, pictures) as viewer:
        yield viewer


def segmented_after_a_cancel(viewer: ViewerPage, name: str) -> dict[str, tuple[float, str]]:
    """Start a run and cancel it, then run to the end; gives the table."""
    viewer.select("Preset", "Fast")
    viewer.step(f"{name}-1-loaded")
    viewer.press("Segment")
    viewer.press("Cancel")
    viewer.sentence("Cancelled. Nothing was changed.")
    assert viewer.page.locator("[data-region]").count() == 0
    viewer.step(f"{name}-2-cancelled", 300)
    viewer.press("Segment")
    viewer.sentence("Done in")
    viewer.page.locator(".surface-hint").wait_for(state="hidden")
    viewer.step(f"{name}-3-segmented", 3000)
    return viewer.regions()


def reviewed_and_corrected(viewer: ViewerPage, name: str, region: str) -> dict[str, tuple[float, str]]:
    """Hide, show, go to a doubtful place, paint, undo, accept; gives the table at the end."""
    before = viewer.regions()
    viewer.choose(region)
    viewer.page.locator(f"[data-region={region}] button").first.click()
    viewer.waitFor(f"[data-region={region}] .mdi-eye-off-outline")
    viewer.step(f"{name}-4-hidden")
    viewer.page.locator(f"[data-region={region}] button").first.click()
    viewer.waitFor(f"[data-region={region}] .mdi-eye")
    looked_at_next_doubt(viewer, name)
    viewer.choose(region)  # a place may be in another one
    viewer.press("Paint")
    viewer.waitFor("button.v-btn--active:has-text('Paint')")
    viewer.stroke("Axial", (0.25, 0.65), (0.75, 0.65))  # longer than a tumor is wide, and inside the image
    viewer.waitForVolume(region, lambda ml: ml > before[region][0])
    viewer.step(f"{name}-6-painted")
    viewer.press("Undo")
    assert viewer.waitForVolume(region, lambda ml: ml <= before[region][0]) == before[region][0]
    viewer.press("Paint")
    viewer.waitFor(".tools:not(:has(.v-btn--active))")
    viewer.page.get_by_label("Reader").fill("Dr. A")
    viewer.press("Accept")
    viewer.waitFor(f"[data-region={region}] .state-accepted")
    return viewer.regions()


def looked_at_next_doubt(viewer: ViewerPage, name: str) -> None:
    """Go to the worst place; one pass that found one sound piece has none, and then the viewer says so."""
    button = viewer.page.get_by_role("button", name="Next doubt")
    if name == "brain" or button.is_enabled():
        button.click()
        viewer.waitFor("#place:has-text('Place 1 of')")
    else:
        assert viewer.text("#place") == "No doubtful places are known. Check the result slice by slice."
    viewer.step(f"{name}-5-next-doubt")


def taken_along(viewer: ViewerPage, name: str, folder: Path) -> None:
    """Export and save."""
    viewer.page.get_by_label("Folder on this computer").fill(str(folder))
    viewer.press("Export")
    viewer.sentence("files written to")
    viewer.press("Save scene")
    viewer.sentence("Saved as")
    viewer.step(f"{name}-7-saved")


def is_told(folder: Path, region: str) -> None:
    """The audit file tells who accepted what, and that the stroke was taken back."""
    audit = json.loads((folder / "MedSegAI-result" / "audit.json").read_text(encoding="utf-8"))
    states = {line["region"]: (line["state"], line["reader"]) for line in audit["regions"]}
    assert states[region] == ("accepted", "Dr. A")
    assert any("undone" in event["what"] for event in audit["story"])
    assert (folder / "MedSegAI-result" / "labels.nii.gz").stat().st_size > 0


def is_there_again(
    folder: Path,
    name: str,
    kept: dict[str, tuple[float, str]],
    pictures: Path | None,
    packages: Path | None = None,
) -> None:
    """The saved scene, opened in a new viewer, shows the same table over the same images."""
    with opened(folder / "MedSegAI-scene.mrb", packages=packages, pictures=pictures) as viewer:
        viewer.waitFor("[data-region] .state-accepted")
        assert viewer.regions() == kept
        assert viewer.page.locator(".role .mdi-help-circle-outline").count() == 0
        viewer.step(f"{name}-8-reloaded", 3500)
