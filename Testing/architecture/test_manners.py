"""Size, prints, asserts, broad excepts, docstrings and names, counted on the syntax trees."""

import ast

import pytest

from Testing.makers.source_facts import CHECKOUT, product_files, tracked_files, tree_of

MOST_LINES = 400
VAGUE_NAMES = {"utils", "util", "helpers", "common", "base", "misc"}
# The doors at which whatever no class foresaw is logged and told: worker loop, command line, Slicer slot.
DOORS = ("MedSegAILib/cli/app.py", "MedSegAILib/worker/", "MedSegAI/MedSegAISlicer/")
BROAD_EXCEPTS_AT_MOST = 3

every_product_file = pytest.mark.parametrize("path", product_files(), ids=str)
python_files = [path for path in tracked_files() if path.suffix == ".py"]


@pytest.mark.parametrize("path", python_files, ids=str)
def test_file_is_read_in_one_sitting(path):
    assert len((CHECKOUT / path).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", python_files, ids=str)
def test_file_says_by_its_name_what_it_is(path):
    assert path.stem not in VAGUE_NAMES


@every_product_file
def test_product_does_not_print_or_assert(path):
    shell = path.parts[:2] == ("MedSegAILib", "cli") or path.parts[0] == "training"
    for node in ast.walk(tree_of(path)):
        assert not isinstance(node, ast.Assert), f"assert in line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert shell or node.func.id != "print", f"print in line {node.lineno}"


def test_broad_except_stands_at_the_doors_only():
    found = []
    for path in product_files():
        for node in ast.walk(tree_of(path)):
            is_broad = isinstance(node, ast.ExceptHandler) and (
                node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
            )
            # Cleaning up and raising again swallows nothing.
            if is_broad and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None):
                found.append(f"{path.as_posix()}:{node.lineno}")
    assert len(found) <= BROAD_EXCEPTS_AT_MOST, found
    assert all(place.startswith(DOORS) for place in found), found


@every_product_file
def test_every_public_thing_is_documented(path):
    tree = tree_of(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in tree.body:
        is_public_class = isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for thing in [node, *(node.body if is_public_class else [])]:
            if isinstance(thing, (ast.ClassDef, ast.FunctionDef)) and not thing.name.startswith("_"):
                is_overload = isinstance(thing, ast.FunctionDef) and any(
                    ast.unparse(decorator).endswith((".setter", "overload")) for decorator in thing.decorator_list
                )
                assert is_overload or ast.get_docstring(thing), f"{thing.name} has no docstring"
