"""The module's own self test, as Slicer runs it, on real MRML with the real worker (not in Slicer itself)."""

from __future__ import annotations

import unittest

import pytest
from MedSegAISlicer.scene.self_test import loadSample

from MedSegAILib.core.errors import SetupError


def test_the_self_test_of_the_module_passes_and_runs_all(checkout, emptyScene, monkeypatch):
    from Testing.harness import qt_proxy, slicer_stand_ins
    from Testing.harness.desktop import Desktop

    qt_proxy.install()
    slicer_stand_ins.install()
    module = Desktop._load(checkout / "MedSegAI" / "MedSegAI.py")
    slicer_test = module.MedSegAITest("runTest")
    done = []
    for name in unittest.defaultTestLoader.getTestCaseNames(module.MedSegAITest):
        original = getattr(slicer_test, name)
        monkeypatch.setattr(slicer_test, name, lambda name=name, original=original: (original(), done.append(name)))
    slicer_test.runTest()  # what "Reload and Test" calls
    assert sorted(done) == ["test_journey", "test_missingVolumeIsToldInWords", "test_packageIsSound"]


def test_a_missing_sample_is_told_in_words(emptyScene, tmp_path):
    with pytest.raises(SetupError, match="T1, T1ce, T2, FLAIR are not here"):
        loadSample(tmp_path)
