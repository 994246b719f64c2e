"""A run in the history of this machine, for the time of a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from MedSegAILib.tasks.history import FORMAT, history_file, network_words
from MedSegAILib.tasks.package import Package
from MedSegAILib.tasks.preset_members import stages_of


@contextmanager
def one_run(package: Package, preset: str, predict_s: float) -> Iterator[None]:
    """Write a history of one run of a package; what was there before comes back."""
    ensembles = [ensemble for stage in stages_of(package, preset) for ensemble in stage.ensembles]
    words = network_words([(n.name, n.arguments) for e in ensembles for n, _ in e.by_network()])
    run = {"network": words, "preset": preset, "backend": "openvino", "device": "cpu", "precision": "fp32"}
    run |= {"threads": 2, "forward_voxels": 1_000_000, "predict_s": predict_s, "other_s": 1.0}
    file = history_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_bytes() if file.exists() else None
    file.write_text(json.dumps({"format": FORMAT, "runs": [run]}))
    try:
        yield
    finally:
        file.unlink() if before is None else file.write_bytes(before)
