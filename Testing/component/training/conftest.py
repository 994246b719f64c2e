"""A labeled set of the public layout, drawn by code: two training studies and one test study of 4 mm voxels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch

from training.phantoms.brain import HeadOptions, Phantom, draw_head
from training.phantoms.sample import SAMPLE_TUMOR

STUDIES = {"train": {"one": 1, "two": 2}, "test": {"three": 3}}


def write_study(folder: Path, head: Phantom, roles: tuple[str, ...]) -> None:
    """Write one study as ``<role>.nii.gz`` and ``seg.nii.gz``."""
    folder.mkdir(parents=True)
    for name, array in {**{role: head.volumes[role] for role in roles}, "seg": head.labels}.items():
        image = SimpleITK.GetImageFromArray(array if name == "seg" else np.round(array).astype(np.int16))
        image.SetSpacing(tuple(reversed(head.grid.spacing_zyx_mm)))
        SimpleITK.WriteImage(image, str(folder / f"{name}.nii.gz"))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread: sums run in one order, and two threads on busy cores wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def drawn_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like ``shared``: the three sets under ``data``."""
    root = tmp_path_factory.mktemp("shared")
    layouts = {
        "brain_tumor_four_sequences": ("T1", "T1ce", "T2", "FLAIR"),
        "brain_tumor_more": ("FLAIR",),
        "brain_tumor_lgg_flair": ("T1ce", "FLAIR"),
    }
    heads = {
        name: draw_head(seed, HeadOptions(spacing_mm=4.0, tumor=SAMPLE_TUMOR))
        for studies in STUDIES.values()
        for name, seed in studies.items()
    }
    for folder, roles in layouts.items():
        for name, head in heads.items():
            write_study(root / "data" / folder / name, head, roles)
        splits = {part: list(studies) for part, studies in STUDIES.items()}
        (root / "data" / folder / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
    return root
