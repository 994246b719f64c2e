"""``medsegai networks``: what the networks of the published systems cost and see, computed anew each time. Ring 8."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from MedSegAILib.core.errors import UsageError

from . import screen

MEBIBYTE, BILLION = 1 << 20, 1e9
HEAD = ("network", "parameters", "field", "weights MiB", "activations MiB", "GFLOPs", "patch")


def networks(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names, or their beginnings (`prostate`); all when none is given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the networks of the published systems: parameters, receptive field, memory and operations a patch."""
    from MedSegAILib.networks.catalog import RULES

    found = facts_of(choose(names or []))
    if as_json:
        screen.give_json({"networks": found, "rules": RULES})
        return
    for line in screen.table([HEAD, *(row(facts) for facts in found)]):
        screen.say(line)
    for line in explanations(found):
        screen.say(line)


def choose(beginnings: list[str]) -> list[str]:
    """Give the names of the catalog that start with one of the beginnings, in its order; all for none.

    Raises:
        UsageError: "network.name" for a beginning that no name has.
    """
    from MedSegAILib.networks.catalog import CATALOG

    for beginning in beginnings:
        if not any(name.startswith(beginning) for name in CATALOG):
            raise UsageError(
                "network.name",
                f"No network's name begins with {beginning!r}.",
                "`medsegai networks` lists them all.",
            )
    return [name for name in CATALOG if not beginnings or name.startswith(tuple(beginnings))]


def facts_of(names: list[str]) -> list[dict[str, Any]]:
    """Measure networks of the catalog, and give what ``--json`` prints of each."""
    from MedSegAILib.networks.catalog import CATALOG
    from MedSegAILib.networks.measure import measure

    found = []
    for name in names:
        entry = CATALOG[name]
        told = measure(entry.network, entry.arguments, entry.shape)
        found.append(
            {
                "name": name,
                "network": entry.network,
                "arguments": dict(entry.arguments),
                "shape": list(entry.shape),
                "rule": entry.rule,
                "parameters": told.total if entry.rule == "total" else told.trainable,
                "trainable": told.trainable,
                "total": told.total,
                "field": list(told.field),
                "fields_by_layer": [list(field) for field in told.fields_by_layer],
                "sees_all": told.sees_all,
                "weights_mib": round(told.weight_bytes / MEBIBYTE, 2),
                "activations_mib": round(told.peak_bytes / MEBIBYTE, 1),
                "gflops": round(told.operations / BILLION, 2),
                "note": entry.note,
            }
        )
    return found


def row(facts: dict[str, Any]) -> tuple[str, ...]:
    """Give the line of one network, in the order of ``HEAD``."""
    channels, *axes = facts["shape"]
    field = "x".join(map(str, facts["field"] if len(set(facts["field"])) > 1 else facts["field"][:1]))
    return (
        facts["name"],
        f"{facts['parameters']:,}" + (" (total)" if facts["rule"] == "total" else ""),
        field + ("+" if facts["sees_all"] else ""),
        f"{facts['weights_mib']:.1f}",
        f"{facts['activations_mib']:.1f}",
        f"{facts['gflops']:.2f}",
        f"{channels} of {' x '.join(map(str, axes))}",
    )


def explanations(found: list[dict[str, Any]]) -> list[str]:
    """Give the sentences below the table: how things were counted, and the notes of the networks shown."""
    from MedSegAILib.networks.catalog import RULES

    lines = [
        "",
        f"parameters: {RULES['trainable']}; (total): {RULES['total']}.",
        "field: receptive field in voxels, by kernel arithmetic; + a norm or a gate also sees the mean of the patch.",
        "activations: most that lives at once in a forward of one patch, float32, without convolutions' workspace.",
        "GFLOPs: of convolutions and linear layers for one patch; a multiplication and an addition count 2.",
        "patch: channels of (z,) y, x, as in the paper.",
    ]
    return [*lines, *(f"{facts['name']}: {facts['note']}." for facts in found if facts["note"])]
