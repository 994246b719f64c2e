"""What a layout of a labeled set lists: studies with their files. Nothing is read here. Ring 1 (io)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")  # the longer first


@dataclass(frozen=True)
class LabeledStudy:
    """A study as a layout finds it.

    Args:
        name: its id.
        files: by role; a file that an index names may be missing on disk.
        reference: label map; None when the layout has none for it.
        part: "train" or "test" when the layout itself tells; else empty.
        relabel: values of the file that mean another value in this library ({3: 4} for BraTS 2023).
    """

    name: str
    files: Mapping[str, Path]
    reference: Path | None
    part: str = ""
    relabel: Mapping[int, int] = field(default_factory=dict)


def stem_of(path: Path) -> str | None:
    """Give the file's name without the ending of an image; None for hidden files and for what is no image."""
    suffix = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)
    return path.name[: -len(suffix)] if suffix and not path.name.startswith(".") else None


def images_in(folder: Path) -> dict[str, Path]:
    """Give the images of a folder by their stems, in the order of their names; empty for no folder."""
    found = {stem_of(path): path for path in sorted(folder.iterdir())} if folder.is_dir() else {}
    return {stem: path for stem, path in found.items() if stem is not None and path.is_file()}
