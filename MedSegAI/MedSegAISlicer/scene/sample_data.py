"""The sample study in Slicer's module "Sample Data": made by code, of no patient; fetched when a user clicks on it.

Told to Slicer when it has started, since modules come in any order. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import importlib.util

SAMPLE_NAME = "MedSegAIBrainTumor"
FOLDER = "https://raw.githubusercontent.com/MedSegAI/SlicerMedSegAI/main/Resources/SampleData/brain-tumor"
# SHA-256 of the files: what comes from the network is compared before it is loaded.
FILES = {
    "T1": "9d101bab21dd5ecba31fdbf3fcdc093044c371d0d1e9ff992875e3264e72c421",
    "T1ce": "638e6ae65908586fa9631584b51ded73ae0cd41715e26f28e0d4c91f52d94b92",
    "T2": "848ad0fde902e4bab14c968d3242d26b84ddd87d8703e915805678f733cd57b2",
    "FLAIR": "c3ec4a85bb625d5c22494e178740c83855226ea6b8b280b05b8b7532668d716a",
}


def registerSampleData() -> None:
    """Offer the four scans in "Sample Data"; nothing where Slicer has no such module."""
    if importlib.util.find_spec("SampleData") is None:
        return
    from SampleData import SampleDataLogic

    SampleDataLogic.registerCustomSampleDataSource(
        category="MedSegAI",
        sampleName=SAMPLE_NAME,
        uris=[f"{FOLDER}/{role}.nii.gz" for role in FILES],
        fileNames=[f"{SAMPLE_NAME}_{role}.nii.gz" for role in FILES],
        nodeNames=list(FILES),
        checksums=[f"SHA256:{checksum}" for checksum in FILES.values()],
    )
