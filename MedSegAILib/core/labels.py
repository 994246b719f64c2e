"""What the values of a label map mean, and which unions of them are shown and scored.

Labels exclude each other (a voxel has one); regions are unions of labels and may be nested (enhancing tumor in
tumor core in whole tumor). Ring 0 (nouns).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import PackageError, UsageError


@dataclass(frozen=True)
class Code:
    """A coded concept, for example ("SCT", "79654002", "Edema").

    Source: DICOM PS3.3 section 8.8, "Standard Attribute Sets for Code Sequence".
    """

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Terminology:
    """Coded name of a segment, as Slicer and DICOM SEG write it.

    Args:
        category: property category, for example "Morphologically Altered Structure".
        type: property type, for example "Edema".
        region: anatomic region, for example "Brain"; None when it is not stated.
    """

    category: Code
    type: Code
    region: Code | None = None


@dataclass(frozen=True)
class Label:
    """One value of the label map.

    Args:
        value: 1 to 65535; 0 is the background and is never listed.
        name: short and stable, for scripts ("ED").
        title: for people ("Edema").
        color: red, green, blue, each 0 to 1.
        terminology: coded name, or None.
    """

    value: int
    name: str
    title: str
    color: tuple[float, float, float]
    terminology: Terminology | None = None


@dataclass(frozen=True)
class Region:
    """A union of labels that is shown and scored under one name; fields as in :class:`Label`."""

    name: str
    title: str
    labels: tuple[int, ...]
    color: tuple[float, float, float]
    terminology: Terminology | None = None


@dataclass(frozen=True)
class LabelScheme:
    """The labels of a task and its regions, both in the order in which they are shown.

    Raises:
        PackageError: "labels.scheme" when values or names repeat, or a region names an unknown label.
    """

    labels: tuple[Label, ...]
    regions: tuple[Region, ...] = field(default=())

    def __post_init__(self) -> None:
        values = [label.value for label in self.labels]
        names = [region.name for region in self.regions]
        unknown = {value for region in self.regions for value in region.labels} - set(values)
        if len(set(values)) != len(values) or len(set(names)) != len(names) or unknown or 0 in values:
            raise PackageError(
                "labels.scheme",
                f"The label table is not sound: values {values}, regions {names}, unknown labels {sorted(unknown)}.",
                "Each label value and region name occurs once, and regions unite listed labels only.",
            )

    def region(self, name: str) -> Region:
        """Give the region of that name.

        Raises:
            UsageError: "labels.region" with the names there are.
        """
        for region in self.regions:
            if region.name == name:
                return region
        raise UsageError(
            "labels.region",
            f"There is no region {name!r}.",
            f"Choose one of {', '.join(r.name for r in self.regions)}.",
        )

    def mask(self, label_map: npt.NDArray[Any], region_name: str) -> npt.NDArray[np.bool_]:
        """Give the voxels of a region, bool, in the shape of ``label_map``."""
        found: npt.NDArray[np.bool_] = np.zeros(label_map.shape, bool)
        for value in self.region(region_name).labels:
            found |= label_map == value  # ten times as fast as np.isin, which a window would wait for
        return found

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that :meth:`from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LabelScheme:
        """Read the ``labels`` and ``regions`` tables of a manifest.

        Raises:
            PackageError: "labels.scheme" when a field is missing or of the wrong kind.
        """
        try:
            labels = tuple(
                Label(int(d["value"]), str(d["name"]), str(d["title"]), _color(d["color"]), _terminology(d))
                for d in data["labels"]
            )
            regions = tuple(
                Region(
                    str(d["name"]),
                    str(d["title"]),
                    tuple(int(v) for v in d["labels"]),
                    _color(d["color"]),
                    _terminology(d),
                )
                for d in data["regions"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PackageError(
                "labels.scheme",
                f"The label table cannot be read ({type(error).__name__}: {error}).",
                "Compare it with docs/reference/package.md.",
            ) from error
        return cls(labels, regions)


def _color(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _terminology(entry: Mapping[str, Any]) -> Terminology | None:
    coded = entry.get("terminology")
    if not coded:
        return None
    region = coded.get("region")
    return Terminology(Code(**coded["category"]), Code(**coded["type"]), Code(**region) if region else None)
