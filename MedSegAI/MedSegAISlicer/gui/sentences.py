"""The words of the panel: one place for what a translator and a test want to see. Ring 10 (GUI); no widget."""

from __future__ import annotations

from slicer.i18n import tr as _

from MedSegAILib.core.errors import MedSegAIError


def ready() -> str:
    """Say that Segment may be pressed."""
    return _("Ready. Press Segment.")


def running(stage: str) -> str:
    """Say what a run does now; ``stage`` is the name that the pipeline reports."""
    texts = {
        "check": _("Checking the volumes…"),
        "repair": _("Bringing the volumes together…"),
        "prepare": _("Preparing the volumes…"),
        "predict": _("The network looks at every voxel…"),
        "decide": _("Drawing the regions…"),
        "done": _("Putting the result into the scene…"),
    }
    return texts.get(stage, _("Working…"))


def starting() -> str:
    """Say that the worker starts."""
    return _("Starting…")


def provisional() -> str:
    """Say what is in the views before the end of a run."""
    return _("Provisional: a first, coarse look. The result replaces it when the run ends.")


def cancelling() -> str:
    """Say that the run is being stopped."""
    return _("Stopping…")


def cancelled() -> str:
    """Say that the run was stopped."""
    return _("Cancelled. Nothing was changed.")


def done(seconds: float) -> str:
    """Say how long the run took."""
    return _("Done in {seconds} s. Check the result slice by slice.").format(seconds=max(1, round(seconds)))


def problem(error: MedSegAIError) -> str:
    """Say what is wrong and what to do next; the text comes from the library, as in the shell."""
    return str(error)


def defect(error: BaseException) -> str:
    """Say that the module itself failed."""
    return _("Something went wrong in the module ({kind}). See the error log for details, then try again.").format(
        kind=type(error).__name__
    )


def barFormat(share: float, secondsLeft: float | None) -> str:
    """Give the text on the progress bar: per cent, and the time left once it is known."""
    percent = round(100 * share)
    if secondsLeft is None:
        return _("{percent} %").format(percent=percent)
    if secondsLeft < 90:
        return _("{percent} %, about {seconds} s left").format(percent=percent, seconds=max(1, round(secondsLeft)))
    return _("{percent} %, about {minutes} min left").format(percent=percent, minutes=round(secondsLeft / 60))


def keys(pairs: list[tuple[str, str]]) -> str:
    """List the keys of the panel."""
    return _("Keys: {list}.").format(list="; ".join(f"{key} {words}" for key, words in pairs))


def presetTitles() -> dict[str, str]:
    """Give the presets as the list shows them."""
    return {"fast": _("Fast"), "balanced": _("Balanced"), "best": _("Best, takes longest")}


def presetWithTime(title: str, seconds: float | None) -> str:
    """Give a preset as the list shows it, with the seconds that it usually takes once they are known."""
    if seconds is None:
        return title
    if seconds < 90:
        return _("{preset} (about {seconds} s)").format(preset=title, seconds=max(1, round(seconds)))
    return _("{preset} (about {minutes} min)").format(preset=title, minutes=round(seconds / 60))


def looking() -> str:
    """Say that the worker was asked."""
    return _("Looking…")


def fetchButton() -> str:
    """Name the button that fetches libraries."""
    return _("Install from the network")


def lookFirst() -> str:
    """Say why nothing can be installed yet."""
    return _("Press the button with the question first: names, sizes and licenses are shown before an install.")


def segmentButton() -> str:
    """Give the face of the button while nothing runs."""
    return _("Segment")


def cancelButton() -> str:
    """Give the face of the button during a run."""
    return _("Cancel")


def sequenceHint(title: str, reason: str = "") -> str:
    """Give the tool tip of an input, with the reason for its choice; the reason comes from the library."""
    hint = _("Volume of the sequence: {title}. Leave it at None if it was not acquired.").format(title=title)
    return f"{hint} {reason}".rstrip()
