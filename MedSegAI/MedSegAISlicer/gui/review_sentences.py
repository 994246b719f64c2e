"""The words of the review and the export; see ``sentences``. Ring 10 (GUI); no widget."""

from __future__ import annotations

from collections.abc import Sequence

from slicer.i18n import tr as _

from MedSegAILib.core.doubt import Place
from MedSegAISlicer.scene.in_step import Offer
from MedSegAISlicer.scene.versions import RegionChange


def tableHeaders() -> list[str]:
    """Give the headers of the region table."""
    return [_("Show"), _("Region"), _("Volume (mL)"), _("State"), _("Lock")]


def state(name: str) -> str:
    """Say the state of a region."""
    return {
        "to do": _("To do"),
        "accepted": _("Accepted"),
        "edited": _("Edited"),
        "rejected": _("Rejected"),
    }[name]


def stateHint(reader: str, time: str, doubtMl: float | None) -> str:
    """Give the tool tip of a state: who decided and when, and how much is in doubt."""
    parts = []
    if time:
        parts.append(_("Decided {time} UTC").format(time=time[:16].replace("T", " ")))
    if reader:
        parts.append(_("by {reader}").format(reader=reader))
    if doubtMl is not None:
        parts.append(_("The looks of the network disagree about {volume} mL.").format(volume=f"{doubtMl:.1f}"))
    return " ".join(parts)


def place(number: int, count: int, title: str, found: Place) -> str:
    """Say where the views are: "Place 2 of 14: Tumor core, members or views disagree, 2.5 mL"."""
    return _("Place {number} of {count}: {region}, {reason}, {volume} mL").format(
        number=number, count=count, region=title, reason=reason(found), volume=f"{found.at_stake_ml:.1f}"
    )


def placesToLookAt(count: int) -> str:
    """Say how many places wait, or that none does."""
    if count == 0:
        return _("No doubtful places are known. Check the result slice by slice.")
    return _("Places to look at: {count}, the most volume at stake first.").format(count=count)


def reason(found: Place) -> str:
    """Say why a place is listed."""
    texts = {
        "disagreement": _("members or views disagree"),
        "island": _("an island apart from the rest"),
        "thin_bridge": _("two parts hang together by a thin bridge"),
        "image_edge": _("touches the image edge"),
        "outside_brain": _("outside the brain"),
    }
    return texts.get(found.reason, found.words)


def buttonHint(text: str, key: str) -> str:
    """Give a tool tip with its key."""
    return _("{text} Key: {key}").format(text=text, key=key)


def hints() -> dict[str, str]:
    """Say what the buttons do, by name of the button."""
    return {
        "nextPlaceButton": _("Bring all slice views to the next place, the worst first."),
        "previousPlaceButton": _("Bring all slice views to the place before."),
        "acceptButton": _("Accept the chosen region as it is now."),
        "rejectButton": _("Reject the chosen region. Nothing is deleted."),
        "sideBySideButton": _("All sequences side by side in linked views; once more for the layout before."),
    }


def lockHint() -> str:
    """Say what a lock does."""
    return _(
        "A locked region stays as it is through a re-run, a click and an offer. Edited and accepted ones stay, too."
    )


def lockedButEdited(title: str) -> str:
    """Say that a locked region was changed by hand."""
    return _("{region} is locked, yet it was just edited by hand. Press Undo to take that back.").format(region=title)


def undoHint(name: str) -> str:
    """Say what an undo would take back."""
    return _("Undo: {name}.").format(name=name) if name else _("Nothing to undo.")


def redoHint(name: str) -> str:
    """Say what a redo would do again."""
    return _("Redo: {name}.").format(name=name) if name else _("Nothing to redo.")


def undone(name: str) -> str:
    """Say what was taken back."""
    return _("Undone: {name}.").format(name=name)


def doneAgain(name: str) -> str:
    """Say what was done again."""
    return _("Done again: {name}.").format(name=name)


def noSequences() -> str:
    """Say that there is nothing to put side by side."""
    return _("The volumes of this result are not in the scene any more. Load them, then try again.")


def changes(name: str, found: Sequence[RegionChange]) -> str:
    """Say what each region gained and lost: "Against Tumor, in mL: WT +1.2 -0.4, TC +0.0 -0.0"."""
    parts = [_change(change) for change in found]
    return _("Against {version}, in mL: {changes}").format(version=name, changes=", ".join(parts))


def _change(change: RegionChange) -> str:
    if change.gained_ml is None or change.lost_ml is None:
        return f"{change.segmentId} {change.after_ml - change.before_ml:+.1f}"
    return f"{change.segmentId} +{change.gained_ml:.1f} \N{MINUS SIGN}{change.lost_ml:.1f}"


def takeHint() -> str:
    """Say what taking a region does."""
    return _("Replaces the chosen region by that of the version before. Your own drawing is kept as a hidden segment.")


def chooseRegionFirst() -> str:
    """Say that a row of the table must be chosen."""
    return _("Choose a region in the table first.")


def regionTaken(name: str, hasKept: bool) -> str:
    """Say that a region was taken, and where the replaced drawing is."""
    if hasKept:
        return _("Taken from {version}. Your own drawing is kept as a hidden segment.").format(version=name)
    return _("Taken from {version}.").format(version=name)


def boxes(stages: Sequence[str]) -> str:
    """Say which boxes may be dragged."""
    return _("Box of {stages}: drag it in a view if it lies wrong.").format(stages=", ".join(stages))


def rerunHint() -> str:
    """Say what a run from the boxes costs."""
    return _("Segments again within the box as it lies now. The stages before it are kept and cost nothing.")


def worst(study: str, reasons: str) -> str:
    """Give a line of the worst-first list."""
    return _("{study}: {reasons}").format(study=study, reasons=reasons) if reasons else study


def batchRead(count: int) -> str:
    """Say how long the list is."""
    return _("{count} studies, the one to look at first at the top.").format(count=count)


def studyOpened(study: str) -> str:
    """Say that a study of a batch is in the scene."""
    return _("{study} is open. Look through it under Review.").format(study=study)


def offer(made: Offer) -> str:
    """Say what is out of step after an edit: "Tumor core +0.4 mL would follow your edit of Enhancing tumor."."""
    return _("To stay in step with your edit of {region}: {changes}.").format(
        region=made.changedTitle, changes=_volumes(made)
    )


def broughtInStep(made: Offer) -> str:
    """Say what was changed."""
    return _("In step with {region}: {changes}.").format(region=made.changedTitle, changes=_volumes(made))


def _volumes(made: Offer) -> str:
    parts = []
    for change in made.changes:
        gained = f" +{change.gained_ml:.2f} mL" if change.gained_ml else ""
        lost = f" \N{MINUS SIGN}{change.lost_ml:.2f} mL" if change.lost_ml else ""
        parts.append(f"{change.title}{gained}{lost}")
    return ", ".join(parts)


def labelsButton(isShown: bool) -> str:
    """Give the face of the button that changes between regions and labels."""
    return _("Show as regions") if isShown else _("Show as labels")


def exporting() -> str:
    """Say that the files are being written."""
    return _("Writing the files…")


def exported(count: int, folder: str) -> str:
    """Say what was written, and where."""
    return _("{count} files written to {folder}").format(count=count, folder=folder)


def copied() -> str:
    """Say that the lines are on the clipboard."""
    return _("Copied. Paste it into the Python console.")


def discarded() -> str:
    """Say that a preview is gone."""
    return _("Discarded. Nothing was changed.")
