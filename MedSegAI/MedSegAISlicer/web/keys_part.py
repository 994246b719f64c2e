"""The keys of the viewer: those of the panel, heard anywhere but in fields that take text. Ring 10 (web)."""

from __future__ import annotations

import json
from collections.abc import Callable

from trame.widgets import client, html
from trame.widgets import vuetify3 as v3

from MedSegAISlicer.gui.keys import KEYS, keyList

from .look import MORE
from .parts import Parts
from .views import BESIDE

_TRIGGER = "viewer_key"
# Vuetify's lists are fields that cannot be written into: keys are heard there. The script runs again whenever the page
# is drawn anew (its layout changes); one press must stay one action.
_LISTEN = """
if (!window.medsegaiHearsKeys) window.addEventListener('keydown', (event) => {
  const at = event.target, key = event.key;
  if (at && (at.isContentEditable || (/^(INPUT|TEXTAREA)$/.test(at.tagName) && !at.readOnly))) return;
  const isLetter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const name = (event.ctrlKey || event.metaKey ? 'Ctrl+' : '') + (event.shiftKey && isLetter ? 'Shift+' : '')
    + (isLetter ? key.toUpperCase() : key);
  if (!KEYS.includes(name)) return;
  event.preventDefault();
  window.trame.trigger('TRIGGER', [name]);
});
window.medsegaiHearsKeys = true;
"""


def drawKeys(parts: Parts) -> None:
    """Listen to the keys, and draw their list, which is shown on "?"."""
    desk, state = parts.desk, parts.desk.state
    state.shows_keys = False

    def toggle() -> None:
        state.shows_keys = not state.shows_keys

    def beside() -> None:
        state.layout = "four" if state.layout == BESIDE else BESIDE

    def take(tool: str) -> None:
        if parts.review.node is not None and not state.is_correcting:
            parts.correct.take("" if state.tool == tool else tool)

    actions: dict[str, Callable[[], None]] = {
        "nextPlace": lambda: parts.review.step(1),
        "previousPlace": lambda: parts.review.step(-1),
        "accept": lambda: parts.review.decide("accepted"),
        "reject": lambda: parts.review.decide("rejected"),
        "sideBySide": beside,
        "include": lambda: take("include"),
        "exclude": lambda: take("exclude"),
        "applyPreview": parts.correct.apply,
        "discardPreview": parts.correct.discard,
        "undo": parts.correct.undo,
        "redo": parts.correct.redo,
        "keys": toggle,
    }
    byKey = {KEYS[name]: action for name, action in actions.items()}
    desk.server.trigger(_TRIGGER)(desk.slot(lambda key: byKey[key]()))
    client.Script(_LISTEN.replace("KEYS", json.dumps(list(byKey))).replace("TRIGGER", _TRIGGER))
    with html.Div(v_if="shows_keys", classes="keys", role="dialog", aria_label="Keys", **MORE):
        for key, words in keyList(actions):
            with html.Div(classes="key-row"):
                html.Span(key, classes="key")
                html.Span(words)
        v3.VBtn("Close", size="small", variant="tonal", click="shows_keys = false")
