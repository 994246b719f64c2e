"""The shell door: ``medsegai`` and its verbs, one file a verb group. Ring 8.

``app`` holds the door and its errors, ``screen`` what goes to the terminal. Nothing is computed here.
"""

from __future__ import annotations

from .app import main

__all__ = ["main"]
