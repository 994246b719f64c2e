"""How often sequences are told by their looks alone: `python -m Testing.benchmarks.roles`.

Every study at hand with its names hidden; in sets of four, three, two and one volume of it. `--measure` prints
MedSegAILib/core/role_numbers.py from the train parts;
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

from MedSegAILib.core.role_odds import HEAD_ROLES
from MedSegAILib.core.role_words import Claim
from MedSegAILib.core.roles import Candidate, assign
from Testing.benchmarks.role_studies import LookedStudy, find_studies, look_at_study, measure

SILENT = Claim("", 0.0, "its name names no sequence")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("shared/data"))
    parser.add_argument("--measure", action="store_true", help="print the measured numbers instead of the tables")
    options = parser.parse_args()
    if options.measure:
        print(measure([look_at_study(*entry) for entry in find_studies(options.data, parts=("train",))]))
        return
    studies = [look_at_study(*entry) for entry in find_studies(options.data)]
    print_seconds(studies)  # first: a pair of looks is compared once
    for part in ("train", "test"):
        chosen = [study for study in studies if study.part == part]
        print(f"\n{part}: {len(chosen)} studies, {sum(len(study.looks) for study in chosen)} volumes, names hidden\n")
        print_whole(chosen)
        print_sets(chosen)


def told(study: LookedStudy, roles: tuple[str, ...]) -> dict[str, str]:
    """Give true role -> told role, "asked" when it was left open."""
    candidates = [Candidate(role, role, SILENT, study.looks[role]) for role in roles]
    return {guess.key: guess.role or "asked" for guess in assign(candidates, HEAD_ROLES).guesses}


def print_whole(studies: list[LookedStudy]) -> None:
    """All volumes of each study together: what they are by what they were told to be."""
    table = Counter((role, said) for study in studies for role, said in told(study, tuple(study.looks)).items())
    columns = (*HEAD_ROLES, "asked")
    print(f"| is \\ told | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for role in HEAD_ROLES:
        print(f"| {role} | {' | '.join(str(table[role, said]) for said in columns)} |")


def print_sets(studies: list[LookedStudy]) -> None:
    print("\n| volumes given | sets | volumes | right | asked | wrong |\n|---|---|---|---|---|---|")
    for count in range(4, 0, -1):
        found = [told(study, roles) for study in studies for roles in combinations(study.looks, count)]
        pairs = [pair for one in found for pair in one.items()]
        right = sum(role == said for role, said in pairs)
        asked = sum(said == "asked" for _, said in pairs)
        print(f"| {count} | {len(found)} | {len(pairs)} | {right} | {asked} | {len(pairs) - right - asked} |")


def print_seconds(studies: list[LookedStudy]) -> None:
    """Time of a whole study of four: the looks and their comparison."""
    four = [study for study in studies if len(study.looks) == 4]
    start = time.process_time()
    for study in four:
        told(study, HEAD_ROLES)
    compared = (time.process_time() - start) / len(four)
    looked = sum(study.seconds for study in four) / len(four)
    print(f"\n{looked + compared:.2f} s for a study of four ({looked:.2f} s looks, {compared:.2f} s comparison)")


if __name__ == "__main__":
    main()
