"""Loads a .ui file as Slicer does, but fails where Qt only prints a warning.

Unknown classes, unknown properties, scoped enums and connections without an existing signal or slot are errors.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from . import contract
from .widgets import CUSTOM


class Loader:
    """``qt.QUiLoader``: only ``load`` is there."""

    def load(self, file: Any) -> Any:
        """Load an opened ``qt.QFile`` and give the root widget."""
        from .qt_proxy import raw, wrap

        tree = ElementTree.fromstring(bytes(raw(file).readAll().data()))
        connections = tree.find("connections")
        _checkNames(tree)
        if connections is not None:
            tree.remove(connections)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(tree))
        buffer.open(QtCore.QBuffer.OpenModeFlag.ReadOnly)
        root = _Loader().load(buffer)
        if root is None:
            raise AssertionError("Qt could not load the .ui file")
        _checkProperties(tree, root)
        for connection in connections if connections is not None else ():
            _connect(root, connection)
        return wrap(root)


class _Loader(QtUiTools.QUiLoader):
    def createWidget(self, className: str, parent: Any = None, name: str = "") -> Any:
        if className in CUSTOM:
            widget = CUSTOM[className](parent)
            widget.setObjectName(name)
            return widget
        return super().createWidget(className, parent, name)


def _checkNames(tree: ElementTree.Element) -> None:
    names = [widget.get("name") for widget in tree.iter("widget")]
    if len(set(names)) != len(names):
        raise AssertionError(f"Names occur twice in the .ui file: {names}")
    unknown = {str(widget.get("class")) for widget in tree.iter("widget")} - contract.UI_CLASSES
    if unknown:
        raise AssertionError(f"Classes that are not in the contract: {unknown}")
    for kind in ("enum", "set"):
        for value in tree.iter(kind):
            if any(part.count("::") != 1 for part in (value.text or "").split("|")):
                raise AssertionError(f"Qt 5 does not know the scoped enumerator {value.text}")


def _checkProperties(tree: ElementTree.Element, root: Any) -> None:
    for widget in tree.iter("widget"):
        found = _child(root, widget.get("name"))
        for entry in widget.findall("property"):
            if found.metaObject().indexOfProperty(str(entry.get("name"))) < 0:
                raise AssertionError(f"{widget.get('class')} has no property {entry.get('name')}")


def _child(root: Any, name: str | None) -> Any:
    found = root if root.objectName() == name else root.findChild(QtWidgets.QWidget, name)
    if found is None:
        raise AssertionError(f"There is no widget {name!r} in the .ui file")
    return found


def _connect(root: Any, connection: ElementTree.Element) -> None:
    sender, receiver = _child(root, connection.findtext("sender")), _child(root, connection.findtext("receiver"))
    signal, slot = str(connection.findtext("signal")), str(connection.findtext("slot"))
    if signal not in getattr(sender, "SIGNALS", {}) or slot not in getattr(receiver, "SLOTS", {}):
        raise AssertionError(f"No such connection: {sender.objectName()}.{signal} -> {receiver.objectName()}.{slot}")
    getattr(sender, sender.SIGNALS[signal]).connect(getattr(receiver, receiver.SLOTS[slot]))
