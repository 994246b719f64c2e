"""The browser viewer driven by real clicks: its process through the real command line, its page through Chromium.

The words are those that a reader of the page would use: ``press``, ``stroke``, ``choose``. Every wait has a limit and
asks the page, never the clock.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT_S = 90
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--font-render-hinting=none"),
)
LARGE, NARROW = (1440, 960), (1100, 720)


def whyNot() -> str:
    """Say why the viewer cannot be driven here; empty when it can."""
    missing = [name for name in ("slicer", "trame_slicer", "playwright") if find_spec(name) is None]
    if missing:
        return f"{' and '.join(missing)} is not installed (extra web)"
    if sys.platform == "linux" and not find_library("EGL"):
        return "libEGL is missing, so no view can be drawn"
    return "" if browserPath() else "there is no Chromium"


def browserPath() -> str:
    """Give the path of a Chromium; empty when there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), "")


@contextmanager
def serving(*arguments: object, packages: Path | None = None) -> Iterator[str]:
    """Run ``medsegai view`` with these arguments, and give the address that it told."""
    # The module of this checkout, also where another one is installed.
    path = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "MedSegAI")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"}
    if packages is not None:
        environment["MEDSEGAI_PACKAGES"] = str(packages)
    process = subprocess.Popen(
        [sys.executable, "-m", "MedSegAILib.cli", "--verbose", "view", *map(str, arguments), "--no-browser"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    try:
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        if found is None:
            raise AssertionError(f"medsegai view did not start: {line!r}, exit code {process.poll()}")
        yield found.group()
    finally:
        process.terminate()
        process.wait(LIMIT_S)
        process.stdout.close()


class ViewerPage:
    """One page of the viewer.

    Args:
        page: of playwright.
        pictures: folder for one picture a step; None takes none.
    """

    def __init__(self, page: Any, pictures: Path | None = None) -> None:
        self.page = page
        self.pictures = pictures
        self.foreign: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(1000 * LIMIT_S)
        page.on("request", self._onRequest)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _onRequest(self, request: Any) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", request.url):
            self.foreign.append(request.url)

    def open(self, address: str) -> None:
        """Open the page and wait until the button of the run is there."""
        self.page.goto(address)
        self.page.wait_for_selector("#run-button")

    def press(self, name: str) -> None:
        """Press a button by its words or its accessible name, once it may be pressed."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def sentence(self, words: str) -> str:
        """Wait until the sentence of the viewer holds some words; gives the whole of it."""
        box = self.page.locator("#sentence", has_text=re.compile(words))
        box.wait_for()
        return str(box.inner_text())

    def waitFor(self, selector: str) -> None:
        """Wait until something can be seen."""
        self.page.wait_for_selector(selector)

    def text(self, selector: str) -> str:
        """Give the text of the first thing that a selector finds."""
        return str(self.page.locator(selector).first.inner_text())

    def regions(self) -> dict[str, tuple[float, str]]:
        """Give mL and state by the id of the region, as the table shows them."""
        rows = self.page.locator("[data-region]").all()
        return {
            row.get_attribute("data-region"): (
                float(row.locator(".region-ml").inner_text()),
                row.locator(".state").inner_text(),
            )
            for row in rows
        }

    def choose(self, segmentId: str) -> None:
        """Choose a region in the table."""
        self.page.locator(f"[data-region={segmentId}] .region-title").click()
        self.waitFor(f"[data-region={segmentId}].region-chosen")

    def waitForVolume(self, segmentId: str, isWanted: Any) -> float:
        """Wait until the mL of a region are what is wanted; gives them."""
        for _ in range(10 * LIMIT_S):
            volume_ml = self.regions()[segmentId][0]
            if isWanted(volume_ml):
                return volume_ml
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{segmentId} has {volume_ml} mL")

    def view(self, name: str) -> Any:
        """Give the box of a view on the page: x, y, width, height in pixels."""
        return self._item(name).bounding_box()

    def slider(self, view: str) -> Any:
        """Give the slider of a view."""
        return self._item(view).locator(".slice-slider [role=slider]")

    def _item(self, view: str) -> Any:
        return self.page.locator(".layout-grid-item", has=self.page.locator(f'.view-title >> text="{view}"'))

    def click(self, view: str, point: tuple[float, float]) -> None:
        """Click into a view, at shares of its width and height."""
        self.stroke(view, point, point)

    def stroke(self, view: str, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw with the left button from one point of a view to another, both as shares of its width and height."""
        box, mouse = self.view(view), self.page.mouse
        points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (begin, end)]
        mouse.move(*points[0])
        self.page.wait_for_timeout(300)  # the outline of the brush comes with the first move
        mouse.down()
        mouse.move(*points[1], steps=12)
        self.page.wait_for_timeout(100)
        mouse.up()

    def outline(self, view: str, points: Sequence[tuple[float, float]], whileDrawing: Any = None) -> None:
        """Draw through several points with the left button; ``whileDrawing`` is called before it is let go."""
        box, mouse = self.view(view), self.page.mouse
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
        mouse.move(*places[0])
        self.page.wait_for_timeout(300)
        mouse.down()
        for place in places[1:]:
            mouse.move(*place, steps=6)
        if whileDrawing is not None:
            whileDrawing()
        mouse.up()

    def where(self, view: str) -> str:
        """Give where the slice of a view lies, as the page says it."""
        return str(self._item(view).locator(".slice-position").inner_text())

    def wheel(self, view: str, steps: int) -> None:
        """Turn the wheel in the middle of a view."""
        box = self.view(view)
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(abs(steps)):
            self.page.mouse.wheel(0, -100 if steps > 0 else 100)
            self.page.wait_for_timeout(100)

    def key(self, name: str) -> None:
        """Press a key, for example "Shift+A", with the focus on no field."""
        self.page.evaluate("document.activeElement && document.activeElement.blur()")
        self.page.keyboard.press(name.replace("Ctrl", "Control"))

    def select(self, name: str, choice: str) -> None:
        """Choose an entry of a list by its first words."""
        self.page.get_by_role("combobox", name=name).first.click(force=True)
        self.page.get_by_role("option", name=re.compile(f"^{choice}")).first.click()

    def isCalm(self) -> bool:
        """Tell whether the viewer has nothing to complain about, and the page neither."""
        return not self.foreign and not self.errors and self.page.locator(".sentence-problem").count() == 0

    def step(self, name: str, settleMs: int = 1500) -> Path | None:
        """End a step: nothing may be wrong; keep a picture of the page, after the views had time to draw.

        Raises:
            AssertionError: the viewer tells of a problem, the page failed, or something beyond this computer was asked.
        """
        if not self.isCalm():
            raise AssertionError(f"{name}: {self.text('#sentence')!r}, {self.errors}, {self.foreign}")
        if self.pictures is None:
            return None
        self.page.wait_for_timeout(settleMs)
        path = self.pictures / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(path))
        return path


@contextmanager
def looking(address: str, pictures: Path | None = None, size: tuple[int, int] = LARGE) -> Iterator[ViewerPage]:
    """Open a page of the viewer in a fresh browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browserPath(), args=list(_FLAGS))
        try:
            page = browser.new_page(viewport={"width": size[0], "height": size[1]})
            viewer = ViewerPage(page, pictures)
            viewer.open(address)
            yield viewer
        finally:
            browser.close()
