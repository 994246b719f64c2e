"""What is in the repository: nothing of one machine, nothing large, no voxel of a patient."""

import re

import pytest

from Testing.makers.source_facts import CHECKOUT, tracked_files

TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".yaml", ".yml", ".json", ".ui", ".sh", ".cmake", "", ".csv", ".svg"}
# Homes, scratch folders and package indexes of a machine; written in pieces so that this file does not name them.
OF_A_MACHINE = re.compile(
    "|".join(
        [
            r"/" + r"home/\w",
            r"/" + r"root/",
            r"/" + r"work/",
            r"/" + r"opt/(wheels|pypi)",
            r"C:" + r"\\Users",
            r"/" + r"Users/\w",
        ]
    )
)
REGISTRIES = re.compile(
    "|".join(["extra-" + "index-url", "--" + "index-url", "find-" + "links", "files." + r"pythonhosted\.org"])
)
LARGEST_KB = 200
LARGEST_WEIGHTS_KB = 2560  # a network of width 16 in eight bits; a package is held by its task (`largest_bytes`)
LARGEST_SAMPLE_KB = 1536

text_files = [path for path in tracked_files() if path.suffix in TEXT and path.name != "LICENSE"]


@pytest.mark.parametrize("path", text_files, ids=str)
def test_text_names_no_machine_and_no_registry(path):
    text = (CHECKOUT / path).read_text(encoding="utf-8")
    assert not OF_A_MACHINE.search(text)
    assert not REGISTRIES.search(text)


@pytest.mark.parametrize("path", tracked_files(), ids=str)
def test_file_is_small(path):
    limit_kb = LARGEST_KB
    if path.suffix == ".safetensors":
        limit_kb = LARGEST_WEIGHTS_KB
    elif path.parts[:2] in {("Resources", "SampleData"), ("Resources", "Screenshots")}:
        limit_kb = LARGEST_SAMPLE_KB
    assert (CHECKOUT / path).stat().st_size <= limit_kb * 1024


def test_images_with_voxels_lie_in_the_sample_data_only():
    voxels = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".dcm", ".mgz")
    found = [path for path in tracked_files() if path.name.endswith(voxels)]
    assert [path for path in found if path.parts[:2] != ("Resources", "SampleData")] == []
