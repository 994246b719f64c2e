"""How much a result depends on the grid that a study is stored on: Dice by region against the upright study.

    python Testing/benchmarks/grids.py STUDY [STUDY ...]

Compared where the upright study's probabilities place the border, finer than its voxels.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from MedSegAILib import RunOptions, read_study, segment
from MedSegAILib.core.case import Case
from MedSegAILib.image.metrics import dice
from Testing.makers.other_grids import OTHER_GRIDS, covering, regions_on, stored_on

ROLES = ("T1", "T1ce", "T2", "FLAIR")
REGIONS = ("WT", "TC", "ET")


def scores(case: Case, name: str) -> list[float]:
    """Give the Dice of each region on one of the other grids."""
    upright = segment(case, options=RunOptions(keep_probabilities=True))
    grid = covering(case.reference_grid(), *OTHER_GRIDS[name])
    found, wanted = segment(stored_on(case, grid)), regions_on(upright, grid)
    return [dice(found.region_mask(region), wanted[region]) for region in REGIONS]


def main(folders: list[str]) -> None:
    """Print one row a study and grid."""
    print(f"{'study':<24}{'grid':<38}" + "".join(f"{region:>8}" for region in REGIONS))
    for folder in map(Path, folders):
        case = read_study(folder, ROLES)
        for name in OTHER_GRIDS:
            values = "".join(f"{value:8.4f}" for value in scores(case, name))
            print(f"{folder.name:<24}{name:<38}{values}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
