"""The sample studies that ship: one drawn study a task, from a seed that trains nothing, as small NIfTI files.

``python -m training phantom --task pancreas --output Resources/SampleData/pancreas`` writes one. Beside the library.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Grid, Volume

from . import draw_phantom
from .brain import SEQUENCES, HeadOptions, draw_head
from .tumor import TumorPlan

# Seeds of what trains lie between 100 and 500, those of the evaluation from 900000 on.
SAMPLE_SEEDS = {"brain-tumor": 7, "pancreas": 800_003}  # the usual one has a healthy pancreas
OTHER_SEED = 800_001
SAMPLE_SPACING_MM = 1.6  # keeps four sequences together below 1.2 MB
# Size of one stored level; below the noise, so nothing visible is lost, and the file is a third as large.
SAMPLE_STEPS = {"brain-tumor": 8.0, "pancreas": 6.0, "prostate": 12.0, "hand-bones": 14.0}
SAMPLE_TUMOR = TumorPlan(kind="ring", center_mm=(-32.0, 14.0, 24.0), core_mm=17.0, rim_mm=4.0, edema_mm=15.0, push=0.3)


def write_sample(task: str, folder: Path, seed: int | None = None) -> list[Path]:
    """Draw the sample study of a task and write each input as ``<role>.nii.gz``, the labels as ``seg.nii.gz``.

    Args:
        task: one that has a generator.
        folder: is made when it is not there.
        seed: None for the one that ships.

    Returns:
        The files.
    """
    seed = SAMPLE_SEEDS.get(task, OTHER_SEED) if seed is None else seed
    case, labels = _brain_tumor(seed) if task == "brain-tumor" else draw_phantom(task, seed)
    step = SAMPLE_STEPS.get(task, 1.0)
    folder.mkdir(parents=True, exist_ok=True)
    written = [
        _write(_stored(volume.array, step), volume.grid, folder / f"{role}.nii.gz")
        for role, volume in case.volumes.items()
    ]
    return [*written, _write(labels.array.astype(np.uint8), labels.grid, folder / "seg.nii.gz")]


def _brain_tumor(seed: int) -> tuple[Case, Volume]:
    """Draw the sample of the flagship: its tumor's plan stays, the seed gives folds, outline, coil and noise."""
    head = draw_head(seed, HeadOptions(spacing_mm=SAMPLE_SPACING_MM, tumor=SAMPLE_TUMOR, noise=0.012, vary=0.04))
    volumes = {role: Volume(head.volumes[role], head.grid, name=role) for role in SEQUENCES}
    return Case(volumes, reference="T1ce", name="sample"), Volume(head.labels, head.grid)


def _stored(array: np.ndarray, step: float) -> np.ndarray:
    """Round to whole levels: bytes for MR, where a bright voxel never becomes background; HU stay HU."""
    if array.min() < 0:
        return (np.round(array / step) * step).astype(np.int16)
    return np.where(array > 0, np.clip(np.round(array / step), 1, 255), 0).astype(np.uint8)


def _write(array: np.ndarray, grid: Grid, path: Path) -> Path:
    image = SimpleITK.GetImageFromArray(array)
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.ijk_to_ras  # files of ITK speak LPS
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    SimpleITK.WriteImage(image, str(path), useCompression=True, compressionLevel=9)
    return path
