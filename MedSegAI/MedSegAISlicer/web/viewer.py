"""The viewer as a whole: scene, logic, page, server on this computer only. Ring 10 (web).

There is no login in trame, so the server listens to 127.0.0.1 and to nothing else; one process is one user and one
scene.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame.app import get_server

from MedSegAISlicer.gui.guard import guarded
from MedSegAISlicer.scene.logic import SegmentationLogic

from .desk import Desk
from .opening import Opening, bringIn
from .parts import putTogether, showNew

HOST = "127.0.0.1"


def serve(application: Any, opening: Opening, onReady: Callable[[str], None]) -> None:
    """Open the viewer and serve it until the process is told to stop.

    Args:
        application: from ``bootScene``.
        opening: what to open; a problem with it is a sentence on the page.
        onReady: called with the address once it can be opened.
    """
    from .page import draw

    server = get_server(client_type="vue3")
    logic = SegmentationLogic(packages=opening.packages)
    desk = Desk(server, application, logic)
    parts = putTogether(desk)
    with guarded(desk.warn):
        problems = bringIn(desk, opening)
        parts.study.restore()
        if logic.parameters().result is not None:
            showNew(parts.review, logic.parameters().result)
        if problems:
            desk.warn(" ".join(problems))
    draw(server, parts)
    server.controller.on_server_ready.add(lambda **_: onReady(f"http://{HOST}:{server.port}/"))
    try:
        server.start(
            host=HOST,
            port=opening.port,
            open_browser=False,
            show_connection_info=False,
            timeout=0,
        )
    finally:
        logic.close()
