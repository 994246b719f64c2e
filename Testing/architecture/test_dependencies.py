"""What is imported is declared, what is declared is pinned for development, and ranges stay open."""

import ast
import re
import sys

import pytest

from Testing.makers.source_facts import CHECKOUT, product_files, tree_of

# Import name: distribution name, where the two differ.
DISTRIBUTIONS = {
    "simpleitk": "simpleitk",
    "slicer": "slicer-core",
    "vtk": "slicer-core",
    "undo-stack": "py-undo-stack",
}
# The browser viewer: it lies beside the module but never ships in the extension.
VIEWER = ("MedSegAI", "MedSegAISlicer", "web")
OURS = {"MedSegAILib", "MedSegAISlicer", "training", "MedSegAI"}
# Slicer brings these itself; on the desktop they are not installed by pip.
OF_SLICER = {"slicer", "vtk", "qt", "ctk", "SampleData", "ScreenCapture"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def project():
    if sys.version_info < (3, 11):
        pytest.skip("reading pyproject.toml needs tomllib of Python 3.11")
    import tomllib

    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names_of(requirements):
    return {normal(re.split(r"[<>=!~\[; ]", text)[0]) for text in requirements} - {"medsegai"}


def imported_by(*folder, but=()):
    found = set()
    for path in product_files():
        if path.parts[: len(folder)] != folder or (but and path.parts[: len(but)] == but):
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").split(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names and name not in OURS | OF_SLICER}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [("MedSegAILib", ["torch", "training", "batch", "dicom"]), ("training", ["torch", "training"])],
)
def test_every_import_is_declared(folder, extras):
    declared = names_of(project()["dependencies"])
    for extra in extras:
        declared |= names_of(project()["optional-dependencies"][extra])
    imported = {DISTRIBUTIONS.get(normal(name), normal(name)) for name in imported_by(folder)}
    assert imported <= declared, imported - declared


def test_slicer_side_needs_nothing_but_slicer_and_numpy():
    assert imported_by("MedSegAI", but=VIEWER) <= {"numpy"}


def test_every_import_of_the_viewer_is_declared_and_stays_in_its_folder():
    declared = names_of(project()["optional-dependencies"]["web"])
    imported = {DISTRIBUTIONS.get(normal(name), normal(name)) for name in imported_by(*VIEWER)}
    assert imported <= declared, imported - declared


def test_every_dependency_is_pinned_for_development():
    pinned = names_of((CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines())
    wanted = names_of(project()["dependencies"])
    for requirements in project()["optional-dependencies"].values():
        wanted |= names_of(requirements)
    assert wanted <= pinned, wanted - pinned


def test_constraints_pin_versions_only():
    lines = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line), line
    assert "torch==2.13.0" in lines


def test_ranges_of_the_library_stay_open():
    for requirement in project()["dependencies"]:
        assert "==" not in requirement
        assert ">=" in requirement
