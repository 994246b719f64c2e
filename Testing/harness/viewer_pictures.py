"""Pictures of the browser viewer at work: ``python -m Testing.harness.viewer_pictures``, run by ``make screenshots``.

Real views, real clicks, the made-up sample study: no patient is on them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from Testing.harness.viewer import CHECKOUT, ViewerPage, looking, serving

SAMPLE = CHECKOUT / "Resources" / "SampleData" / "brain-tumor"
SIZE = (1360, 880)
COLORS = 256  # a palette keeps a picture below 400 kB


def take(folder: Path) -> list[Path]:
    """Make the journey of the tutorial and keep its pictures."""
    pictures: list[Path] = []
    with tempfile.TemporaryDirectory() as out, _viewer(folder, pictures) as keep:
        viewer = keep.viewer
        keep("viewer-loaded")
        viewer.press("Segment")
        viewer.waitFor("#run-text:has-text('left')")
        keep("viewer-running", 200)
        viewer.sentence("Done in")
        viewer.page.locator(".surface-hint").wait_for(state="hidden")
        viewer.press("T1ce")
        viewer.page.get_by_label("Folder on this computer").fill("results")
        keep("viewer-review", 4000)
        viewer.press("Next doubt")
        viewer.waitFor("#place:has-text('Place 1 of')")
        viewer.choose("ET")
        viewer.press("Paint")
        viewer.waitFor("button.v-btn--active:has-text('Paint')")
        viewer.stroke("Axial", (0.62, 0.36), (0.70, 0.44))
        viewer.waitFor(".offer:visible")
        keep("viewer-correct", 3000)
        viewer.press("Bring in step")
        viewer.press("Paint")
        viewer.page.get_by_label("Reader").fill("Dr. A")
        viewer.press("Accept")
        viewer.waitFor("[data-region=ET] .state-accepted")
        viewer.page.get_by_label("Folder on this computer").fill(out)
        viewer.press("Export")
        viewer.sentence("files written to")
    return pictures


class _Keep:
    """Keeps one picture a call."""

    def __init__(self, viewer: ViewerPage, pictures: list[Path]) -> None:
        self.viewer = viewer
        self.pictures = pictures

    def __call__(self, name: str, settle_ms: int = 1500) -> None:
        path = self.viewer.step(name, settle_ms)
        _shrink(path)
        self.pictures.append(path)


@contextmanager
def _viewer(folder: Path, pictures: list[Path]) -> Iterator[_Keep]:
    with serving(SAMPLE) as address, looking(address, folder, SIZE) as viewer:
        yield _Keep(viewer, pictures)


def _shrink(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.FLOYDSTEINBERG)
    few.save(path, optimize=True)


if __name__ == "__main__":
    for each in take(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "Resources" / "Screenshots"):
        sys.stdout.write(f"{each} {each.stat().st_size // 1000} kB\n")
