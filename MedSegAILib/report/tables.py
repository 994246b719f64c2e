"""Numbers of a result as a table that a spreadsheet opens. Ring 5 (report)."""

from __future__ import annotations

import csv
from io import StringIO

from MedSegAILib.core.result import Result

COLUMNS = ("region", "title", "volume_ml", "labels", "voxels")


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
