"""Pictures of the panel with a real result of the sample study, by ``python -m Testing.harness.screenshots``.

They show the panel in the stand-in (Qt's own style), not in Slicer; whoever shows them says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROLES = ("T1", "T1ce", "T2", "FLAIR")


def take(folder: Path) -> list[Path]:
    """Open the module, segment the sample, and save what the panel shows before, during and after."""
    sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "MedSegAI")]
    import slicer

    from Testing.harness.desktop import Desktop

    folder.mkdir(parents=True, exist_ok=True)
    pictures = []

    def keep(name: str) -> None:
        desktop.settle()
        pictures.append(folder / f"{name}.png")
        desktop.picture(pictures[-1])

    desktop = Desktop(CHECKOUT / "MedSegAI")
    keep("panel_empty")
    for role in ROLES:
        path = CHECKOUT / "Resources" / "SampleData" / "brain-tumor" / f"{role}.nii.gz"
        slicer.modules.volumes.logic().AddArchetypeVolume(str(path), f"Sample {role}", 0)
    desktop.settle()
    desktop.find("presetComboBox").setCurrentIndex(2)
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.find("progressBar").value() > 300, seconds=120)
    keep("panel_running")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=120)
    keep("panel")
    desktop.close()
    return pictures


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "Resources" / "Screenshots")
