"""Widgets of Slicer and CTK that the module uses, modelled on PySide6 after their sources.

Modelled with their traps: a node selector sends its signal only when the *text* changes (two nodes of one name send
none), and when its node is removed it shows the neighbor, as QComboBox does.
"""

# ruff: noqa: N806, N815 - the names are Slicer's

from __future__ import annotations

import ctypes
from typing import Any, ClassVar

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

# PySide6 6.12 gives back True from ``emit`` without counting the reference (None likewise elsewhere). Before Python
# 3.12 made them immortal, the count reaches 0 after some signals and the process ends; these are never given back.
_BALLAST = [True, False, None] * 300_000
ctypes.pythonapi.Py_IncRef(ctypes.py_object(_BALLAST))


class qMRMLWidget(QtWidgets.QWidget):  # noqa: N801
    """Base of panels that know the scene. Source: Libs/MRML/Widgets/qMRMLWidget.h."""

    mrmlSceneChanged = Signal(object)
    SIGNALS: ClassVar[dict[str, str]] = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}
    SLOTS: ClassVar[dict[str, str]] = {"setMRMLScene(vtkMRMLScene*)": "setMRMLScene"}

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


class ctkCollapsibleButton(QtWidgets.QWidget):  # noqa: N801
    """A titled box that folds. Source: Libs/Widgets/ctkCollapsibleButton.h of CTK (a button there)."""

    HEADER = 24
    contentsCollapsed = Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._text, self._isCollapsed = "", False
        self.setContentsMargins(0, self.HEADER, 0, 0)

    def _getText(self) -> str:
        return self._text

    def _setText(self, text: str) -> None:
        self._text = text
        self.update()

    def _getCollapsed(self) -> bool:
        return self._isCollapsed

    def _setCollapsed(self, isCollapsed: bool) -> None:
        self._isCollapsed = isCollapsed
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(not isCollapsed)
        self.contentsCollapsed.emit(isCollapsed)

    text = Property(str, _getText, _setText)
    collapsed = Property(bool, _getCollapsed, _setCollapsed)

    def paintEvent(self, _event: Any) -> None:
        painter = QtGui.QPainter(self)
        box = QtCore.QRect(0, 0, self.width(), self.HEADER)
        painter.fillRect(box, self.palette().button())
        painter.setPen(self.palette().mid().color())
        painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.setPen(self.palette().buttonText().color())
        arrow = "\u25b8" if self._isCollapsed else "\u25be"
        painter.drawText(box.adjusted(8, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{arrow}  {self._text}")
        painter.end()


class ctkDirectoryButton(QtWidgets.QWidget):  # noqa: N801
    """A button that shows a folder and opens a dialog. Source: Libs/Widgets/ctkDirectoryButton.h of CTK."""

    directoryChanged = Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._directory = QtCore.QDir.currentPath()
        self.button = QtWidgets.QPushButton(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        self._draw()

    def _getDirectory(self) -> str:
        return self._directory

    def _setDirectory(self, path: str) -> None:
        if path != self._directory:
            self._directory = path
            self._draw()
            self.directoryChanged.emit(path)

    def _draw(self) -> None:
        self.button.setText(QtCore.QDir(self._directory).dirName())

    directory = Property(str, _getDirectory, _setDirectory)


class qMRMLNodeComboBox(QtWidgets.QWidget):  # noqa: N801
    """A list of nodes of some types. Source: Libs/MRML/Widgets/qMRMLNodeComboBox.h and .cxx."""

    nodeChanged = Signal(object)
    validityChanged = Signal(bool)
    activated = Signal(object)
    aboutToBeRemoved = Signal(object)
    SIGNALS: ClassVar[dict[str, str]] = {
        "currentNodeChanged(vtkMRMLNode*)": "nodeChanged",
        "currentNodeChanged(bool)": "validityChanged",
        "nodeActivated(vtkMRMLNode*)": "activated",
        "nodeAboutToBeRemoved(vtkMRMLNode*)": "aboutToBeRemoved",
    }
    SLOTS: ClassVar[dict[str, str]] = {"setMRMLScene(vtkMRMLScene*)": "setMRMLScene"}

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._values = {
            "nodeTypes": [],
            "showChildNodeTypes": True,
            "noneEnabled": False,
            "addEnabled": True,
            "removeEnabled": True,
        }
        self._scene, self._tags, self._ids, self._renameTags = None, [], [], {}
        self.box = QtWidgets.QComboBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        self.box.currentTextChanged.connect(self._textChanged)
        self.setEnabled(False)

    def _property(name: str, kind: Any) -> Any:  # noqa: N805 - builds the Qt properties below
        def read(self: Any) -> Any:
            return self._values[name]

        def write(self: Any, value: Any) -> None:
            self._values[name] = [entry for entry in value if entry] if kind == "QStringList" else value
            self._rebuild()

        return Property(kind, read, write)

    nodeTypes = _property("nodeTypes", "QStringList")
    showChildNodeTypes = _property("showChildNodeTypes", bool)
    noneEnabled = _property("noneEnabled", bool)
    addEnabled = _property("addEnabled", bool)
    removeEnabled = _property("removeEnabled", bool)

    def _getCurrentNodeId(self) -> str:
        node = self.currentNode()
        return node.GetID() if node is not None else ""

    def setCurrentNodeID(self, nodeId: str) -> None:
        if nodeId in self._ids:
            self.box.setCurrentIndex(self._ids.index(nodeId))
        else:
            self.box.setCurrentIndex(0 if self._values["noneEnabled"] else -1)

    currentNodeID = Property(str, _getCurrentNodeId, setCurrentNodeID)

    # Methods of the real one.

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        if scene is not None:
            events = slicer.vtkMRMLScene
            self._tags = [
                scene.AddObserver(events.NodeAddedEvent, self._nodeAdded),
                scene.AddObserver(events.NodeAboutToBeRemovedEvent, self._nodeAboutToBeRemoved),
                scene.AddObserver(events.EndCloseEvent, self._sceneClosed),
            ]
        self._rebuild()
        self.setEnabled(scene is not None)

    def currentNode(self) -> Any:
        index = self.box.currentIndex()
        nodeId = self._ids[index] if 0 <= index < len(self._ids) else ""
        return self._scene.GetNodeByID(nodeId) if self._scene is not None and nodeId else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def nodeCount(self) -> int:
        return sum(1 for nodeId in self._ids if nodeId)

    # What a person does; for tests.

    def chooseByHand(self, name: str) -> None:
        """Open the list and pick the entry of that name, as a mouse does; "None" for no node."""
        names = [self.box.itemText(index) for index in range(self.box.count())]
        if not self.isEnabled() or name not in names:
            raise AssertionError(
                f"{self.objectName()} does not offer {name!r}, but {names} (enabled: {self.isEnabled()})"
            )
        self.box.setCurrentIndex(names.index(name))
        self.activated.emit(self.currentNode())

    # The model behind it.

    def _shows(self, node: Any) -> bool:
        if node.GetHideFromEditors():
            return False
        types = self._values["nodeTypes"]
        isChildShown = self._values["showChildNodeTypes"]
        return any(node.IsA(kind) if isChildShown else node.GetClassName() == kind for kind in types)

    def _rebuild(self) -> None:
        before = self._getCurrentNodeId()
        self.box.blockSignals(True)
        self.box.clear()
        self._ids = []
        if self._values["noneEnabled"]:
            self._append("None", "")
        for index in range(self._scene.GetNumberOfNodes() if self._scene is not None else 0):
            node = self._scene.GetNthNode(index)
            if self._shows(node):
                self._append(node.GetName() or "", node.GetID())
        self.setCurrentNodeID(before)
        self.box.blockSignals(False)

    def _append(self, name: str, nodeId: str) -> None:
        self._ids.append(nodeId)
        self.box.addItem(name)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _nodeAdded(self, _scene: Any, _event: str, node: Any) -> None:
        if self._shows(node):
            self._append(node.GetName() or "", node.GetID())
            self._renameTags[node.GetID()] = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._nodeModified)

    def _nodeModified(self, node: Any, _event: str) -> None:
        if node.GetID() in self._ids:
            self.box.setItemText(self._ids.index(node.GetID()), node.GetName() or "")

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _nodeAboutToBeRemoved(self, _scene: Any, _event: str, node: Any) -> None:
        if node.GetID() in self._ids:
            self.aboutToBeRemoved.emit(node)
            if node.GetID() in self._renameTags:
                node.RemoveObserver(self._renameTags.pop(node.GetID()))
            index = self._ids.index(node.GetID())
            del self._ids[index]
            self.box.removeItem(index)  # QComboBox now shows the neighbor

    def _sceneClosed(self, _scene: Any, _event: str) -> None:
        self._rebuild()
        self._textChanged()

    def _textChanged(self, _text: str = "") -> None:
        node = self.currentNode()
        self.nodeChanged.emit(node)
        self.validityChanged.emit(node is not None)


CUSTOM = {cls.__name__: cls for cls in (qMRMLWidget, qMRMLNodeComboBox, ctkCollapsibleButton, ctkDirectoryButton)}
