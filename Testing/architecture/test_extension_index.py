"""The entry for Slicer's index of extensions: the rules of its public schema, and those that its checks ask for."""

from __future__ import annotations

import json
import re

from Testing.makers.source_facts import CHECKOUT, tracked_files

ENTRY = CHECKOUT / "Resources" / "MedSegAI.json"
REQUIRED = {"$schema", "category", "scm_url"}
OPTIONAL = {"scm_revision", "scm_type", "build_dependencies", "build_subdirectory", "enabled", "tier"}
LARGEST_CHECKOUT_MB = 100.0


def setting(name: str) -> str:
    text = (CHECKOUT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(rf'set\({name} "([^"]*)"\)', text).group(1)


def test_the_entry_has_the_fields_of_the_schema_and_no_other():
    entry = json.loads(ENTRY.read_text(encoding="utf-8"))
    assert REQUIRED <= set(entry) <= REQUIRED | OPTIONAL
    assert re.fullmatch(r"https://.+/slicer-extension-catalog-entry-schema-v1\.0\.\d+\.json#", entry["$schema"])
    assert entry["tier"] in (1, 3, 5)
    assert isinstance(entry["build_dependencies"], list)


def test_the_entry_agrees_with_the_extension():
    entry = json.loads(ENTRY.read_text(encoding="utf-8"))
    project = re.search(r"^project\((\w+)\)", (CHECKOUT / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert ENTRY.stem == project.group(1)
    assert not ENTRY.stem.startswith("Slicer")
    assert entry["category"] == setting("EXTENSION_CATEGORY")
    assert entry["scm_url"] == setting("EXTENSION_HOMEPAGE") + ".git"
    assert entry["scm_url"].rpartition("/")[2].startswith("Slicer")


def test_icon_screenshots_and_license_lie_where_the_links_say():
    links = [setting("EXTENSION_ICONURL"), *setting("EXTENSION_SCREENSHOTURLS").split()]
    for link in links:
        path = CHECKOUT / link.partition("/main/")[2]
        assert path.read_bytes().startswith(b"\x89PNG"), link
    assert (CHECKOUT / "LICENSE").is_file()


def test_the_checkout_is_small_enough():
    size = sum((CHECKOUT / path).stat().st_size for path in tracked_files())
    assert size < LARGEST_CHECKOUT_MB * 1e6
