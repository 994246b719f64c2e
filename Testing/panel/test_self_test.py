"""The module's own self test, as Slicer runs it, on real MRML with the real worker (not in Slicer itself)."""

from __future__ import annotations

import sys
import unittest

import pytest
from MedSegAISlicer.scene.self_test import loadSample

from MedSegAILib.core.errors import SetupError


def test_the_self_test_of_the_module_passes(checkout, emptyScene):
    from Testing.harness import qt_proxy, slicer_stand_ins
    from Testing.harness.desktop import Desktop

    qt_proxy.install()
    slicer_stand_ins.install()
    module = Desktop._load(checkout / "MedSegAI" / "MedSegAI.py")
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(module.MedSegAITest)
    names = {test._testMethodName for test in suite if "runTest" not in test._testMethodName}
    assert names == {"test_packageIsSound", "test_missingVolumeIsToldInWords", "test_journey"}
    outcome = unittest.TextTestRunner(stream=sys.stderr).run(suite)
    assert outcome.wasSuccessful()
    assert outcome.skipped == []


def test_a_missing_sample_is_told_in_words(emptyScene, tmp_path):
    with pytest.raises(SetupError, match="T1, T1ce, T2, FLAIR are not here"):
        loadSample(tmp_path)
