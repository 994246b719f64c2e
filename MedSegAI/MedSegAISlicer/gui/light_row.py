"""The light of one input: a colored sign with its reason, and the button that cures it. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedSegAISlicer.scene.study_lights import RoleLight

# Sign and color: told apart without colors, too.
_SIGNS = {"green": ("\N{CHECK MARK}", "#2e7d32"), "amber": ("?", "#b26a00"), "red": ("\N{MULTIPLICATION X}", "#c62828")}


class LightRow:
    """The sign and the button of a row.

    Args:
        sign: the label.
        button: the fix.
        onFix: called with the light when a person presses the button.
    """

    def __init__(self, sign: Any, button: Any, onFix: Callable[[RoleLight], None]) -> None:
        self.sign, self.button, self.onFix = sign, button, onFix
        self.light: RoleLight | None = None
        button.connect("clicked()", self.onClicked)
        self.show(None)

    def disconnect(self) -> None:
        """Undo the connection, and hide the row."""
        self.button.disconnect("clicked()", self.onClicked)
        self.show(None)

    def show(self, light: RoleLight | None) -> None:
        """Show a light; None shows nothing."""
        self.light = light
        self.sign.visible = light is not None
        self.button.visible = light is not None and bool(light.fix)
        if light is not None:
            sign, color = _SIGNS[light.color]
            self.sign.text = f'<span style="color:{color}">{sign}</span>'
            self.sign.toolTip = light.reason
            self.button.toolTip = f"{light.reason} {light.fix}."

    def onClicked(self) -> None:
        """The button was pressed."""
        if self.light is not None:
            self.onFix(self.light)
