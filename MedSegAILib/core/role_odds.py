"""How well volumes fit sequences by their looks: the model over the numbers of ``role_looks``. Ring 0.

A volume's eight numbers vary around the mean of its sequence with what is common to its study (the head, the tumor)
and with what is not; a pair's eight numbers vary around the mean of its two sequences. Means and spreads are in
``role_numbers``, measured on real train studies. T1 and T1ce share their means: only the two beside each other tell
which is which, one alone stays undecided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from weakref import WeakKeyDictionary

import numpy as np

from . import role_numbers
from .role_looks import Look, Numbers, compare, swapped

HEAD_ROLES = ("T1", "T1ce", "T2", "FLAIR")
# Gaussians are too sure of themselves: of the log odds, this share is believed.
BELIEVED = 0.4
# Squared distance that a volume or a pair may have from its sequence's mean before it counts as something else: the
# 99.9 % point of the chi-squared distribution with eight degrees of freedom.
FARTHEST = 26.0
# Believed log odds by which another naming must win before a name counts as wrong. Right names lose by 1.5 at most in
# all sets of 1 to 4 volumes of the 143 real studies, by 2.7 in the one whose patient moved between the sequences.
MISNAMED = 3.0
NOT_THESE = -1e9

_MEANS = {role: np.array(values) for role, values in role_numbers.VOLUME_MEANS.items()}
_PAIR_MEANS = {roles: np.array(values) for roles, values in role_numbers.PAIR_MEANS.items()}
_WITHIN, _BETWEEN = np.array(role_numbers.WITHIN), np.array(role_numbers.BETWEEN)
_INVERSE_WITHIN = np.linalg.inv(_WITHIN)
_INVERSE_MEAN = {count: np.linalg.inv(_WITHIN + count * _BETWEEN) for count in range(1, len(HEAD_ROLES) + 1)}
# A window asks again after every volume that it has looked at; a pair is compared once as long as both looks live.
_COMPARED: WeakKeyDictionary[Look, WeakKeyDictionary[Look, Numbers | None]] = WeakKeyDictionary()
_INVERSE_PAIR = np.linalg.inv(np.array(role_numbers.PAIR_SPREAD))


class LookOdds:
    """The odds of every way to name some volumes by their looks.

    Args:
        looks: of the volumes, in one frame of space.
    """

    def __init__(self, looks: Sequence[Look]) -> None:
        self._looks = looks

    @property
    def is_compared(self) -> bool:
        """Whether every pair was compared, so that the odds of any naming cost next to nothing."""
        return self._open_pair() is None

    def compare_next(self) -> bool:
        """Compare one more pair, about a hundredth of a second; gives whether there was one."""
        pair = self._open_pair()
        if pair is not None:
            self._pair(*pair)
        return pair is not None

    def _open_pair(self) -> tuple[int, int] | None:
        for first, second in combinations(range(len(self._looks)), 2):
            if self._looks[second] not in _COMPARED.get(self._looks[first], {}):
                return first, second
        return None

    def log_odds(self, roles: Mapping[int, str]) -> float:
        """Give the believed log odds of a naming against "none of the volumes is a sequence".

        Args:
            roles: role by index of the volume; each role at most once.
        """
        if any(self._looks[index].problem for index in roles):
            return NOT_THESE
        distance = _volumes_distance([(self._looks[index].numbers, role) for index, role in roles.items()])
        count = len(roles)
        for (first, one), (second, other) in combinations(sorted(roles.items()), 2):
            numbers = self._pair(first, second)
            if numbers is not None:
                rest = numbers - _pair_mean(one, other)
                distance += float(rest @ _INVERSE_PAIR @ rest)
                count += 1
        return BELIEVED * 0.5 * (FARTHEST * count - distance)

    def misnamed(self, roles: Mapping[int, str]) -> dict[int, str]:
        """Tell which volumes look like another sequence than they are named.

        Returns:
            What each such volume looks like, by index; empty when the names may be right, or when no naming fits.
        """
        indices = sorted(roles)
        named = tuple(roles[index] for index in indices)
        odds = {
            names: self.log_odds(dict(zip(indices, names, strict=True)))
            for names in permutations(HEAD_ROLES, len(indices))
        }
        best = max(odds.values())
        if best <= 0.0 or best - odds[named] < MISNAMED:
            return {}
        # T1 and T1ce may be equal in odds: the naming nearest to the given one is meant.
        equal = [names for names, value in odds.items() if value > best - 1e-6]
        nearest = max(equal, key=lambda names: sum(one == other for one, other in zip(names, named, strict=True)))
        changed = zip(indices, nearest, named, strict=True)
        return {index: name for index, name, given in changed if name != given}

    def _pair(self, first: int, second: int) -> Numbers | None:
        known = _COMPARED.setdefault(self._looks[first], WeakKeyDictionary())
        other = self._looks[second]
        if other not in known:
            known[other] = compare(self._looks[first], other)
        return known[other]


def _volumes_distance(named: Sequence[tuple[Numbers, str]]) -> float:
    """Give the squared distance of volumes of one study from their means."""
    rest = np.array([numbers - _MEANS["T1" if role == "T1ce" else role] for numbers, role in named])
    common = rest.mean(axis=0)
    own = rest - common
    count = len(named)
    return float(np.einsum("ij,jk,ik->", own, _INVERSE_WITHIN, own) + count * common @ _INVERSE_MEAN[count] @ common)


def _pair_mean(one: str, other: str) -> Numbers:
    """Give the mean of a pair in either order."""
    if {one, other} != {"T1", "T1ce"}:
        one, other = ("T1" if role == "T1ce" else role for role in (one, other))
    known = _PAIR_MEANS.get((one, other))
    return known if known is not None else swapped(_PAIR_MEANS[other, one])
