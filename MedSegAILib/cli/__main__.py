"""``python -m MedSegAILib.cli`` is the same as ``medsegai``. Ring 8."""

from __future__ import annotations

from .app import main

if __name__ == "__main__":
    main()
