"""Look at labeled studies before anything is trained: what is wrong, with a picture and the next step.

Mismatched grids, missing files, wrong label values, left and right exchanged, studies given twice. Beside the library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.geometry import reorientation_to
from MedSegAILib.io import read_label_map, read_volume
from MedSegAILib.io.atomic import write_files
from MedSegAILib.io.datasets import LabeledStudy, label_names, list_studies
from MedSegAILib.report.dataset import DatasetFacts, StudyFacts, Watch, look_at_study
from training.datasets import SETS, root_of, splits_of
from training.tasks import find_task

from .copies import near_copies, thumbnail
from .finding import Finding, findings_of
from .page import check_page
from .pictures import Looks, finding_png
from .sides import Fit, fit_of, mirrored_references, misplaced_studies, wrongly_named_sides

__all__ = ["Check", "Finding", "check_folder", "check_set", "check_studies", "write_check"]

RARE_AMONG = 5  # studies; below, nothing can be called rare


@dataclass(frozen=True, eq=False)
class Check:
    """What was looked at, and what is wrong with it."""

    facts: DatasetFacts
    findings: tuple[Finding, ...]
    listed: tuple[LabeledStudy, ...]

    def faulty(self) -> set[str]:
        """Give the studies that may not train as they are."""
        return {finding.study for finding in self.findings if finding.stops}


def check_folder(root: Path, watch: Watch = lambda done, total: None, part: str = "") -> Check:
    """Check a folder in whatever layout; ``part`` takes only studies that the layout counts to it, or to none.

    Raises:
        InputError: "data.layout".
    """
    listed = [study for study in list_studies(root) if not part or study.part in ("", part)]
    return check_studies(root.resolve().name, listed, label_names(root), watch)


def check_set(set_name: str) -> Check:
    """Check the part "train" of a known set, with the labels of its task.

    Raises:
        UsageError: "data.set". InputError: "data.layout", "data.missing".
    """
    names = set(splits_of(set_name)["train"])
    entry = SETS[set_name]
    task = find_task(entry.task)
    listed = [study for study in list_studies(root_of(entry), task.roles) if study.name in names]
    return check_studies(entry.folder, listed, {value: str(value) for value in sorted(task.label_values)})


def check_studies(
    name: str, listed: Sequence[LabeledStudy], names: dict[int, str], watch: Watch = lambda done, total: None
) -> Check:
    """Check studies.

    Args:
        name: of the set.
        listed: from a layout.
        names: of its labels by value, background too; empty when nobody tells.
        watch: called with studies done and to do.
    """
    studies: list[StudyFacts] = []
    fits: dict[str, Fit] = {}
    thumbnails = {}
    for number, study in enumerate(listed):
        facts = look_at_study(study, frozenset(names))
        studies.append(facts)
        images, labels = upright(study)
        if images:
            thumbnails[study.name] = thumbnail(images[0])
        # Where the grids differ the facts have no labels, and nothing can be said of sides.
        if facts.labels and labels is not None and all(image.shape == labels.shape for image in images):
            fits[study.name] = fit_of(images, labels)
        watch(number + 1, len(listed))
    whole = DatasetFacts(name, "", tuple(studies), names)
    found = findings_of(whole.defects())
    exact = {(finding.study, finding.other) for finding in found}
    found += [one for one in near_copies(thumbnails) if (one.study, one.other) not in exact]
    found += mirrored_references(fits)
    found += misplaced_studies(studies)
    found += wrongly_named_sides(studies, names)
    found += _rare_values(studies, names)
    return Check(whole, tuple(found), tuple(listed))


def write_check(check: Check, folder: Path) -> dict[str, Path]:
    """Write ``check.html``, ``check.json`` and a picture for each finding."""
    by_name = {study.name: study for study in check.listed}
    files: dict[str, bytes] = {}
    pictures = []
    for number, finding in enumerate(check.findings):
        shown = [by_name[name] for name in (finding.study, finding.other) if name in by_name]
        looks: list[Looks] = [(study.name, *_looks(study)) for study in shown]
        file = f"{number + 1:03d}-{re.sub(r'[^A-Za-z0-9_-]', '_', finding.study)}-{finding.kind}.png"
        files[file] = finding_png(f"{finding.study} {finding.sentence}", looks, show_mirrored=finding.kind == "sides")
        pictures.append(file)
    rows = [
        {**asdict(finding), "next_step": finding.next_step, "picture": picture}
        for finding, picture in zip(check.findings, pictures, strict=True)
    ]
    told = {"set": check.facts.name, "studies": len(check.listed), "findings": rows}
    files["check.json"] = (json.dumps(told, indent=1) + "\n").encode()
    files["check.html"] = check_page(check.facts.name, len(check.listed), rows).encode()
    return write_files(folder, files)


def upright(study: LabeledStudy) -> tuple[list[npt.NDArray[np.float32]], npt.NDArray[np.integer] | None]:
    """Read the images of a study and its reference, in axis order LPS; what cannot be read is left out."""
    images = [array for path in study.files.values() if (array := _read(read_volume, path)) is not None]
    reference = None if study.reference is None else _read(read_label_map, study.reference)
    return images, None if reference is None else reference.astype(np.int32)


def _read(reader: object, path: Path) -> npt.NDArray[np.float32] | None:
    try:
        volume: Volume = reader(path)  # type: ignore[operator]
    except (MedSegAIError, OSError):
        return None
    array = reorientation_to(volume.grid, "LPS").apply(volume.array)
    return np.nan_to_num(np.ascontiguousarray(array, dtype=np.float32))


def _looks(study: LabeledStudy) -> tuple[npt.NDArray[np.float32] | None, npt.NDArray[np.bool_] | None]:
    images, labels = upright(study)
    return (images[-1] if images else None), None if labels is None else labels > 0


def _rare_values(studies: Sequence[StudyFacts], names: dict[int, str]) -> list[Finding]:
    """Name values that occur in one study only, in a set that does not name its values."""
    labeled = [study for study in studies if study.labels]
    if names or len(labeled) < RARE_AMONG:
        return []
    holders: dict[int, list[str]] = {}
    for study in labeled:
        for value in study.labels:
            holders.setdefault(value, []).append(study.name)
    return [
        Finding(where[0], "rare", f"is the only study with the label value {value}")
        for value, where in sorted(holders.items())
        if len(where) == 1
    ]
