"""Every file of the module and of the library is in the CMake lists, and only such: the rest is not installed."""

from __future__ import annotations

import re

import pytest

from Testing.harness.cmake_lists import BOTH, LIBRARY, MODULE, in_tree, read

ADVICE = "run: python -m Testing.harness.cmake_lists"


@pytest.mark.parametrize("lists", BOTH, ids=lambda lists: lists.folder)
def test_the_lists_hold_every_file_of_the_tree(lists):
    scripts, resources = in_tree(lists)
    assert read(lists, lists.scripts_name) == scripts, ADVICE
    assert read(lists, lists.resources_name) == resources, ADVICE


def test_what_the_module_needs_is_among_the_files():
    assert {"MedSegAI.py", "MedSegAISlicer/__init__.py"} <= set(read(MODULE, MODULE.scripts_name))
    assert "Resources/UI/MedSegAI.ui" in read(MODULE, MODULE.resources_name)
    assert "py.typed" in read(LIBRARY, LIBRARY.resources_name)
    assert any(name.endswith(".safetensors") for name in read(LIBRARY, LIBRARY.resources_name))


def test_no_name_could_be_split_by_cmake():
    for lists in BOTH:
        for name in (*read(lists, lists.scripts_name), *read(lists, lists.resources_name)):
            assert re.fullmatch(r"[A-Za-z0-9_./-]+", name), name


def test_the_extension_carries_the_name_of_its_project(checkout):
    text = (checkout / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.search(r"^project\(MedSegAI\)$", text, re.MULTILINE)
    for key in ("HOMEPAGE", "CATEGORY", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"):
        assert f"set(EXTENSION_{key} " in text
    assert text.index("find_package(Slicer REQUIRED)") < text.index("add_subdirectory(MedSegAI)")
    assert text.rstrip().endswith("include(${Slicer_EXTENSION_CPACK})")
