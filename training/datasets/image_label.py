"""A folder of images and one of labels, paired by name: ``images`` and ``labels``, or nnU-Net's ``imagesTr`` and so on.

An ending ``_0000`` is nnU-Net's number of the channel. Beside the library (training).
"""

from __future__ import annotations

import re
from pathlib import Path

from MedSegAILib.io.study_folder import IMAGE_SUFFIXES

from .study import Found

FOLDERS = (("images", "labels", ""), ("imagesTr", "labelsTr", "train"), ("imagesTs", "labelsTs", "test"))
_CHANNEL = re.compile(r"^(?P<name>.+)_(?P<number>\d{4})$")


def can_read(root: Path) -> bool:
    """Tell whether there is a pair of such folders with files in both."""
    return any(_images(root / images) and _images(root / labels) for images, labels, _ in FOLDERS)


def read(root: Path, roles: tuple[str, ...]) -> list[Found]:
    """List the studies; channels take the roles in the order of their numbers."""
    studies = []
    for images, labels, part in FOLDERS:
        references = _images(root / labels)
        channels: dict[str, dict[int, Path]] = {}
        for stem, path in _images(root / images).items():
            match = _CHANNEL.match(stem)
            # A name that merely ends in four digits is one channel when its label carries the same name.
            if match and stem not in references:
                channels.setdefault(match["name"], {})[int(match["number"])] = path
            else:
                channels.setdefault(stem, {})[0] = path
        for name, files in sorted(channels.items()):
            named = {_role(roles, number): path for number, path in sorted(files.items())}
            studies.append(Found(name, named, references.get(name), part))
    return studies


def _role(roles: tuple[str, ...], number: int) -> str:
    if number < len(roles):
        return roles[number]
    return f"channel{number}" if number else "image"


def _images(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.iterdir()):
        suffix = next((s for s in sorted(IMAGE_SUFFIXES, key=len, reverse=True) if path.name.endswith(s)), None)
        if suffix and not path.name.startswith("."):
            found[path.name.removesuffix(suffix)] = path
    return found
