"""Left and right exchanged, found in three ways; none is certain, so a picture is shown and a person decides.

A reference that fits its image better when mirrored; a study whose organ lies on the other side than in all others;
labels whose names say the wrong side. Beside the library (training).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.report.dataset import StudyFacts

from .finding import Finding

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.integer]
SHELL_VOXELS = 2
BETTER = 2.0  # a mirrored reference must explain so many times more
LEAST_FIT = 0.5  # and half as much as is usual in the set
LEAST_EXPLAINED = 0.15  # and so much at all: crops in which the structure hardly stands out say nothing
FEWEST = 4  # studies that say what is usual
ONE_SIDED = 0.1  # the usual place lies so far from the middle, in shares of the image
AWAY, NEAR = 0.15, 0.08  # from the usual place, and mirrored from it
# An organ of one side lies there in nearly all studies, at nearly one place; lesions are on either side.
FEWEST_OF_ORGAN, MOST_SUSPECTS, SPREAD_OF_ORGAN = 8, 0.15, 0.06
_LEFT, _RIGHT = (re.compile(rf"(^|[^a-z]){word}([^a-z]|$)") for word in ("left", "right"))


@dataclass(frozen=True)
class Fit:
    """How well a reference fits its image as it is, and mirrored along the patient's left-right axis.

    Args:
        own, mirrored: see :func:`explained`.
    """

    own: float
    mirrored: float

    @property
    def is_better_mirrored(self) -> bool:
        """Whether left and right look exchanged."""
        return self.mirrored > BETTER * self.own


def fit_of(images: Sequence[Array], labels: Labels) -> Fit:
    """Measure the fit of a reference.

    Args:
        images: [z, y, x] in axis order LPS.
        labels: label map on the same voxels, not empty.
    """
    mirrored = np.ascontiguousarray(labels[:, :, ::-1])
    return Fit(explained(images, labels), explained(images, mirrored))


def explained(images: Sequence[Array], labels: Labels) -> float:
    """Give the share of the variance that the labels, and a thin shell around them, explain in the best image.

    The background of an image (its lowest value) does not count: it would make every border of a bare brain look
    like that of a structure.
    """
    around = _around(labels > 0)
    inside = labels[around]
    groups = np.where(ndimage.binary_dilation(inside > 0, iterations=SHELL_VOXELS), inside, -1)
    best = 0.0
    for image in images:
        part = image[around]
        counted = (groups >= 0) & (part > image.min())
        values, group = part[counted], groups[counted]
        total = float(((values - values.mean()) ** 2).sum()) if values.size else 0.0
        if total > 0:
            middle = float(values.mean())
            parts = [values[group == value] for value in np.unique(group)]
            best = max(best, sum(len(one) * (float(one.mean()) - middle) ** 2 for one in parts) / total)
    return best


def _around(mask: Mask) -> tuple[slice, ...]:
    spots = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(slice(max(side.start - SHELL_VOXELS, 0), side.stop + SHELL_VOXELS) for side in spots)


def mirrored_references(fits: Mapping[str, Fit]) -> list[Finding]:
    """Name the studies whose reference fits much better when mirrored, where the set's others do not."""
    usual = [fit for fit in fits.values() if not fit.is_better_mirrored]
    if len(usual) < FEWEST or len(usual) < len(fits) / 2:
        return []
    typical = float(np.median([fit.own for fit in usual]))
    return [
        Finding(
            name,
            "sides",
            f"has a reference that explains {fit.mirrored:.0%} of its image mirrored, {fit.own:.0%} as it is: left and "
            "right look exchanged",
        )
        for name, fit in fits.items()
        if fit.is_better_mirrored and fit.mirrored > max(LEAST_FIT * typical, LEAST_EXPLAINED)
    ]


def misplaced_studies(studies: Sequence[StudyFacts]) -> list[Finding]:
    """Name the studies whose labels lie where they lie in the others when mirrored; for organs of one side."""
    found = []
    for value in sorted({value for study in studies for value in study.labels}):
        middles = {s.name: float(np.mean(s.labels[value].box[0])) for s in studies if value in s.labels}
        usual = float(np.median(list(middles.values())))
        spread = float(np.median([abs(middle - usual) for middle in middles.values()]))
        if len(middles) < FEWEST_OF_ORGAN or abs(usual - 0.5) < ONE_SIDED or spread > SPREAD_OF_ORGAN:
            continue
        suspects = {
            name: middle
            for name, middle in middles.items()
            if abs(middle - usual) > AWAY and abs(1.0 - middle - usual) < NEAR
        }
        if len(suspects) <= MOST_SUSPECTS * len(middles):
            found += [
                Finding(
                    name,
                    "sides",
                    f"has label {value} at {middle:.2f} from R to L; in the set it is at {usual:.2f}, the other side",
                )
                for name, middle in suspects.items()
            ]
    return found


def wrongly_named_sides(studies: Sequence[StudyFacts], names: Mapping[int, str]) -> list[Finding]:
    """Name the studies whose label called left lies to the right of the one called right."""
    pairs = [
        (left, right)
        for left, title in names.items()
        for right, other in names.items()
        if _LEFT.search(title.lower()) and _RIGHT.search(other.lower())
        and _LEFT.sub("", title.lower()) == _RIGHT.sub("", other.lower())
    ]  # fmt: skip
    found = []
    for study in studies:
        for left, right in pairs:
            if left in study.labels and right in study.labels:
                of_left, of_right = (float(np.mean(study.labels[value].box[0])) for value in (left, right))
                if of_left < of_right:  # the axis runs from right to left
                    words = f"has {names[left]!r} to the right of {names[right]!r}"
                    found.append(Finding(study.name, "sides", words))
    return found
