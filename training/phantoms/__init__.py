"""Drawn studies: made from seeds by formulas, free of any patient. Beside the library (training).

``draw_phantom`` gives a case with its label map for every task that has a generator.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.volume import Array, Grid, Volume

Drawn = tuple[Case, Volume]


@lru_cache(maxsize=1)  # several boxes of one study follow each other
def draw_phantom(task: str, seed: int, kind: str = "") -> Drawn:
    """Draw a study of a task.

    Args:
        task: name of the task.
        seed: any integer >= 0; the same seed and kind give the same voxels.
        kind: what the generator knows besides its usual kind ("head": with skull).

    Raises:
        UsageError: "training.phantom" for a task without generator.
    """
    if task not in PHANTOMS:
        raise UsageError(
            "training.phantom", f"There is no phantom for the task {task!r}.", f"There are {', '.join(PHANTOMS)}."
        )
    return PHANTOMS[task](seed, kind)


def _brain_tumor(seed: int, kind: str) -> Drawn:
    from .brain import SEQUENCES, HeadOptions, draw_head

    head = draw_head(seed, HeadOptions(with_skull=kind == "head"))
    volumes = {role: Volume(head.volumes[role], head.grid, name=role) for role in SEQUENCES}
    return Case(volumes, reference="T1ce", name=f"phantom-{seed}"), Volume(head.labels, head.grid)


def _pancreas(seed: int, kind: str) -> Drawn:
    from .abdomen import draw_abdomen

    drawn = draw_abdomen(seed, kind)
    return _single("CT", drawn.image, drawn.labels, drawn.grid, seed)


def _prostate(seed: int, kind: str) -> Drawn:
    from .pelvis import draw_pelvis

    drawn = draw_pelvis(seed, kind)
    return _single("T2", drawn.image, drawn.labels, drawn.grid, seed)


def _hand_bones(seed: int, kind: str) -> Drawn:
    from .hand import draw_hand

    drawn = draw_hand(seed, kind)
    return _single("MR", drawn.image, drawn.labels, drawn.grid, seed)


def _brain_tissue(seed: int, kind: str) -> Drawn:
    from .tissue import draw_brain

    return _single("T1", *draw_brain(seed), seed)


def _hippocampus(seed: int, kind: str) -> Drawn:
    from .tissue import draw_hippocampus

    return _single("T1", *draw_hippocampus(seed), seed)


def _single(role: str, image: Array, labels: Array, grid: Grid, seed: int) -> Drawn:
    case = Case({role: Volume(image, grid, name=role)}, reference=role, name=f"phantom-{seed}")
    return case, Volume(labels, grid)


PHANTOMS: dict[str, Callable[[int, str], Drawn]] = {
    "brain-tumor": _brain_tumor,
    "pancreas": _pancreas,
    "prostate": _prostate,
    "hand-bones": _hand_bones,
    "brain-tissue": _brain_tissue,
    "hippocampus": _hippocampus,
}
