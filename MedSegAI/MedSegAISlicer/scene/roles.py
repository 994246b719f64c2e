"""Which node is which sequence, guessed from names alone. A guess that is not certain is not made.

DICOM attributes and intensities come later (they need more than a name). Ring 9 (scene); no Qt, no MRML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# A token that says the volume is not a scan at all.
_NOT_A_SCAN = {"seg", "segmentation", "label", "labels", "labelmap", "mask", "gt", "truth"}
_CONTRAST = {
    "c",
    "ce",
    "gd",
    "gad",
    "gado",
    "gadolinium",
    "post",
    "postcontrast",
    "contrast",
    "enhanced",
    "km",
    "kontrast",
}
# Words that turn "contrast" into its opposite ("T1 without contrast").
_NATIVE = {"pre", "native", "nativ", "without", "no", "non", "sans", "ohne", "precontrast", "noncontrast"}
_T1 = re.compile(r"^t1(w|n|wi)?$")
_T1CE = re.compile(r"^t1w?(ce|c|gd|gad|post|km)$")
_T2 = re.compile(r"^t2(w|wi)?$")
_FLAIR = re.compile(r"flair|^t2f$")


def guessRole(name: str, roles: Sequence[str]) -> str:
    """Give the role that a node's name speaks of; empty when it names none of ``roles``, or is no scan.

    Args:
        name: node name, for example "BraTS20_Training_001_t1ce".
        roles: roles of the task; "T1", "T1ce", "T2", "FLAIR" are known by their many spellings, any other
            role by its own name.
    """
    tokens = [token for token in re.split(r"[^a-z0-9]+", name.lower()) if token]
    words = set(tokens)
    if words & _NOT_A_SCAN:
        return ""
    guess = _sequence(tokens, words)
    if guess in roles:
        return guess
    plain = [role for role in roles if role.lower() in words and role not in {"T1", "T1ce", "T2", "FLAIR"}]
    return plain[0] if len(plain) == 1 else ""


def _sequence(tokens: Sequence[str], words: set[str]) -> str:
    """Give the MR sequence; FLAIR first, since "T2 FLAIR" is one, then T1 with contrast, which is also a T1."""
    if any(_FLAIR.search(token) for token in tokens):
        return "FLAIR"
    isT1 = any(_T1.match(token) for token in tokens)
    isT1ce = any(_T1CE.match(token) for token in tokens) or (isT1 and bool(words & _CONTRAST) and not words & _NATIVE)
    isT2 = any(_T2.match(token) for token in tokens)
    found = [role for role, isFound in (("T1ce", isT1ce), ("T1", isT1 and not isT1ce), ("T2", isT2)) if isFound]
    return found[0] if len(found) == 1 else ""


def guessRoles(names: Mapping[str, str], roles: Sequence[str]) -> dict[str, str]:
    """Give the node of each role where exactly one node speaks of it.

    Args:
        names: node name by node id.
        roles: roles of the task.

    Returns:
        Node id by role; a role that two nodes claim, or none, is left out.
    """
    claims: dict[str, list[str]] = {}
    for nodeId, name in names.items():
        role = guessRole(name, roles)
        if role:
            claims.setdefault(role, []).append(nodeId)
    return {role: claims[role][0] for role in roles if len(claims.get(role, ())) == 1}
