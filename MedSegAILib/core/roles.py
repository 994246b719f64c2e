"""Which volume is which sequence: words, headers and looks weighed together, one volume a role, doubt left open.

A role is given when its confidence reaches ``SURE``; else it stays open with its candidates, to be asked for. Words of
names and headers come before looks: looks settle what words leave open, they never overrule. The same for files,
DICOM series and nodes of a scene. Ring 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .role_looks import Look
from .role_odds import HEAD_ROLES, LookOdds
from .role_words import OTHER, SURE, Claim

# Weight of a naming by how a volume's claim agrees with it.
_AGAINST_CLAIM = 1e-6  # looks cannot outvote clear words
_PLAIN_T1_ENHANCED = 0.05  # "T1" and nothing more may be the enhanced one
_SILENT = 0.1  # a volume that claims nothing gets a role; that it gets none weighs 1
_LEFT_OUT = 0.02  # a volume that claims a role gets none
MOST_CANDIDATES = 6  # a role; more are left open
MOST_SURE = 0.99  # no look is certain
_ALONE = "It is the only image, and the task takes one."
LIKELY = 0.1  # a volume is named as candidate from here on
_LOOK_WORDS = {
    "T1": "fluid dark, white matter bright, and no contrast agent where the other T1 has it",
    "T1ce": "fluid dark, white matter bright, and thin structures bright with contrast agent",
    "T2": "fluid the brightest",
    "FLAIR": "fluid dark, gray matter not darker than white matter",
}


@dataclass(frozen=True, eq=False)
class Candidate:
    """One volume of a study.

    Args:
        key: what the caller knows it by (a path, a node id).
        title: what sentences call it (a file name); never a patient's name.
        claim: what its names and headers say.
        look: how it looks; None when nobody looked.
    """

    key: str
    title: str
    claim: Claim
    look: Look | None = None


@dataclass(frozen=True)
class Guess:
    """What was found about one volume.

    Args:
        key: as in its candidate; ``title`` too.
        role: given role, "" when none was given.
        confidence: of that role, or that none was right, 0 to 1.
        reason: one sentence.
        source: "words", "looks", "alone" (the only volume for the only role) or "".
    """

    key: str
    title: str
    role: str
    confidence: float
    reason: str
    source: str = ""


@dataclass(frozen=True)
class Assignment:
    """The roles of a study.

    Args:
        guesses: one a candidate, in their order.
        in_doubt: open role -> keys of the volumes that may have it, likeliest first.
    """

    guesses: tuple[Guess, ...]
    in_doubt: Mapping[str, tuple[str, ...]]

    @property
    def by_role(self) -> dict[str, Guess]:
        """Give the guess of each role that was given."""
        return {guess.role: guess for guess in self.guesses if guess.role}

    def question(self, role: str) -> str:
        """Give the sentence that asks for an open role."""
        titles = {guess.key: guess for guess in self.guesses}
        candidates = [titles[key] for key in self.in_doubt[role]]
        listed = "; ".join(f"{guess.title} ({guess.reason[0].lower()}{guess.reason[1:-1]})" for guess in candidates)
        return f"It is not certain which image is {role}: {listed}."


def claim_together(claims: Sequence[Claim]) -> Claim:
    """Give what several sources say about one volume: the surest, unless two sure ones exclude each other.

    A source that says T1 and nothing of contrast agent gives way to one that says T1ce.
    """
    sure = [claim for claim in claims if claim.is_sure]
    kinds = {claim.role for claim in sure}
    if kinds == {"T1", "T1ce"} and all(claim.is_plain_t1 for claim in sure if claim.role == "T1"):
        return next(claim for claim in sure if claim.role == "T1ce")
    if len(kinds) > 1:
        first, second = sure[0], next(claim for claim in sure if claim.role != sure[0].role)
        if OTHER in kinds:
            return first if first.role == OTHER else second
        return Claim("", 0.0, f"{first.reason}, but {second.reason}")
    ranked = sorted(claims, key=lambda claim: -claim.confidence)
    return ranked[0] if ranked else Claim("", 0.0, "it has no name")


def assign(candidates: Sequence[Candidate], roles: Sequence[str]) -> Assignment:
    """Give each role its volume, where that is certain.

    Args:
        candidates: all volumes of a study; looks decide only when the roles are the four sequences of a head.
        roles: wanted roles.
    """
    if not candidates or not roles:
        return Assignment((), {})
    if len(candidates) == len(roles) == 1 and not candidates[0].claim.role:
        only = candidates[0]  # nothing speaks against it; whether it is such an image is checked by the run
        return Assignment((Guess(only.key, only.title, roles[0], MOST_SURE, _ALONE, "alone"),), {})
    odds = None
    if set(HEAD_ROLES) <= set(roles) and any(one.look is not None for one in candidates):
        # A look that is no head's leaves clear words as they are; the checks of the run say what is wrong.
        seen = [
            index
            for index, one in enumerate(candidates)
            if one.look is not None and not (one.look.problem and one.claim.is_sure)
        ]
        odds = _seen_odds(candidates, seen)
    shares = _shares(candidates, roles, odds)
    guesses = []
    for index, one in enumerate(candidates):
        role, share = max(((role, shares[index, column]) for column, role in enumerate(roles)), key=lambda e: e[1])
        guesses.append(_guess(one, role if share >= SURE else "", float(share), float(1 - shares[index].sum())))
    in_doubt = _rivals(candidates, guesses)
    guesses = [replace(guess, role="", source="") if guess.role in in_doubt else guess for guess in guesses]
    given = {guess.role for guess in guesses if guess.role} | set(in_doubt)
    for column, role in enumerate(roles):
        likely = [index for index in np.argsort(-shares[:, column], kind="stable") if shares[index, column] >= LIKELY]
        if role not in given and likely:
            in_doubt[role] = tuple(candidates[index].key for index in likely)
    return Assignment(tuple(guesses), in_doubt)


def _rivals(candidates: Sequence[Candidate], guesses: Sequence[Guess]) -> dict[str, tuple[str, ...]]:
    """Give the roles that looks gave to one of several volumes with the same clear words: that is not theirs to say."""
    rivals = {}
    for one, guess in zip(candidates, guesses, strict=True):
        others = [
            other.key
            for other, left in zip(candidates, guesses, strict=True)
            if not left.role and other.claim.is_sure and other.claim.role == guess.role
        ]
        if guess.role and others and one.claim.confidence < 1.0:
            rivals[guess.role] = (one.key, *others)
    return rivals


def wants_look(candidates: Sequence[Candidate], roles: Sequence[str]) -> bool:
    """Tell whether looking at voxels may settle something that words leave open."""
    if not set(HEAD_ROLES) <= set(roles):
        return False
    found = assign(candidates, roles)
    silent = [one for one in candidates if one.claim.role != OTHER and not one.claim.is_sure]
    return len(found.by_role) < len(roles) and bool(silent or found.in_doubt)


def _seen_odds(candidates: Sequence[Candidate], seen: Sequence[int]) -> Callable[[Mapping[int, str]], float]:
    looks = [candidates[index].look for index in seen]
    odds = LookOdds([one for one in looks if one is not None])
    place = {index: position for position, index in enumerate(seen)}

    def log_odds(naming: Mapping[int, str]) -> float:
        own = {place[index]: role for index, role in naming.items() if index in place}
        return odds.log_odds(own) if own else 0.0

    return log_odds


def _shares(
    candidates: Sequence[Candidate], roles: Sequence[str], odds: Callable[[Mapping[int, str]], float] | None
) -> np.ndarray:
    """Give the belief ``[candidate, role]``: summed over all namings, each volume and each role at most once."""
    weights = np.array([[_weight(one.claim, role) for role in roles] for one in candidates])
    left_out = np.array([_left_out(one.claim) for one in candidates])
    namings = [naming for naming in _namings(weights, len(roles)) if naming]
    if not namings:
        return np.zeros_like(weights)
    scores = np.array(
        [
            sum(np.log(weights[index, column] / left_out[index]) for index, column in naming.items())
            + (odds({index: roles[column] for index, column in naming.items()}) if odds else 0.0)
            for naming in namings
        ]
        + [0.0]
    )
    belief = np.exp(scores - scores.max())
    belief /= belief.sum()
    shares = np.zeros_like(weights)
    for naming, share in zip(namings, belief[:-1], strict=True):
        for index, column in naming.items():
            shares[index, column] += share
    return shares


def _namings(weights: np.ndarray, role_count: int) -> Iterator[dict[int, int]]:
    """Give every way to hand out the roles: volume -> role, the likeliest candidates of each role only."""

    def extend(column: int, naming: dict[int, int]) -> Iterator[dict[int, int]]:
        if column == role_count:
            yield naming
            return
        yield from extend(column + 1, naming)
        ranked = np.argsort(-weights[:, column], kind="stable")[:MOST_CANDIDATES]
        for index in (int(index) for index in ranked if weights[index, column] > _AGAINST_CLAIM):
            if index not in naming:
                yield from extend(column + 1, {**naming, index: column})

    yield from extend(0, {})


def _weight(claim: Claim, role: str) -> float:
    if claim.role == OTHER:
        return _AGAINST_CLAIM
    if not claim.is_sure:  # a half-hearted claim leans, a silent one does not
        return claim.confidence if claim.role == role else _SILENT * (1.0 - claim.confidence)
    if claim.role == role:
        return 1.0
    return _PLAIN_T1_ENHANCED if claim.is_plain_t1 and role == "T1ce" else _AGAINST_CLAIM


def _left_out(claim: Claim) -> float:
    if not claim.is_sure or claim.role == OTHER:
        return 1.0
    return _AGAINST_CLAIM if claim.confidence == 1.0 else _LEFT_OUT


def _guess(one: Candidate, role: str, share: float, none_share: float) -> Guess:
    reason = one.claim.reason[:1].upper() + one.claim.reason[1:]
    if role and one.claim.role == role and one.claim.is_sure:
        return Guess(one.key, one.title, role, min(share, one.claim.confidence), f"{reason}.", "words")
    if one.look is not None and one.look.problem:
        return Guess(one.key, one.title, "", none_share, f"{reason}; {one.look.problem}.")
    if role:
        looks = f"it looks like {role}: {_LOOK_WORDS.get(role, '')}" if one.look else "no other volume is left for it"
        return Guess(one.key, one.title, role, min(share, MOST_SURE), f"{reason}; {looks}.", "looks")
    return Guess(one.key, one.title, "", none_share, f"{reason}.")
