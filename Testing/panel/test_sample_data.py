"""The sample study is offered in Slicer's "Sample Data" when Slicer has started (a stand-in of that module)."""

from __future__ import annotations

import hashlib
import sys

import slicer
from MedSegAISlicer.scene.sample_data import registerSampleData

# What the module has under these names: the parameters that its versions of Slicer 5.2 and later share.
SAMPLE_DATA = """
class SampleDataLogic:
    registered = []

    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom", sampleName=None, uris=None, fileNames=None, nodeNames=None, customDownloader=None,
        thumbnailFileName=None, loadFiles=None, loadFileProperties=None, checksums=None,
    ):
        SampleDataLogic.registered.append(dict(locals()))
"""


def test_the_four_scans_are_offered_once_slicer_has_started_with_their_checksums(
    desktop, checkout, monkeypatch, tmp_path
):
    (tmp_path / "SampleData.py").write_text(SAMPLE_DATA, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    slicer.app.start()
    (offered,) = sys.modules.pop("SampleData").SampleDataLogic.registered
    assert offered["nodeNames"] == ["T1", "T1ce", "T2", "FLAIR"]
    folder = checkout / "Resources" / "SampleData" / "brain-tumor"
    for uri, checksum in zip(offered["uris"], offered["checksums"], strict=True):
        name = uri.rpartition("/")[2]
        assert uri.startswith("https://")
        assert uri.endswith(f"/Resources/SampleData/brain-tumor/{name}")
        assert checksum == "SHA256:" + hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert len(set(offered["fileNames"])) == 4


def test_without_that_module_nothing_happens(desktop):
    registerSampleData()
    slicer.app.start()
    assert "SampleData" not in sys.modules
