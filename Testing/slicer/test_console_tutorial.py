"""The lines of the console tutorial, run in their order on real MRML with the real worker and the shipped package."""

from __future__ import annotations

import re
import sys
import types

import slicer
import slicer.util
from MedSegAISlicer.scene.logic import SegmentationLogic

from Testing.harness.mrml import fingerprint


def test_every_line_of_the_console_tutorial_runs(scene, checkout, tmp_path, monkeypatch, capsys):
    text = (checkout / "docs" / "tutorials" / "console.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    module = types.ModuleType("MedSegAI")
    module.MedSegAILogic = SegmentationLogic
    monkeypatch.setitem(sys.modules, "MedSegAI", module)
    space = {"slicer": slicer, "STUDY": checkout / "Resources" / "SampleData" / "brain-tumor", "OUT": tmp_path}
    try:
        exec(blocks[0], space)  # the point of the test
        before = {role: fingerprint(slicer.util.getNode(role)) for role in space["study"]}
        for block in blocks[1:]:
            exec(block, space)
    finally:
        if "logic" in space:
            space["logic"].close()
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" mL ")[1] for line in said[:3]] == ["to do"] * 3
    assert said[3] == "cancelled"
    assert {"labels.nii.gz", "volumes.csv", "passport.json"} <= set(said[4:])
    assert {role: fingerprint(slicer.util.getNode(role)) for role in before} == before
