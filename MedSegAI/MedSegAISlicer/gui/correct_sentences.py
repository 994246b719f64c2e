"""The words of the section "Correct"; see ``sentences``. Ring 10 (GUI); no widget."""

from __future__ import annotations

from slicer.i18n import tr as _


def tools() -> dict[str, str]:
    """Give the tools by kind of prompt."""
    return {"click": _("Click"), "scribble": _("Stroke"), "lasso": _("Outline"), "box": _("Box")}


def modes() -> list[str]:
    """Give the two ways of correcting: at once, and with a look before."""
    return [_("Apply at once"), _("Look first")]


def hints() -> dict[str, str]:
    """Say what the buttons do, by name of the button."""
    return {
        "includeButton": _("Place a prompt where the chosen region is and should be added."),
        "excludeButton": _("Place a prompt where the chosen region is not and should be taken away."),
        "applyPreviewButton": _("Bring the yellow outline into the result; Undo takes it back."),
        "discardPreviewButton": _("Forget the yellow outline."),
        "fillBetweenButton": _("Fill the chosen region between the slices that it is drawn on."),
        "doubtButton": _("Lay over the slices where the network is undecided about the chosen region."),
        "promptsButton": _("Show or hide the points and strokes of earlier corrections."),
        "exportCorrectionsButton": _(
            "Write images, masks before and after, and prompts as a study that training reads, into the export folder."
        ),
    }


def about(title: str) -> str:
    """Say which region is corrected."""
    if not title:
        return _("Choose a region in the table, then say where it is or is not.")
    return _("Corrects: {region}. Locked and accepted regions stay as they are.").format(region=title)


def placing(kind: str) -> str:
    """Say what the mouse does now."""
    return {
        "click": _("Click into a slice view. The right button gives up."),
        "scribble": _("Draw a line of clicks in a slice view; a double click ends it."),
        "lasso": _("Draw an outline of clicks in a slice view; a double click ends it."),
        "box": _("Place two corners of a box in the slice views."),
    }[kind]


def computing() -> str:
    """Say that the answer is on its way."""
    return _("Correcting.")


def looked(words: str) -> str:
    """Say what the preview would do."""
    return _("{change}. The yellow outline is a preview: Apply or Discard.").format(change=words)


def exported(count: int, folder: str) -> str:
    """Say where the corrections are."""
    return _("{count} files of the correction are in {folder}.").format(count=count, folder=folder)


def doubtButton(isShown: bool) -> str:
    """Give the text of the button."""
    return _("Hide doubt") if isShown else _("Show doubt")


def promptsButton(areShown: bool) -> str:
    """Give the text of the button."""
    return _("Hide prompts") if areShown else _("Show prompts")
