"""What a data check says of a study: what is wrong, with which, and the next step. Beside the library (training)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# The next step by kind. Kinds: what a study can have wrong before anything is trained.
NEXT_STEPS = {
    "missing": "Put the file back, or take the study out of the set.",
    "unreadable": "Export the file again; `medsegai inspect` tells what the reader says.",
    "grid": "Resample the reference to the image with nearest neighbors, or export both from one volume again.",
    "values": "Correct the values in the reference; docs/reference/datasets.md shows how a set names its labels.",
    "empty": "Draw what is missing, or take the study out: an empty reference says that nothing is there.",
    "image": "Look at the image: it holds nothing that can be learned, or voxels without a value.",
    "sides": "Compare with the picture; flip the reference (or the study) along x, or take it out.",
    "copy": "Leave one of the two; a copy in another fold or in the test part makes every score too good.",
    "rare": "Look whether the value is a slip of the brush; if it is meant, name it in dataset.json.",
    "other": "Look at the study.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        study: its name.
        kind: key of ``NEXT_STEPS``.
        sentence: what is wrong, as the end of "STUDY ...".
        other: the second study, for copies.
    """

    study: str
    kind: str
    sentence: str
    other: str = ""

    @property
    def next_step(self) -> str:
        """What to do about it."""
        return NEXT_STEPS[self.kind]

    @property
    def stops(self) -> bool:
        """Whether the study may not train as it is."""
        return self.kind not in ("rare", "empty")


# Beginnings or parts of the sentences of ``report.dataset``, in the order in which they are tried.
_KINDS = (
    ("is missing", "missing"),
    ("has no image", "missing"),
    ("has no reference", "missing"),
    ("cannot be read", "unreadable"),
    ("different grids", "grid"),
    ("another grid", "grid"),
    ("holds the values", "values"),
    ("is empty", "empty"),
    ("without a finite value", "image"),
    ("same value everywhere", "image"),
    ("same voxels", "copy"),
)


def findings_of(defects: Sequence[tuple[str, str]]) -> list[Finding]:
    """Give the defects of a set's facts (study, sentence) as findings."""
    found = []
    for study, sentence in defects:
        kind = next((kind for words, kind in _KINDS if words in sentence), "other")
        other = sentence.rpartition(" as ")[2] if kind == "copy" else ""
        found.append(Finding(study, kind, sentence, other))
    return found
