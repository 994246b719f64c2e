"""The keys of the panel and of the browser viewer: one table, so that a hand need not learn twice. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Iterable

from slicer.i18n import tr as _

KEYS = {
    "nextPlace": "N",
    "previousPlace": "Shift+N",
    "accept": "Shift+A",
    "reject": "Shift+R",
    "sideBySide": "Shift+S",
    "include": "I",
    "exclude": "X",
    "applyPreview": "Shift+I",
    "discardPreview": "Shift+X",
    "undo": "Ctrl+Z",
    "redo": "Ctrl+Y",
    "keys": "?",
}


def keyWords() -> dict[str, str]:
    """Say what each key does, by the names of ``KEYS``."""
    return {
        "nextPlace": _("next place to look at"),
        "previousPlace": _("previous place"),
        "accept": _("accept the region"),
        "reject": _("reject the region"),
        "sideBySide": _("all sequences side by side"),
        "include": _("the region is here"),
        "exclude": _("the region is not here"),
        "applyPreview": _("apply the preview"),
        "discardPreview": _("discard the preview"),
        "undo": _("undo"),
        "redo": _("redo"),
        "keys": _("show these keys"),
    }


def keyList(names: Iterable[str] = tuple(KEYS)) -> list[tuple[str, str]]:
    """Give keys and what they do, in the order of the table."""
    wanted, words = set(names), keyWords()
    return [(key, words[name]) for name, key in KEYS.items() if name in wanted]
