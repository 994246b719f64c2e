"""Where a result may be wrong: a ranked list of places to look at, not a fog over the image. Ring 0 (nouns)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Name for scripts -> words for people.
REASONS: dict[str, str] = {
    "disagreement": "members or views disagree",
    "island": "an island apart from the rest",
    "thin_bridge": "two parts hang together by a thin bridge",
    "image_edge": "touches the image edge",
    "outside_brain": "outside the brain",
}


@dataclass(frozen=True)
class Place:
    """One place to look at.

    Args:
        region: name of the region that is in doubt there.
        reason: a key of ``REASONS``.
        position_ras_mm: a point inside the place, where the doubt is greatest.
        at_stake_ml: volume that the region would gain or lose, in mL.
        share_against: mean share of the passes that vote against the majority there, 0 to 0.5; 0 for other reasons.
    """

    region: str
    reason: str
    position_ras_mm: tuple[float, float, float]
    at_stake_ml: float
    share_against: float = 0.0

    @property
    def words(self) -> str:
        """The reason for people."""
        return REASONS.get(self.reason, self.reason)


@dataclass(frozen=True)
class Doubt:
    """What is uncertain about a result.

    Args:
        places: the most mL at stake first.
        contested_ml: by region, volume where at least a quarter of the passes vote against the others; empty when
            there was one pass only, which says nothing of disagreement.
        pass_count: looks by a member that were compared.
        method: how it was computed, one or two sentences for the passport.
        left_out: places beyond the longest list.
    """

    places: tuple[Place, ...] = ()
    contested_ml: Mapping[str, float] = field(default_factory=dict)
    pass_count: int = 1
    method: str = ""
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give a JSON-able dictionary; ``Doubt.from_json`` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Doubt:
        """Rebuild a doubt that :meth:`to_json` wrote."""
        places = tuple(
            Place(
                str(entry["region"]),
                str(entry["reason"]),
                _point(entry["position_ras_mm"]),
                float(entry["at_stake_ml"]),
                float(entry["share_against"]),
            )
            for entry in data["places"]
        )
        contested_ml = {str(name): float(value) for name, value in data["contested_ml"].items()}
        return cls(places, contested_ml, int(data["pass_count"]), str(data["method"]), int(data["left_out"]))


def _point(values: Any) -> tuple[float, float, float]:
    right, anterior, superior = (float(value) for value in values)
    return right, anterior, superior
