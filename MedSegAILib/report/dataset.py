"""What a labeled set holds: sizes, classes, intensities, where each label lies, and what is wrong with it.

Numbers by study and over the set; pictures of them are drawn in ``dataset_plots``. Nothing here knows a task. Ring 5
(report).

Source: the questions are those that the pancreas paper asks of its set (``docs/systems/pancreas.md``, section 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.volume import Array, Volume
from MedSegAILib.image.geometry import reorientation_to
from MedSegAILib.io import read_label_map, read_volume
from MedSegAILib.io.datasets import LabeledStudy, find_layout, label_names, list_studies

AXES = ("R to L", "A to P", "I to S")  # from 0 to 1 along x, y, z of the axis order LPS
PLACE_BINS = 50
SAMPLED_VOXELS = 20_000  # of each study and label, for the histogram
HISTOGRAM_BINS = 64
MARGIN_SHARE = 0.05  # added to the union of the boxes for a rough crop
Watch = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class LabelFacts:
    """One label in one study.

    Args:
        voxels, volume_ml: its size.
        box: (low, high) along each of ``AXES``, in shares of the image.
        profile: [3, PLACE_BINS], share of its voxels along each of ``AXES``.
        slices: share of the axial slices that hold it.
    """

    voxels: int
    volume_ml: float
    box: tuple[tuple[float, float], ...]
    profile: npt.NDArray[np.float64]
    slices: float


@dataclass(frozen=True, eq=False)
class StudyFacts:
    """One study.

    Args:
        name, part: as listed.
        shape_xyz, spacing_xyz_mm: of the first image, as stored; empty when it cannot be read.
        upright_shape_zyx, upright_spacing_zyx_mm: the same in axis order LPS.
        labels: by value, without the background.
        background: voxels of value 0.
        samples: by input and label value, intensities of some voxels.
        defects: sentences, empty for a sound study.
        fingerprint: of the first image's voxels, to find copies.
    """

    name: str
    part: str
    shape_xyz: tuple[int, ...] = ()
    spacing_xyz_mm: tuple[float, ...] = ()
    upright_shape_zyx: tuple[int, ...] = ()
    upright_spacing_zyx_mm: tuple[float, ...] = ()
    labels: dict[int, LabelFacts] = field(default_factory=dict)
    background: int = 0
    samples: dict[tuple[str, int], npt.NDArray[np.float64]] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True, eq=False)
class DatasetFacts:
    """A set: its layout, its studies, and names of the labels where the set tells them."""

    name: str
    layout: str
    studies: tuple[StudyFacts, ...]
    names: dict[int, str]

    @property
    def values(self) -> list[int]:
        """Label values that occur, without the background."""
        return sorted({value for study in self.studies for value in study.labels})

    def defects(self) -> list[tuple[str, str]]:
        """Give (study, sentence) for everything that is wrong, copies too."""
        found = [(study.name, sentence) for study in self.studies for sentence in study.defects]
        first: dict[str, str] = {}
        for study in (study for study in self.studies if study.fingerprint):
            known = first.setdefault(study.fingerprint, study.name)
            if known != study.name:
                found.append((study.name, f"holds the same voxels as {known}"))
        return found

    def to_json(self) -> dict[str, Any]:
        """Give a JSON-able dictionary: sizes, classes, places and defects; no intensities of single voxels."""
        return {
            "name": self.name,
            "layout": self.layout,
            "studies": len(self.studies),
            "sizes": sizes(self.studies),
            "classes": [asdict(one) for one in classes(self)],
            "places": {str(value): place(self, value) for value in self.values},
            "defects": [{"study": name, "defect": sentence} for name, sentence in self.defects()],
        }


@dataclass(frozen=True)
class ClassFacts:
    """One label over the set: in how many studies, share of all voxels, mL (mean, least, most), share of slices."""

    value: int
    name: str
    studies: int
    voxel_share: float
    mean_ml: float
    least_ml: float
    most_ml: float
    slice_share: float


def look_at_dataset(root: Path, limit: int | None = None, watch: Watch = lambda done, total: None) -> DatasetFacts:
    """Read a labeled set.

    Args:
        root: its folder.
        limit: only so many studies.
        watch: called with studies done and to do.

    Raises:
        InputError: "data.layout" when the folder is in no known layout.
    """
    listed = list_studies(root)[:limit]
    names = label_names(root)
    studies = []
    for number, study in enumerate(listed):
        studies.append(look_at_study(study, frozenset(names)))
        watch(number + 1, len(listed))
    return DatasetFacts(root.resolve().name, find_layout(root), tuple(studies), names)


def look_at_study(study: LabeledStudy, allowed: frozenset[int] = frozenset()) -> StudyFacts:
    """Read one study; what is wrong becomes a sentence and never an error.

    Args:
        study: from a layout.
        allowed: label values of the set, the background too; empty when it names none.
    """
    defects: list[str] = []
    images = {role: _read(read_volume, path, role, defects) for role, path in study.files.items()}
    if not study.files:
        defects.append("has no image")
    if study.reference is None:
        if study.part != "test":
            defects.append("has no reference")
        reference = None
    else:
        reference = _read(read_label_map, study.reference, "the reference", defects)
    sound = {role: volume for role, volume in images.items() if volume is not None}
    first = next(iter(sound.values()), None)
    for role, volume in sound.items():
        _look_at_image(role, volume, first, defects)
    if first is None:
        return StudyFacts(study.name, study.part, defects=tuple(defects))
    if reference is not None and not reference.grid.is_same_as(first.grid):
        defects.append("image and reference lie on different grids")
        reference = None
    labels, samples, background = _look_at_labels(sound, reference, allowed, defects)
    upright = reorientation_to(first.grid, "LPS").grid(first.grid)
    return StudyFacts(
        study.name,
        study.part,
        first.grid.shape_zyx[::-1],
        first.grid.spacing_zyx_mm[::-1],
        upright.shape_zyx,
        upright.spacing_zyx_mm,
        labels,
        background,
        samples,
        tuple(defects),
        hashlib.sha256(np.ascontiguousarray(first.array).tobytes()).hexdigest(),
    )


def sizes(studies: Sequence[StudyFacts]) -> dict[str, list[list[float]]]:
    """Give least, median and largest size (voxels) and spacing (mm) along x, y, z of the stored axes."""
    known = [study for study in studies if study.shape_xyz]
    if not known:
        return {"voxels": [], "spacing_mm": []}
    shapes = np.array([study.shape_xyz for study in known], dtype=float)
    spacings = np.array([study.spacing_xyz_mm for study in known])
    return {
        name: [np.round(part, 4).tolist() for part in (array.min(0), np.median(array, 0), array.max(0))]
        for name, array in (("voxels", shapes), ("spacing_mm", spacings))
    }


def classes(facts: DatasetFacts) -> list[ClassFacts]:
    """Give frequency and size of every label."""
    labeled = [study for study in facts.studies if study.labels or study.background]
    total = sum(study.background + sum(one.voxels for one in study.labels.values()) for study in labeled)
    rows = []
    for value in facts.values:
        found = [study.labels[value] for study in labeled if value in study.labels]
        volumes = [one.volume_ml for one in found]
        rows.append(
            ClassFacts(
                value,
                facts.names.get(value, ""),
                len(found),
                sum(one.voxels for one in found) / total,
                float(np.mean(volumes)),
                min(volumes),
                max(volumes),
                sum(one.slices for one in found) / len(labeled),
            )
        )
    return rows


def place(facts: DatasetFacts, value: int) -> dict[str, Any]:
    """Give where a label lies: by axis the union of the boxes, the mean of their middles, and a rough crop."""
    boxes = np.array([study.labels[value].box for study in facts.studies if value in study.labels])  # [n, 3, 2]
    union = np.stack([boxes[:, :, 0].min(axis=0), boxes[:, :, 1].max(axis=0)], axis=1)
    rough = np.clip(union + np.array([-MARGIN_SHARE, MARGIN_SHARE]), 0.0, 1.0)
    middles = boxes.mean(axis=(0, 2))
    return {
        axis: {
            "union": np.round(union[i], 3).tolist(),
            "middle": round(float(middles[i]), 3),
            "rough_crop": np.round(rough[i], 3).tolist(),
        }
        for i, axis in enumerate(AXES)
    }


def histogram(facts: DatasetFacts, role: str) -> tuple[npt.NDArray[np.float64], dict[int, npt.NDArray[np.float64]]]:
    """Give bin edges, and by label value (0 too) the density of an input's intensities, each study counting alike."""
    parts: dict[int, list[npt.NDArray[np.float64]]] = {}
    for study in facts.studies:
        for (name, value), sample in study.samples.items():
            if name == role:
                parts.setdefault(value, []).append(sample)
    everything = np.concatenate([sample for samples in parts.values() for sample in samples])
    low, high = np.percentile(everything, [0.5, 99.5])
    edges = np.linspace(low, high if high > low else low + 1.0, HISTOGRAM_BINS + 1)
    densities = {}
    for value, samples in sorted(parts.items()):
        shares = [np.histogram(np.clip(one, edges[0], edges[-1]), edges)[0] / len(one) for one in samples]
        densities[value] = np.mean(shares, axis=0)
    return edges, densities


def _read(reader: Callable[[Path], Volume], path: Path, what: str, defects: list[str]) -> Volume | None:
    if not path.exists():
        defects.append(f"{what} is missing: {path.name}")
        return None
    try:
        return reader(path)
    except MedSegAIError as error:
        defects.append(f"{what} cannot be read: {error.message}")
        return None


def _look_at_image(role: str, volume: Volume, first: Volume | None, defects: list[str]) -> None:
    if first is not None and not volume.grid.is_same_as(first.grid):
        defects.append(f"{role} lies on another grid than {first.name or 'the first image'}")
    if not np.isfinite(volume.array).all():
        defects.append(f"{role} holds voxels without a finite value")
    elif volume.array.min() == volume.array.max():
        defects.append(f"{role} has the same value everywhere")


def _look_at_labels(
    images: dict[str, Volume], reference: Volume | None, allowed: frozenset[int], defects: list[str]
) -> tuple[dict[int, LabelFacts], dict[tuple[str, int], npt.NDArray[np.float64]], int]:
    array = np.zeros(next(iter(images.values())).array.shape, np.uint8) if reference is None else reference.array
    values, counts = np.unique(array, return_counts=True)
    if reference is not None and len(values) == 1 and values[0] == 0:
        defects.append("the reference is empty")
    if unknown := [int(value) for value in values if allowed and int(value) not in allowed]:
        defects.append(f"the reference holds the values {unknown}; the set names {sorted(allowed)}")
    labels = {
        int(value): _label_facts(array == value, reference) for value in values if reference is not None and value != 0
    }
    samples = {}
    for role, volume in images.items():
        for value in values if volume.array.shape == array.shape else ():
            some = volume.array[array == value]
            some = some[:: max(1, len(some) // SAMPLED_VOXELS)].astype(np.float64)
            if len(some := some[np.isfinite(some)]):
                samples[role, int(value)] = some
    background = int(counts[values == 0].sum()) if reference is not None else 0
    return labels, samples, background


def _label_facts(mask: Array, reference: Volume) -> LabelFacts:
    own = reorientation_to(reference.grid, "LPS").apply(mask)
    box, profile = [], []
    for axis in (2, 1, 0):  # x, y, z
        along = own.sum(axis=tuple(other for other in range(3) if other != axis)).astype(np.float64)
        inside = np.flatnonzero(along)
        box.append((float(inside[0]) / len(along), float(inside[-1] + 1) / len(along)))
        places = (np.arange(len(along)) + 0.5) / len(along)
        binned, _ = np.histogram(places, PLACE_BINS, (0.0, 1.0), weights=along)
        profile.append(binned / along.sum())
    voxels = int(mask.sum())
    slices = float(own.any(axis=(1, 2)).mean())
    return LabelFacts(voxels, voxels * reference.grid.voxel_volume_ml, tuple(box), np.stack(profile), slices)
