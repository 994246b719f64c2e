"""Write docs/reference/errors.md from the source: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from Testing.makers.source_facts import ERROR_CLASSES, RaisedCode, raised_codes  # noqa: E402 - run as a file

PAGE = CHECKOUT / "docs" / "reference" / "errors.md"
WHO = {
    "UsageError": "the caller",
    "InputError": "whoever has the images",
    "PackageError": "whoever made the package",
    "ResourceError": "the machine: memory, disk, GPU",
    "SetupError": "the installation",
    "WorkerError": "us, in the worker process",
    "Cancelled": "nobody",
}
HEAD = """# Errors and notices

Written by `make docs` from the source; a test holds the list. A code is stable: scripts may rely on it. Every error has
one sentence (what is wrong with which thing) and one next step; `…` stands for what is known at run time only. The same
object crosses the worker as JSON and is printed by `--json` as `{"error": {"class", "code", "message", "hint",
"details"}}`.

"""


def page() -> str:
    """The text of the page."""
    lines = ["| Class | Who acts | Exit code |", "|---|---|---|"]
    lines += [f"| `{kind}` | {WHO[kind]} | {code} |" for kind, code in ERROR_CLASSES.items()]
    lines += ["| any other | us: a defect that no class foresaw | 1 |", ""]
    codes = raised_codes()
    for kind in (*ERROR_CLASSES, "MedSegAIError", "Notice"):
        rows = [_row(entry) for entry in codes if entry.kind == kind]
        if rows:
            title = "Notices on a usable result" if kind == "Notice" else kind
            lines += [f"## {title}", "", "| Code | Message | Next step |", "|---|---|---|", *rows, ""]
    return HEAD + "\n".join(lines)


def _row(entry: RaisedCode) -> str:
    return f"| `{entry.code}` | {_cell(entry.message)} | {_cell(entry.hint)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "…").replace("\n", " ")


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
