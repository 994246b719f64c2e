"""Write docs/reference/networks.md from what ``medsegai networks`` measures: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from MedSegAILib.cli.networks import HEAD, choose, explanations, facts_of, row  # noqa: E402 - run as a file

PAGE = CHECKOUT / "docs" / "reference" / "networks.md"
INTRODUCTION = """# Networks

Written by `make docs` from what `medsegai networks` measures; a test holds it. `medsegai networks prostate` shows some
of them, `--json` also the field after every convolution. Each is built by `MedSegAILib.networks.build` with the class
and the arguments of `MedSegAILib/networks/catalog.py`; smaller widths are for training here. How to add one:
[add a network](../how-to/add-a-network.md).

"""


def table_row(facts: dict[str, Any]) -> str:
    """The line of one network in the page."""
    name, *rest = row(facts)
    arguments = ", ".join(f"{key}={value}" for key, value in facts["arguments"].items())
    return f"| `{name}` | {' | '.join(rest)} | `{facts['network']}({arguments})` |"


def page(found: list[dict[str, Any]]) -> str:
    """The text of the page."""
    lines = [f"| {' | '.join((*HEAD, 'class'))} |", "|---" * (len(HEAD) + 1) + "|", *map(table_row, found), ""]
    lines += [f"- {line}" if line else "" for line in explanations(found)]
    return INTRODUCTION + "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(facts_of(choose([]))), encoding="utf-8")
