"""The commands and the code of a page, run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .shell import CHECKOUT, environment


def page(name: str) -> str:
    """Give the text of a page of the checkout."""
    return (CHECKOUT / name).read_text(encoding="utf-8")


def commands_of(text: str) -> list[str]:
    """Give the lines of a page that a reader types after ``medsegai``."""
    return re.findall(r"^    medsegai (.+)$", text, re.MULTILINE)


def run_python_of(text: str, first: str, after: str, place: Path, packages: Path) -> str:
    """Run a page's indented lines of Python in a folder, and give what they print.

    Args:
        text: of the page.
        first: how the first line begins.
        after: how the paragraph after the last line begins.
        place: the working folder.
        packages: a package folder, or a folder of packages.
    """
    code = text[text.index(f"    {first}") :].split(f"\n\n{after}")[0]
    lines = [line.removeprefix("    ") for line in code.splitlines()]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=place,
        env=environment(packages),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
