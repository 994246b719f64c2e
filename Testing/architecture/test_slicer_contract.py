"""The text of the module uses only names of ``qt``, ``ctk`` and ``slicer`` that were looked up in Slicer's sources."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from Testing.harness import contract

MODULE = Path(__file__).resolve().parents[2] / "MedSegAI"
FILES = sorted(MODULE.rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(MODULE).as_posix())


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def chains(tree):
    """Every dotted name, longest first seen: ["qt", "Qt", "AlignRight"]."""
    inner = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node not in inner:
            parts, part = [], node
            while isinstance(part, ast.Attribute):
                parts.append(part.attr)
                part = part.value
                inner.add(part)
            if isinstance(part, ast.Name):
                yield [part.id, *reversed(parts)]


def violations(tree):
    found = []
    for first, *rest in chains(tree):
        if first in ("qt", "ctk"):
            table = contract.QT if first == "qt" else contract.CTK
            allowed = len(rest) <= 2 and rest[0] in table and (len(rest) == 1 or rest[1] in table[rest[0]])
        elif first == "slicer":
            allowed = rest[0] in contract.SLICER and (
                rest[0] != "util" or len(rest) == 1 or rest[1] in contract.SLICER_UTIL
            )
        else:
            continue
        if not allowed:
            found.append(".".join([first, *rest]))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("qt", "ctk", "slicer"):
            names = contract.SLICER_IMPORTS.get(node.module, frozenset())
            found += [f"{node.module}.{alias.name}" for alias in node.names if alias.name not in names]
    return found


@every_file
def test_only_names_of_the_contract_are_used(path):
    assert violations(tree_of(path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "qt.QMessageBox.information(None, 'a', 'b')",
        "qt.Qt.AlignmentFlag.AlignRight",
        "qt.Signal()",
        "slicer.app.processEvents2()\nslicer.cli.run()",
        "slicer.util.pip_install('torch')",
        "from slicer.parameterNodeWrapper import parameterNodeWrapper",
        "from qt import QTimer",
    ],
)
def test_the_check_itself_finds_what_is_not_in_the_contract(line):
    assert violations(ast.parse(line))


@every_file
def test_no_package_is_installed_and_nothing_waits_for_the_user(path):
    text = path.read_text(encoding="utf-8")
    for word in ("pip_install", "processEvents", "QMessageBox", "confirmYesNo", "confirmOkCancel", ".exec("):
        assert word not in text


@every_file
def test_translatable_texts_are_plain_so_that_a_translator_finds_them(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "translate"):
            assert all(isinstance(a, ast.Constant) and isinstance(a.value, str) for a in node.args), ast.unparse(node)


def texts_set(tree):
    """Assignments of a literal text to a property that people read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value:
            properties = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
            if properties & {"text", "toolTip", "format"}:
                yield ast.unparse(node)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name == "gui"], ids=lambda path: path.name)
def test_no_widget_gets_a_text_that_passes_the_translator_by(path):
    assert list(texts_set(tree_of(path))) == []


def test_names_of_slicer_core_in_the_contract_really_exist():
    import slicer
    import slicer.util

    absent = {"mrmlScene", "modules", "app", "qMRMLSegmentEditorWidget"}  # the application's
    assert [name for name in contract.SLICER - absent if not hasattr(slicer, name)] == []
    assert [name for name in contract.SLICER_UTIL if not hasattr(slicer.util, name)] == []


def test_every_widget_of_the_ui_file_is_in_the_contract_and_every_selector_hears_the_scene():
    tree = ElementTree.parse(MODULE / "Resources" / "UI" / "MedSegAI.ui").getroot()
    assert {widget.get("class") for widget in tree.iter("widget")} <= contract.UI_CLASSES
    selectors = {w.get("name") for w in tree.iter("widget") if w.get("class") == "qMRMLNodeComboBox"}
    connected = {c.findtext("receiver") for c in tree.iter("connection")}
    assert selectors == connected == {f"{role}Selector" for role in ("T1", "T1ce", "T2", "FLAIR")}


def test_the_door_is_small():
    assert len((MODULE / "MedSegAI.py").read_text(encoding="utf-8").splitlines()) <= 120
