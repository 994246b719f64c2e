"""``medsegai doctor``: what is there, what is missing, and a real run on each device. Ring 8."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from MedSegAILib.core.errors import SetupError

from . import screen


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Check this installation; exit code 0 when a study can be segmented, 6 when not."""
    from MedSegAILib.tasks.health import examine

    report = examine(with_shell=True)
    if as_json:
        screen.give_json(report)
    else:
        _print(report)
    if not report["ok"]:
        raise typer.Exit(SetupError.exit_code)


def _print(report: dict[str, Any]) -> None:
    screen.say(f"medsegai {report['version']}, Python {report['python']}, {report['system']}, {report['cores']} cores")
    rows: list[tuple[str, ...]] = [
        (entry["name"], entry["version"] or ("MISSING" if entry["needed"] else "not installed"), entry["use"])
        for entry in report["libraries"]
    ]
    rows += [
        (f"{e['backend']} {e['device']}".rstrip(), "runs" if e["ok"] else "does not run", _facts(e))
        for e in report["devices"]
    ]
    rows += [("model " + entry["task"], entry["version"], "every file matches") for entry in report["models"]]
    memory = report["memory"]
    rows.append(("memory", f"{memory.get('free_gb', 0)} GB", f"free of {memory.get('total_gb', 0)} GB"))
    rows.append(("disk", f"{report['temporary_free_gb']} GB", "free in the temporary folder"))
    for line in screen.table(rows):
        screen.say(line)
    for problem in report["problems"]:
        screen.say(f"problem: {problem}")
    screen.say("A study can be segmented here." if report["ok"] else "A study cannot be segmented here yet.")


def _facts(device: dict[str, Any]) -> str:
    if not device["ok"]:
        return str(device["reason"])
    return f"{device['name']}, {device['memory_mb']} MB, {device['precision']}, trial {device['seconds']:.2f} s"
