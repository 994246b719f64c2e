"""Labeled sets on disk: the layouts in which groups and challenges keep their studies. Ring 1 (io).

A layout is a file with two functions: ``can_read(root)`` looks at names alone, ``read(root, roles)`` lists every study.
A new one is a file and a line in ``LAYOUTS``; it passes the contract suite in ``Testing/component/io``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from MedSegAILib.core.errors import InputError

from . import brats, corrections, ibsr18, image_label, msd, promise12, study_folders
from .listing import LabeledStudy

__all__ = ["LAYOUTS", "LabeledStudy", "find_layout", "label_names", "list_studies"]

Layout = tuple[Callable[[Path], bool], Callable[[Path, tuple[str, ...]], list[LabeledStudy]]]
# The first that can read a folder reads it: the more peculiar come first.
LAYOUTS: dict[str, Layout] = {
    "msd": (msd.can_read, msd.read),
    "promise12": (promise12.can_read, promise12.read),
    "ibsr18": (ibsr18.can_read, ibsr18.read),
    "brats": (brats.can_read, brats.read),
    "image_label": (image_label.can_read, image_label.read),
    "corrections": (corrections.can_read, corrections.read),
    "study_folders": (study_folders.can_read, study_folders.read),
}


def find_layout(root: Path) -> str:
    """Tell in which layout a folder is.

    Raises:
        InputError: "data.layout" when no layout fits.
    """
    for name, (can_read, _) in LAYOUTS.items():
        if root.is_dir() and can_read(root):
            return name
    raise InputError(
        "data.layout",
        f"{root.name} is no folder of labeled studies in a layout that is known here.",
        f"Known layouts: {', '.join(LAYOUTS)}; docs/reference/datasets.md shows each.",
    )


def list_studies(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List the studies of a folder in whatever layout it is.

    Args:
        root: folder of the set.
        roles: names that its inputs get, in order; empty takes those of the layout.

    Raises:
        InputError: "data.layout"; "data.index".
    """
    return LAYOUTS[find_layout(root)][1](root, roles)


def label_names(root: Path) -> dict[int, str]:
    """Give the names of a set's labels by value, background too, where the set tells them; else nothing."""
    return msd.label_names(root)
