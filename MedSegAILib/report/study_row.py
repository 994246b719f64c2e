"""One study as one row of a batch: the numbers of tables and pages come from here and nowhere else. Ring 5 (report).

A row is a plain dictionary, so that it can be kept in a file and read by a later version:
``volumes_ml`` (region -> mL), ``regions`` (name, title, color of each), ``notices`` (code, message, hint),
``places`` (number of doubtful places, mL at stake, the first few), ``engine``, ``package``, ``repairs``, ``inputs``,
``seconds``, ``peak_memory_mb``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from MedSegAILib.core.result import Result

SHOWN_PLACES = 5
WARNING_WEIGHT = 0.25
ML_DIGITS = 3


def row_of(result: Result, title: str) -> dict[str, Any]:
    """Give the row of a result of the package of that title; ``seconds`` is added by whoever held the watch.

    No name and no path is in it.
    """
    passport, doubt = result.passport, result.doubt
    places = doubt.places if doubt else ()
    return {
        "title": title,
        "regions": [
            {"name": region.name, "title": region.title, "color": list(region.color)}
            for region in result.scheme.regions
        ],
        "volumes_ml": {name: round(value, ML_DIGITS) for name, value in result.volumes_ml().items()},
        "notices": [{"code": notice.code, "message": notice.message, "hint": notice.hint} for notice in result.notices],
        "doubt": {
            "count": len(places) + (doubt.left_out if doubt else 0),
            "at_stake_ml": round(sum(place.at_stake_ml for place in places), ML_DIGITS),
            "places": [
                {
                    "region": place.region,
                    "words": place.words,
                    "at_stake_ml": round(place.at_stake_ml, ML_DIGITS),
                    "position_ras_mm": [round(value, 1) for value in place.position_ras_mm],
                }
                for place in places[:SHOWN_PLACES]
            ],
        },
        "engine": {name: passport.engine.get(name, "") for name in ("backend", "device", "precision", "threads")},
        "package": {
            "name": passport.package.get("name", ""),
            "version": passport.package.get("version", ""),
            "sha256": passport.package.get("manifest_sha256", ""),
        },
        "library": passport.library,
        "preset": passport.options.get("preset", ""),
        "repairs": list(passport.repairs),
        "fallbacks": list(passport.fallbacks),
        "inputs": {
            role: {"shape_zyx": facts.get("shape_zyx", []), "spacing_zyx_mm": facts.get("spacing_zyx_mm", [])}
            for role, facts in passport.inputs.items()
        },
        "peak_memory_mb": passport.peak_memory_mb,
        "use": passport.use,
    }


def largest_ml(row: Mapping[str, Any]) -> float:
    """Give the volume of the largest region, in mL: nested ones are in it."""
    return max((float(value) for value in row["volumes_ml"].values()), default=0.0)


def attention(row: Mapping[str, Any]) -> float:
    """Say how much a result asks to be looked at, 0 to 1; the order of the worst-first list.

    1 when nothing was found at all; else the share of the largest region that is in doubt (mL at stake by mL, at most
    1), and a quarter more for each warning, at most 1 in all.
    """
    whole_ml = largest_ml(row)
    if whole_ml <= 0.0:
        return 1.0
    share = min(1.0, float(row["doubt"]["at_stake_ml"]) / whole_ml)
    return round(min(1.0, share + WARNING_WEIGHT * len(row["notices"])), 4)


def reasons(row: Mapping[str, Any]) -> list[str]:
    """Say in words why a result asks to be looked at; empty when nothing speaks for it."""
    if largest_ml(row) <= 0.0:
        return ["nothing was found", *(notice["message"] for notice in row["notices"])]
    found = [str(notice["message"]) for notice in row["notices"]]
    at_stake_ml = float(row["doubt"]["at_stake_ml"])
    if at_stake_ml > 0.0:
        count = int(row["doubt"]["count"])
        places = f"{count} place{'s' if count > 1 else ''}"
        share = at_stake_ml / largest_ml(row)
        compared = f"{share:.0%} of" if share < 1.0 else "more than"
        found.append(f"{at_stake_ml:.2f} mL in doubt at {places} ({compared} the largest region)")
    return found
