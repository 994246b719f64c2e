"""Numbers of a result as tables that a spreadsheet opens. Ring 5 (report)."""

from __future__ import annotations

import csv
from io import StringIO

from MedSegAILib.core.result import Result

COLUMNS = ("region", "title", "volume_ml", "labels", "voxels")
DOUBT_COLUMNS = ("rank", "region", "reason", "at_stake_ml", "r_mm", "a_mm", "s_mm", "share_against", "words")


def volumes_csv(result: Result) -> bytes:
    """Give the volumes of all regions as CSV, UTF-8: one line a region, also an empty one.

    Columns: region, title, volume_ml (from voxels, three decimals), labels (their values, blank between), voxels.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    volumes_ml = result.volumes_ml()
    for region in result.scheme.regions:
        voxels = int(result.region_mask(region.name).sum())
        labels = " ".join(str(value) for value in region.labels)
        writer.writerow([region.name, region.title, f"{volumes_ml[region.name]:.3f}", labels, voxels])
    return text.getvalue().encode()


def doubt_csv(result: Result) -> bytes:
    """Give the places where the result may be wrong as CSV, UTF-8, the most mL at stake first.

    Columns: rank from 1, region, reason (a key of ``core.doubt.REASONS``), at_stake_ml (three decimals), position in
    RAS mm (one decimal), share_against (0 to 0.5), the reason in words. The title alone when there is no place.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(DOUBT_COLUMNS)
    for rank, place in enumerate(result.doubt.places if result.doubt else (), start=1):
        position = [f"{value:.1f}" for value in place.position_ras_mm]
        numbers = (f"{place.at_stake_ml:.3f}", *position, f"{place.share_against:.2f}")
        writer.writerow([rank, place.region, place.reason, *numbers, place.words])
    return text.getvalue().encode()
