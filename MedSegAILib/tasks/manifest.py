"""What a manifest says of how a task runs: stages, their boxes, ensembles and networks. Read and checked here.

The format is told in ``docs/reference/manifest.md``; the rest of a package is the matter of ``package``. Ring 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from MedSegAILib.core.labels import LabelScheme

Step = Mapping[str, Any]

BACKGROUND = "background"  # channel of a softmax that is no region
RESULTS = ("over", "replace", "none")


@dataclass(frozen=True)
class Network:
    """What weights are put into: name in the table of networks, arguments, file with the topology."""

    name: str
    arguments: Mapping[str, Any]
    graph: str


@dataclass(frozen=True)
class Ensemble:
    """Networks that see the same prepared case and are averaged with equal weights.

    Args:
        name: for the passport.
        prepare: steps from the case to the network's array, in order.
        network: name in the table of networks.
        arguments: of the network.
        graph: file with the network's topology for backends without torch.
        channels: what the network's output channels are: names of regions or labels, or ``BACKGROUND``.
        members: weight files.
        activation: "sigmoid" or "softmax".
        window: for networks that see windows or slices, see ``engine.slices.cut_of``; empty for the whole box.
        own_networks: by weight file, the network of a member that is not the ensemble's.
        inputs: roles in the order of the network's channels.
    """

    name: str
    prepare: tuple[Step, ...]
    network: str
    arguments: Mapping[str, Any]
    graph: str
    channels: tuple[str, ...]
    members: tuple[str, ...]
    activation: str
    window: Mapping[str, Any] = field(default_factory=dict)
    own_networks: Mapping[str, Network] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()

    def by_network(self) -> list[tuple[Network, tuple[str, ...]]]:
        """Give every network with its members, in the order in which the members are listed."""
        usual = Network(self.network, self.arguments, self.graph)
        groups: list[tuple[Network, tuple[str, ...]]] = []
        for file in self.members:
            network = self.own_networks.get(file, usual)
            place = next((i for i, (known, _) in enumerate(groups) if known == network), len(groups))
            before = groups[place][1] if place < len(groups) else ()
            groups[place : place + 1] = [(network, (*before, file))]
        return groups


@dataclass(frozen=True)
class BoxRule:
    """How the box of a stage is found; see ``boxes``.

    Args:
        region: a region of the stages before; empty for a rough box.
        rough: shares of the extent, for ``boxes.rough_box``.
        margin_mm: added around the region on each side; a number, or along x, y, z of the patient.
        at_least_mm: smallest sides, likewise.
        larger: factor on the sides for the second try; 1 for none.
    """

    region: str = ""
    rough: Mapping[str, Any] = field(default_factory=dict)
    margin_mm: float | tuple[float, ...] = 0.0
    at_least_mm: float | tuple[float, ...] = 0.0
    larger: float = 1.5


@dataclass(frozen=True)
class Stage:
    """One step of a task: ensembles, the decision from probabilities to labels, and how several become one.

    Args:
        name: for progress and passport.
        ensembles: at least one.
        decide: steps from probabilities to labels.
        merge: the rule between ensembles, empty when there is one; see ``merge``.
        box: where it looks; None is the whole image.
        result: "over" paints its labels over those of earlier stages, "replace" puts them in their place within its
            box, "none" keeps them for the boxes of later stages only.
    """

    name: str
    ensembles: tuple[Ensemble, ...]
    decide: tuple[Step, ...]
    merge: Step
    box: BoxRule | None = None
    result: str = "over"


def read_stages(entries: Sequence[Mapping[str, Any]], scheme: LabelScheme, roles: tuple[str, ...]) -> tuple[Stage, ...]:
    """Read the stages of a manifest.

    Args:
        entries: the field ``stages``.
        scheme: labels and regions of the package.
        roles: of its inputs, in order.

    Raises:
        ValueError, KeyError, TypeError: what is missing or does not fit, in words.
    """
    stages = tuple(_stage(entry, scheme, roles) for entry in entries)
    names = [stage.name for stage in stages]
    if not stages or len(set(names)) != len(names):
        raise ValueError("there must be stages with names of their own")
    regions = {region.name for region in scheme.regions}
    for index, stage in enumerate(stages):
        if stage.box and stage.box.region and (index == 0 or stage.box.region not in regions):
            raise ValueError(
                f"stage {stage.name!r} takes its box from {stage.box.region!r}, which no stage before finds"
            )
    if stages[-1].result == "none":
        raise ValueError("the last stage must give a result")
    return stages


def _stage(entry: Mapping[str, Any], scheme: LabelScheme, roles: tuple[str, ...]) -> Stage:
    ensembles = tuple(_ensemble(data, scheme, roles) for data in entry["ensembles"])
    names = [ensemble.name for ensemble in ensembles]
    merge = dict(entry.get("merge", {}))
    if not names or len(set(names)) != len(names):
        raise ValueError(f"stage {entry['name']!r} must have ensembles with names of their own")
    if (len(names) > 1) != bool(merge):
        raise ValueError(f"stage {entry['name']!r} has {len(names)} ensembles and the merging rule {merge}")
    if len({frozenset(ensemble.channels) for ensemble in ensembles}) != 1:
        raise ValueError(f"the ensembles of stage {entry['name']!r} give different regions")
    result = str(entry.get("result", "over"))
    if result not in RESULTS:
        raise ValueError(f"the result of stage {entry['name']!r} is {result!r}, not one of {', '.join(RESULTS)}")
    box = _box(entry["box"]) if "box" in entry else None
    return Stage(str(entry["name"]), ensembles, tuple(entry["decide"]), merge, box, result)


def _box(data: Mapping[str, Any]) -> BoxRule:
    if unknown := set(data) - {"from", "margin_mm", "at_least_mm", "rough", "larger"}:
        raise ValueError(f"a box knows no {sorted(unknown)}")
    rule = BoxRule(
        str(data.get("from", "")),
        dict(data.get("rough", {})),
        _lengths(data.get("margin_mm", 0.0)),
        _lengths(data.get("at_least_mm", 0.0)),
        float(data.get("larger", BoxRule.larger)),
    )
    if bool(rule.region) == ("rough" in data) or rule.larger < 1.0:
        raise ValueError("a box comes from a region or is rough, and its second try is not smaller")
    return rule


def _lengths(value: Any) -> float | tuple[float, ...]:
    """Read a length, or three of them."""
    if isinstance(value, (int, float)):
        return float(value)
    first, second, third = (float(entry) for entry in value)
    return first, second, third


def _ensemble(data: Mapping[str, Any], scheme: LabelScheme, roles: tuple[str, ...]) -> Ensemble:
    usual = _network(data["network"])
    members = [entry if isinstance(entry, Mapping) else {"file": entry} for entry in data["members"]]
    ensemble = Ensemble(
        str(data["name"]),
        tuple(data["prepare"]),
        usual.name,
        usual.arguments,
        usual.graph,
        tuple(map(str, data["channels"])),
        tuple(str(entry["file"]) for entry in members),
        str(data["activation"]),
        dict(data.get("window", {})),
        {str(entry["file"]): _network(entry["network"]) for entry in members if "network" in entry},
        tuple(map(str, data.get("inputs", roles))),
    )
    known = {region.name for region in scheme.regions} | {label.name for label in scheme.labels} | {BACKGROUND}
    if unknown := set(ensemble.channels) - known:
        raise ValueError(f"channels {sorted(unknown)} are no regions")
    if not ensemble.inputs or not set(ensemble.inputs) <= set(roles):
        raise ValueError(f"ensemble {ensemble.name!r} takes {', '.join(ensemble.inputs)}, of {', '.join(roles)}")
    if not ensemble.members or len(set(ensemble.members)) != len(ensemble.members):
        raise ValueError(f"ensemble {ensemble.name!r} must have members, each once")
    return ensemble


def _network(data: Mapping[str, Any]) -> Network:
    return Network(str(data["name"]), dict(data["arguments"]), str(data["graph"]))
