"""A folder of images and one of labels, paired by name: ``images`` and ``labels``, or nnU-Net's ``imagesTr`` and so on.

An ending ``_0000`` is nnU-Net's number of the channel. Ring 1 (io).
"""

from __future__ import annotations

import re
from pathlib import Path

from .listing import LabeledStudy, images_in

FOLDERS = (("images", "labels", ""), ("imagesTr", "labelsTr", "train"), ("imagesTs", "labelsTs", "test"))
_CHANNEL = re.compile(r"^(?P<name>.+)_(?P<number>\d{4})$")


def can_read(root: Path) -> bool:
    """Tell whether there is a pair of such folders with images in both."""
    return any(images_in(root / images) and images_in(root / labels) for images, labels, _ in FOLDERS)


def read(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List the studies; channels take the roles in the order of their numbers."""
    studies = []
    for images, labels, part in FOLDERS:
        references = images_in(root / labels)
        channels: dict[str, dict[int, Path]] = {}
        for stem, path in images_in(root / images).items():
            match = _CHANNEL.match(stem)
            # A name that merely ends in four digits is one channel when its label carries the same name.
            if match and stem not in references:
                channels.setdefault(match["name"], {})[int(match["number"])] = path
            else:
                channels.setdefault(stem, {})[0] = path
        for name in sorted({*channels, *references}):
            files = {_role(roles, number): path for number, path in sorted(channels.get(name, {}).items())}
            studies.append(LabeledStudy(name, files, references.get(name), part))
    return studies


def _role(roles: tuple[str, ...], number: int) -> str:
    if number < len(roles):
        return roles[number]
    return f"channel{number}" if number else "image"
