"""The sample study that ships: one phantom with necrosis, rim and edema, as small NIfTI files.

``python -m training phantom --seed 7 --output Resources/SampleData/brain-tumor`` writes it. Beside the library.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK

from MedSegAILib.core.volume import Grid

from .brain import SEQUENCES, HeadOptions, draw_head
from .tumor import TumorPlan

SAMPLE_SPACING_MM = 1.6  # keeps four sequences together below 1.2 MB
SAMPLE_STEP = 8.0  # brightness of one stored level; below the noise, so nothing visible is lost
SAMPLE_TUMOR = TumorPlan(kind="ring", center_mm=(-32.0, 14.0, 24.0), core_mm=17.0, rim_mm=4.0, edema_mm=15.0, push=0.3)


def write_sample(seed: int, folder: Path) -> list[Path]:
    """Draw the sample study and write T1, T1ce, T2, FLAIR and seg as ``<name>.nii.gz``.

    Args:
        seed: of folds, outline, bias field and noise; the tumor's plan stays.
        folder: is made when it is not there.

    Returns:
        The files.
    """
    head = draw_head(seed, HeadOptions(spacing_mm=SAMPLE_SPACING_MM, tumor=SAMPLE_TUMOR, noise=0.012, vary=0.04))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in SEQUENCES:
        levels = np.round(head.volumes[name] / SAMPLE_STEP)
        # A brain voxel never becomes background, so the outline survives rounding.
        stored = np.where(head.volumes[name] > 0, np.clip(levels, 1, 255), 0)
        written.append(_write(stored.astype(np.uint8), head.grid, folder / f"{name}.nii.gz"))
    written.append(_write(head.labels, head.grid, folder / "seg.nii.gz"))
    return written


def _write(array: np.ndarray, grid: Grid, path: Path) -> Path:
    image = SimpleITK.GetImageFromArray(array)
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.ijk_to_ras  # files of ITK speak LPS
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    SimpleITK.WriteImage(image, str(path), useCompression=True, compressionLevel=9)
    return path
