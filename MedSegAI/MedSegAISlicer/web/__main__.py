"""The process of the viewer: takes what to open as one line of JSON, gives its address as another. Ring 10 (web).

Started by the verb ``medsegai view``. What to open comes through stdin, because names of files may name a patient and
arguments are seen by everyone on the machine.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading


def main() -> None:
    """Serve until Ctrl-C."""
    logging.getLogger("MedSegAILib").addHandler(logging.NullHandler())
    from .boot import bootScene

    application = bootScene()  # before the words of the panel are imported: they want ``slicer.i18n``
    from .opening import Opening
    from .viewer import serve

    opening = Opening.fromJson(sys.stdin.readline())
    threading.Thread(target=_endWithTheShell, daemon=True).start()
    # trame reads arguments of its own from the command line of the process; it shall find none.
    sys.argv = sys.argv[:1]

    def tell(address: str) -> None:
        sys.stdout.write(json.dumps({"address": address}) + "\n")
        sys.stdout.flush()

    serve(application, opening, tell)


def _endWithTheShell() -> None:
    """Wait until the process that started this one lets go of stdin, which it does even when it is killed."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
