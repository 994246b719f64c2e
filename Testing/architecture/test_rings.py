"""The rings hold, told by import-linter on pyproject.toml; indirect chains count."""

import os
import subprocess
import sys

import pytest

from Testing.makers.source_facts import CHECKOUT, product_files, tree_of

LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"


def test_rings_hold():
    done = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": "MedSegAI", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [p for p in product_files() if p.parts[0] == "MedSegAI"], ids=str)
def test_slicer_side_names_no_heavy_library(path):
    import ast

    heavy = {"torch", "openvino", "monai", "SimpleITK", "scipy", "pydicom", "matplotlib", "highdicom", "training"}
    for node in ast.walk(tree_of(path)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not heavy & {name.split(".")[0] for name in names}


def test_exactly_one_module_file_lies_where_slicer_looks():
    files = [path.name for path in product_files() if path.parts[0] == "MedSegAI" and len(path.parts) == 2]
    assert files == ["MedSegAI.py"]
