"""Measures the numbers of MedSegAILib/core/role_numbers.py on the train parts of the real studies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from MedSegAILib.core.role_looks import PAIR_NUMBERS, VOLUME_NUMBERS, Look, compare, look, swapped
from MedSegAILib.core.role_odds import HEAD_ROLES
from MedSegAILib.io import read_volume

# Sets with real names to compare with; the last two hold T1 alone.
SETS = (
    "brain_tumor_four_sequences",
    "brain_tumor_native_grids",
    "brain_tumor_more",
    "brain_tumor_lgg_flair",
    "ibsr18",
    "healthy_t1_with_skull",
)
SHRINKAGE = 0.3  # share of the variances that is added to them: few studies, eight numbers
HEADER = '''"""Means and spreads of the numbers of ``role_looks``, measured on train parts of real studies. Ring 0.

Written by `python -m Testing.benchmarks.roles --measure`; not to be edited. %s
"""

# fmt: off
'''


@dataclass
class LookedStudy:
    """The looks of one study, by its true roles."""

    set_name: str
    part: str
    name: str
    looks: dict[str, Look] = field(default_factory=dict)
    seconds: float = 0.0


def find_studies(data: Path, sets=SETS, parts=("train", "test")) -> Iterator[tuple[str, str, Path]]:
    for set_name in sets:
        splits = json.loads((data / set_name / "splits.json").read_text(encoding="utf-8"))
        for part in parts:
            for name in splits[part]:
                yield set_name, part, data / set_name / name


def look_at_study(set_name: str, part: str, folder: Path) -> LookedStudy:
    study = LookedStudy(set_name, part, folder.name)
    for role in HEAD_ROLES:
        path = folder / f"{role}.nii.gz"
        if path.is_file():
            volume = read_volume(path)
            start = time.process_time()
            study.looks[role] = look(volume)
            study.seconds += time.process_time() - start
    return study


def tied(role: str) -> str:
    return "T1" if role == "T1ce" else role


def measure(studies: list[LookedStudy]) -> str:
    """Give the text of role_numbers.py."""
    volumes = [(tied(role), one.numbers) for study in studies for role, one in study.looks.items()]
    means = {role: np.mean([n for r, n in volumes if r == role], axis=0) for role in ("T1", "T2", "FLAIR")}
    within, freedom = np.zeros((8, 8)), 0
    for study in studies:
        rest = np.array([one.numbers - means[tied(role)] for role, one in study.looks.items()])
        own = rest - rest.mean(axis=0)
        within, freedom = within + own.T @ own, freedom + len(rest) - 1
    within /= freedom
    rest = np.array([numbers - means[role] for role, numbers in volumes])
    total = rest.T @ rest / len(rest)
    values, vectors = np.linalg.eigh(total - within + SHRINKAGE * np.diag(np.diag(total)))
    between = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    pairs: dict[tuple[str, str], list] = {}
    for study in studies:
        for one, other in combinations(study.looks, 2):
            key = (one, other) if {one, other} == {"T1", "T1ce"} else (tied(one), tied(other))
            numbers = compare(study.looks[one], study.looks[other])
            back = compare(study.looks[other], study.looks[one])
            pairs.setdefault(key, []).extend([numbers, swapped(back)])
    pair_means = {key: np.mean(found, axis=0) for key, found in pairs.items()}
    spread = np.mean([np.cov(np.array(found).T) for found in pairs.values()], axis=0)
    shrunk = {"WITHIN": within, "PAIR_SPREAD": spread}
    shrunk = {name: matrix + SHRINKAGE * np.diag(np.diag(matrix)) for name, matrix in shrunk.items()}
    count = f"{len(studies)} studies, {len(volumes)} volumes."
    parts = [
        HEADER % count,
        f"# {', '.join(VOLUME_NUMBERS)}\nVOLUME_MEANS = {{\n{_rows(means)}}}\n",
        "# Variation that the volumes of a study do not share, and that they do.\n",
        _matrix("WITHIN", shrunk["WITHIN"]),
        _matrix("BETWEEN", between),
        f"# {', '.join(PAIR_NUMBERS)}\nPAIR_MEANS = {{\n{_rows(pair_means)}}}\n",
        _matrix("PAIR_SPREAD", shrunk["PAIR_SPREAD"]),
    ]
    return "".join(parts) + "# fmt: on"


def _rows(table: dict) -> str:
    return "".join(f"    {_key(key)}: {_numbers(values)},\n" for key, values in table.items())


def _key(key) -> str:
    return json.dumps(key) if isinstance(key, str) else f"({json.dumps(key[0])}, {json.dumps(key[1])})"


def _matrix(name: str, matrix: np.ndarray) -> str:
    return f"{name} = [\n" + "".join(f"    {_numbers(row)},\n" for row in matrix) + "]\n"


def _numbers(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"
