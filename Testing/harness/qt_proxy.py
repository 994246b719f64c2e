"""``qt`` and ``ctk`` over PySide6, as strict as PythonQt or stricter.

Qt properties are attributes (``label.text``), everything else is refused unless the contract lists it: unknown names,
keyword arguments, scoped enums, signals of a wrong signature. What a slot raises is kept and fails the test.
"""

# ruff: noqa: N806 - the names are Slicer's

from __future__ import annotations

import inspect
import sys
import traceback
import types
import weakref
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QMetaObject, QObject

from . import contract, widgets

_SOURCES = (QtCore, QtGui, QtWidgets)
_proxies: weakref.WeakValueDictionary[int, Proxy] = weakref.WeakValueDictionary()
# Object (weak, since a connection keeps no object alive), signature, slot, what is really connected.
_connections: list[tuple[weakref.ref[QObject], str, Callable[..., Any], Callable[..., Any]]] = []
FAILURES: list[str] = []


class RefusedError(AttributeError):
    """The module used something that the contract does not list, or that Slicer does not have."""


def raw(value: Any) -> Any:
    """Give the Qt object behind a proxy; lists are taken apart, other values pass."""
    if isinstance(value, Proxy):
        return object.__getattribute__(value, "_raw")
    return [raw(entry) for entry in value] if isinstance(value, list | tuple) else value


def wrap(value: Any) -> Any:
    """Give the proxy of a Qt object; the same object has the same proxy while the proxy lives."""
    if isinstance(value, list | tuple):
        return [wrap(entry) for entry in value]
    if not isinstance(value, QObject | QtWidgets.QTableWidgetItem | QtGui.QStandardItem | QtGui.QColor | QtGui.QIcon):
        return value
    known = _proxies.get(id(value))
    if known is None or raw(known) is not value:
        known = Proxy(value)
        _proxies[id(value)] = known
    return known


class Proxy:
    """A Qt object as PythonQt shows it."""

    __slots__ = ("__weakref__", "_names", "_raw")

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_raw", value)
        classNames = [cls.__name__ for cls in type(value).__mro__]
        object.__setattr__(self, "_names", contract.namesOf(classNames))

    def __repr__(self) -> str:
        return f"<{type(raw(self)).__name__} as PythonQt shows it>"

    def __bool__(self) -> bool:
        return bool(shiboken6.isValid(raw(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxy) and raw(other) is raw(self)

    def __hash__(self) -> int:
        return hash(id(raw(self)))

    def __getattr__(self, name: str) -> Any:
        target, names = raw(self), object.__getattribute__(self, "_names")
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("connect", "disconnect") and isinstance(target, QObject):
            return (_connect if name == "connect" else _disconnect)(target, names)
        if name in names.properties:
            return wrap(target.property("objectName" if name == "name" else name))
        if name in names.methods:
            return _strictMethod(getattr(target, name))
        raise RefusedError(f"{type(target).__name__}.{name} is not in the contract")

    def __setattr__(self, name: str, value: Any) -> None:
        target, names = raw(self), object.__getattribute__(self, "_names")
        if name not in names.properties:
            raise RefusedError(f"{type(target).__name__}.{name} cannot be set: it is no property in the contract")
        if not target.setProperty("objectName" if name == "name" else name, raw(value)):
            raise TypeError(f"{type(target).__name__}.{name} does not take {value!r}")


def _strictMethod(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:  # no keyword arguments: PythonQt has none
        return wrap(method(*(raw(argument) for argument in arguments)))

    return call


def _declared(slot: Callable[..., Any]) -> int:
    """Give how many arguments PythonQt hands over at most; -1 for all (PythonQtSignalReceiver.cpp)."""
    if isinstance(slot, types.MethodType):
        code, bound = slot.__func__.__code__, 1
    elif isinstance(slot, types.FunctionType):
        code, bound = slot.__code__, 0
    else:
        return -1
    return -1 if code.co_flags & inspect.CO_VARARGS else code.co_argcount - bound


def _signalOf(target: QObject, names: contract.Names, signature: str) -> Any:
    if signature not in names.signals:
        raise RefusedError(f"{type(target).__name__} has no signal {signature!r} in the contract")
    own = getattr(type(target), "SIGNALS", {})
    if signature in own:
        return getattr(target, own[signature])
    normalized = QMetaObject.normalizedSignature(signature).data().decode()
    if normalized != signature or target.metaObject().indexOfSignal(signature) < 0:
        raise RefusedError(f"{type(target).__name__} has no signal {signature!r}")
    signal = getattr(target, signature.split("(")[0])
    return signal[bool] if signature.endswith("(bool)") else signal


def _connect(target: QObject, names: contract.Names) -> Callable[..., bool]:
    def connect(signature: str, slot: Callable[..., Any]) -> bool:
        if not callable(slot):
            raise TypeError(f"{slot!r} cannot be called")
        signal = _signalOf(target, names, signature)
        inside = signature[signature.index("(") + 1 : -1]
        sent = len(inside.split(",")) if inside else 0
        declared = _declared(slot)

        def deliver(*arguments: Any) -> None:
            count = sent if declared < 0 else min(sent, declared)
            try:
                slot(*(wrap(argument) for argument in arguments[:count]))
            except BaseException:
                FAILURES.append(traceback.format_exc())

        signal.connect(deliver)
        _connections.append((weakref.ref(target), signature, slot, deliver))
        return True

    return connect


def _disconnect(target: QObject, names: contract.Names) -> Callable[..., bool]:
    def disconnect(signature: str, slot: Callable[..., Any]) -> bool:
        for entry in _connections:
            if entry[0]() is target and entry[1] == signature and entry[2] == slot:
                _connections.remove(entry)
                _signalOf(target, names, signature).disconnect(entry[3])
                return True
        raise RefusedError(f"{signature} of {type(target).__name__} was never connected to {slot!r}")

    return disconnect


def connectionCount() -> int:
    """Give how many connections of living objects there are."""
    return sum(1 for target, *_ in _connections if target() is not None and shiboken6.isValid(target()))


def forgetConnections() -> None:
    """Start the count anew."""
    _connections.clear()


class ClassProxy:
    """A class of ``qt``: makes objects, has unscoped enumerators and a few static methods."""

    def __init__(self, cls: Any, allowed: frozenset[str]) -> None:
        self._cls, self._allowed = cls, allowed

    def __call__(self, *arguments: Any) -> Any:
        made = self._cls(*(raw(argument) for argument in arguments))
        return made if isinstance(made, Proxy) else wrap(made) if not _isLoader(made) else made

    def __getattr__(self, name: str) -> Any:
        if name not in self._allowed:
            raise RefusedError(f"qt.{self._cls.__name__}.{name} is not in the contract")
        if name == "singleShot":
            return _singleShot
        for scope in vars(self._cls).values():
            members = getattr(scope, "__members__", {})
            if name in members:
                return members[name]
        return getattr(self._cls, name)


def _isLoader(value: Any) -> bool:
    return type(value).__name__ == "Loader"


def _singleShot(milliseconds: int, slot: Callable[..., Any]) -> None:
    def deliver() -> None:
        try:
            slot()
        except BaseException:
            FAILURES.append(traceback.format_exc())

    QtCore.QTimer.singleShot(milliseconds, deliver)


class StrictModule(types.ModuleType):
    """``qt`` or ``ctk``: only the classes of the contract."""

    def __init__(self, name: str, classes: dict[str, Any], allowed: dict[str, frozenset[str]]) -> None:
        super().__init__(name)
        self.__dict__["_found"] = {key: ClassProxy(classes[key], allowed[key]) for key in allowed}

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_found"]:
            return self.__dict__["_found"][name]
        # A dunder must raise plainly: shiboken asks modules for some and ends the process otherwise.
        raise (AttributeError if name.startswith("__") else RefusedError)(
            f"{self.__name__}.{name} is not in the contract"
        )


def install() -> None:
    """Put the two modules where ``import qt`` and ``import ctk`` find them."""
    from .ui_loader import Loader

    found = {name: getattr(source, name) for name in contract.QT for source in _SOURCES if hasattr(source, name)}
    sys.modules["qt"] = StrictModule("qt", {**found, "QUiLoader": Loader}, contract.QT)
    sys.modules["ctk"] = StrictModule("ctk", widgets.CUSTOM, contract.CTK)
