"""What the module may use of ``qt``, ``ctk`` and ``slicer``: every name here was looked up in the public sources.

The strict proxies refuse everything else at run time, and ``Testing/panel/test_contract.py`` refuses it in the text of
the module. Sources: Qt 5.15 and 6 property tables (PythonQt shows properties as attributes), qMRMLNodeComboBox.h and
.cxx, qMRMLWidget.h, ctkCollapsibleButton.h, ctkDirectoryButton.h, Base/Python/slicer/util.py, i18n.py,
ScriptedLoadableModule.py, PythonQtSignalReceiver.cpp (how many arguments a callable gets). Shortcuts: SegmentEditor.py
and the script repository (a QShortcut on the main window). Methods of QTableWidget and its items are no properties,
so they are called. MRML: vtkMRMLSliceNode.h (JumpAllSlices), vtkMRMLCrosshairNode.h (SetCrosshairRAS),
vtkSegmentation.h (events), vtkSlicerSegmentationsModuleLogic.h (SegmentStatus, ClearSegment),
vtkMRMLSegmentationNode.h (reference role).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Allowed names of one class; those of its base classes are added."""

    properties: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    signals: frozenset[str] = frozenset()


def _names(properties: str = "", methods: str = "", signals: tuple[str, ...] = ()) -> Names:
    return Names(frozenset(properties.split()), frozenset(methods.split()), frozenset(signals))


# By class; a class takes the names of every base class that is listed too.
CLASSES: dict[str, Names] = {
    "QObject": _names("name", "children deleteLater blockSignals"),
    "QWidget": _names("enabled visible toolTip", "layout setLayout show"),
    "QLabel": _names("text wordWrap"),
    "QAbstractButton": _names("text", signals=("clicked()", "clicked(bool)")),
    "QComboBox": _names(
        "currentIndex currentText count",
        "addItem clear findData itemData setCurrentIndex setItemText setItemData model",
        ("currentIndexChanged(int)",),
    ),
    "QStandardItemModel": _names("", "item"),
    "QStandardItem": _names("", "setEnabled"),
    "QProgressBar": _names("minimum maximum value format"),
    "QLineEdit": _names("text placeholderText", "", ("editingFinished()",)),
    "QTableWidget": _names(
        "rowCount columnCount",
        "setHorizontalHeaderLabels horizontalHeader verticalHeader setItem currentRow selectRow",
        ("itemChanged(QTableWidgetItem*)", "itemSelectionChanged()"),
    ),
    "QHeaderView": _names("", "setSectionResizeMode"),
    "QTableWidgetItem": _names(
        "", "setData setTextAlignment setToolTip text setFlags setCheckState checkState row column"
    ),
    "QShortcut": _names("", "setKey", ("activated()",)),
    "QLayout": _names("", "addWidget"),
    "QTimer": _names("active", "setInterval start stop", ("timeout()",)),
    "QFile": _names("", "exists open"),
    "QColor": _names(),
    "QIcon": _names(),
    "Loader": _names("", "load"),
    # Slicer's and CTK's own, modelled in ``widgets.py``.
    "qMRMLWidget": _names("", "setMRMLScene mrmlScene", ("mrmlSceneChanged(vtkMRMLScene*)",)),
    "qMRMLNodeComboBox": _names(
        "nodeTypes showChildNodeTypes noneEnabled addEnabled removeEnabled currentNodeID",
        "setMRMLScene mrmlScene currentNode setCurrentNode setCurrentNodeID nodeCount",
        (
            "currentNodeChanged(vtkMRMLNode*)",
            "currentNodeChanged(bool)",
            "nodeActivated(vtkMRMLNode*)",
            "nodeAboutToBeRemoved(vtkMRMLNode*)",
        ),
    ),
    "ctkCollapsibleButton": _names("text collapsed", "", ("contentsCollapsed(bool)",)),
    # qMRMLSegmentEditorWidget.h; its class stands behind ``slicer.`` in the desktop only.
    "qMRMLSegmentEditorWidget": _names(
        "segmentationNodeSelectorVisible sourceVolumeNodeSelectorVisible undoEnabled",
        "setMRMLScene setMRMLSegmentEditorNode setSegmentationNode setSourceVolumeNode setCurrentSegmentID"
        " setActiveEffect setupViewObservations removeViewObservations",
    ),
    "ctkDirectoryButton": _names("directory", "", ("directoryChanged(QString)",)),
}

# Names that may stand behind ``qt.`` and ``ctk.``: classes, and their unscoped enumerators and static methods.
QT: dict[str, frozenset[str]] = {
    "Qt": frozenset({"DecorationRole", "AlignRight", "AlignVCenter", "Checked", "Unchecked", "ToolTipRole"})
    | {"ItemIsEnabled", "ItemIsSelectable", "ItemIsUserCheckable"},
    "QShortcut": frozenset(),
    "QKeySequence": frozenset(),
    "QHeaderView": frozenset({"Stretch", "ResizeToContents"}),
    "QTimer": frozenset({"singleShot"}),
    "QApplication": frozenset({"clipboard"}),
    "QColor": frozenset(),
    "QTableWidgetItem": frozenset(),
    "QVBoxLayout": frozenset(),
    "QIcon": frozenset(),
    # slicer.util.loadUI and errorDisplay
    "QFile": frozenset({"ReadOnly"}),
    "QUiLoader": frozenset(),
}
CTK: dict[str, frozenset[str]] = {"ctkCollapsibleButton": frozenset()}

# Names that may stand behind ``slicer.``; those that slicer-core has are checked against it as well.
SLICER = frozenset(
    {
        "mrmlScene",
        "modules",
        "app",
        "util",
        "qMRMLSegmentEditorWidget",
        "vtkMRMLInteractionNode",
        "vtkMRMLLabelMapVolumeNode",
        "vtkMRMLScene",
        "vtkMRMLSegmentEditorNode",
        "vtkMRMLSegmentationNode",
        "vtkMRMLSegmentationStorageNode",
        "vtkMRMLSliceNode",
        "vtkMRMLSubjectHierarchyNode",
        "vtkMRMLTransformNode",
        "vtkMRMLVolumeArchetypeStorageNode",
        "vtkOrientedImageData",
        "vtkOrientedImageDataResample",
        "vtkSegment",
        "vtkSegmentation",
        "vtkSegmentationConverter",
        "vtkSlicerSegmentationsModuleLogic",
    }
)
SLICER_UTIL = frozenset(
    {
        "VTKObservationMixin",
        "arrayFromVTKMatrix",
        "arrayFromVolume",
        "childWidgetVariables",
        "errorDisplay",
        "getNodes",
        "getNodesByClass",
        "loadUI",
        "mainWindow",
        "updateVolumeFromArray",
        "vtkMatrixFromArray",
    }
)
SLICER_IMPORTS = {
    "slicer.i18n": frozenset({"tr", "translate"}),
    "slicer.util": SLICER_UTIL,
    "slicer.ScriptedLoadableModule": frozenset(
        {
            "ScriptedLoadableModule",
            "ScriptedLoadableModuleLogic",
            "ScriptedLoadableModuleTest",
            "ScriptedLoadableModuleWidget",
        }
    ),
}
# Classes that may stand in a .ui file.
UI_CLASSES = frozenset(
    {"QComboBox", "QLabel", "QLineEdit", "QProgressBar", "QPushButton", "QTableWidget"}
    | {"qMRMLWidget", "qMRMLNodeComboBox", "ctkCollapsibleButton", "ctkDirectoryButton"}
)
# What a scripted module may set on its parent (qSlicerScriptedLoadableModule.h).
MODULE_PROPERTIES = frozenset(
    [
        "title",
        "categories",
        "dependencies",
        "contributors",
        "helpText",
        "acknowledgementText",
        "icon",
        "hidden",
        "associatedNodeTypes",
    ]
)


def namesOf(classNames: list[str]) -> Names:
    """Give the names of a class from the names of it and its bases."""
    known = [CLASSES[name] for name in classNames if name in CLASSES]
    return Names(
        frozenset().union(*(names.properties for names in known)),
        frozenset().union(*(names.methods for names in known)),
        frozenset().union(*(names.signals for names in known)),
    )
