"""The stand-in refuses what Slicer refuses, and what Slicer would let pass in silence."""

from __future__ import annotations

import pytest

from MedSegAILib.core.errors import UsageError


@pytest.fixture
def qt(desktop):
    import qt as module

    return module


@pytest.fixture
def label(desktop):
    return desktop.widget.panel.ui.statusLabel


@pytest.fixture
def button(desktop):
    return desktop.widget.panel.ui.segmentButton


def test_a_property_is_a_value_and_not_a_method(label):
    label.text = "hello"
    assert label.text == "hello"
    with pytest.raises(TypeError):
        label.text()
    assert label.name == "statusLabel"


@pytest.mark.parametrize("name", ["txet", "setText", "hide", "objectName", "show_text"])
def test_an_unknown_name_can_neither_be_read_nor_set(label, name):
    with pytest.raises(AttributeError, match="contract"):
        getattr(label, name)
    with pytest.raises(AttributeError, match="contract"):
        setattr(label, name, 1)


def test_a_property_takes_no_value_of_another_kind(desktop):
    with pytest.raises(TypeError):
        desktop.widget.panel.ui.progressBar.value = "much"


def test_methods_take_no_keyword_arguments(desktop):
    with pytest.raises(TypeError):
        desktop.widget.panel.ui.presetComboBox.addItem(text="x")


@pytest.mark.parametrize("signal", ["clicked", "clicked(int)", "pressed()", "clicked( bool )", "timeout()"])
def test_a_wrong_signal_is_refused_where_slicer_only_prints(button, signal):
    with pytest.raises(AttributeError):
        button.connect(signal, print)


def test_what_was_never_connected_cannot_be_disconnected(button):
    with pytest.raises(AttributeError, match="never connected"):
        button.disconnect("clicked()", print)


@pytest.mark.parametrize("name", ["QMessageBox", "Signal", "Slot", "QThread", "not_there"])
def test_only_classes_of_the_contract_exist(qt, name):
    with pytest.raises(AttributeError, match="contract"):
        getattr(qt, name)


def test_enumerators_are_unscoped(qt):
    assert qt.Qt.AlignRight is not None
    with pytest.raises(AttributeError):
        _ = qt.Qt.AlignmentFlag


def test_a_slot_gets_as_many_arguments_as_it_declares(desktop, button):
    heard = []

    def one(isChecked):
        heard.append(isChecked)

    def none():
        heard.append("none")

    button.connect("clicked(bool)", one)
    button.connect("clicked(bool)", none)
    desktop.find("segmentButton").setEnabled(True)
    desktop.find("segmentButton").click()
    assert heard == [False, "none"]
    button.disconnect("clicked(bool)", one)
    button.disconnect("clicked(bool)", none)


def test_a_default_argument_counts_as_declared_and_swallows_the_node(desktop):
    """The trap of ``lambda role=role: ...``: PythonQt hands the node over as the role."""
    heard = []

    def trapped(role="T1"):
        heard.append(role)

    selector = desktop.widget.panel.ui.T1Selector
    selector.connect("nodeActivated(vtkMRMLNode*)", trapped)
    desktop.choose("T1", "None")
    assert heard == [None]
    selector.disconnect("nodeActivated(vtkMRMLNode*)", trapped)


def test_what_a_slot_raises_is_kept(desktop, button):
    from Testing.harness import qt_proxy

    def broken():
        raise UsageError("a", "b")

    button.connect("clicked()", broken)
    desktop.find("segmentButton").setEnabled(True)
    desktop.find("segmentButton").click()
    assert "UsageError" in qt_proxy.FAILURES.pop()
    button.disconnect("clicked()", broken)


def test_a_timer_without_a_reference_is_gone(desktop, qt):
    import gc

    heard = []
    timer = qt.QTimer()
    timer.setInterval(1)
    timer.connect("timeout()", lambda: heard.append(1))
    timer.start()
    del timer
    gc.collect()
    desktop.settle()
    assert heard == []


def test_a_modal_dialog_fails_and_never_waits(desktop):
    import slicer.util

    with pytest.raises(AssertionError, match="wait for the user"):
        slicer.util.confirmYesNoDisplay("Sure?")


def test_the_application_has_only_what_is_modelled(desktop):
    import slicer

    with pytest.raises(AttributeError, match="not modelled"):
        slicer.app.layoutManager()


def test_a_module_cannot_tell_slicer_what_slicer_does_not_ask(desktop):
    with pytest.raises(AttributeError):
        desktop.parent.titel = "x"


SCENE_SLOT = "setMRMLScene(vtkMRMLScene*)"
UI = """<ui version="4.0"><class>A</class><widget class="{cls}" name="A">
<property name="{prop}"><bool>true</bool></property></widget>{connections}</ui>"""
CONNECTION = """<connections><connection><sender>A</sender><signal>{signal}</signal>
<receiver>A</receiver><slot>{slot}</slot></connection></connections>"""


@pytest.mark.parametrize(
    ("cls", "prop", "connections", "told"),
    [
        ("QPushButton", "enabled", "", ""),
        ("QDial", "enabled", "", "not in the contract"),
        ("qMRMLNodeComboBox", "noneEnable", "", "no property"),
        (
            "qMRMLWidget",
            "enabled",
            CONNECTION.format(signal="sceneChanged()", slot=SCENE_SLOT),
            "No such",
        ),
        ("qMRMLWidget", "enabled", CONNECTION.format(signal="mrmlSceneChanged(vtkMRMLScene*)", slot="x()"), "No such"),
    ],
)
def test_a_ui_file_with_a_wrong_name_fails_where_qt_only_warns(desktop, tmp_path, cls, prop, connections, told):
    import slicer.util

    path = tmp_path / "a.ui"
    path.write_text(UI.format(cls=cls, prop=prop, connections=connections))
    if not told:
        assert slicer.util.loadUI(str(path)).enabled
        return
    with pytest.raises(AssertionError, match=told):
        slicer.util.loadUI(str(path))
