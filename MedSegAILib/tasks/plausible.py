"""Is this what the task was made for? Inputs that would run and give nonsense are named before they cost time. Ring 3.

Of the 103 train studies of the three tumor sets that have some, none raises an error here and none a notice
but "case.unstripped", which all 71 whole heads raise and no stripped one (Testing/component/tasks/test_real_inputs.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.role_looks import LOWEST_MR_VALUE, look
from MedSegAILib.core.role_odds import HEAD_ROLES, LookOdds
from MedSegAILib.image.head import HeadLook, correlation, look_at
from MedSegAILib.image.survey import survey, survey_grid, tissue

# Different sequences of one head reach 0.89, a rescaled copy in 100 steps 0.9999; plain phantoms reach
# 0.997, they have hardly any texture.
SAME_IMAGE_CORRELATION = 0.999
LEAST_COVERAGE = 0.8

Coarse = npt.NDArray[np.float32]


def refuse_other_modality(case: Case, modalities: Mapping[str, str]) -> None:
    """Refuse CT, and whatever else holds such values, where a task wants MR; and where it wants CT what is not in HU.

    Raises:
        InputError: "volume.not_mr", "volume.not_ct".
    """
    for role, volume in case.volumes.items():
        lowest = float(volume.array.min())
        if modalities.get(role) == "MR" and lowest < LOWEST_MR_VALUE:
            raise InputError(
                "volume.not_mr",
                f"{role} is no MR image: it holds values down to {lowest:g}, as CT does; MR has none below 0.",
                f"Choose the MR series for {role}.",
            )
        if modalities.get(role) == "CT" and lowest >= 0.0:
            raise InputError(
                "volume.not_ct",
                f"{role} is not in Hounsfield units: its lowest value is {lowest:g}; fat and air lie below 0.",
                f"Choose the CT series for {role}, with its rescale slope and intercept applied.",
            )


def look_at_heads(case: Case) -> tuple[dict[str, HeadLook], tuple[Notice, ...]]:
    """Look at every input of a head task: size, skull.

    Returns:
        The look by role, and what a user should know: "case.not_a_head", "case.part_of_head".
    """
    looks = {}
    for role, volume in case.volumes.items():
        grid = survey_grid(volume.grid)
        looks[role] = look_at(survey(volume, grid), grid)
    large = [role for role, look in looks.items() if look.is_too_large]
    small = [role for role, look in looks.items() if look.is_too_small]
    notices = []
    for role in large:
        notices.append(
            Notice(
                "case.not_a_head",
                f"{role} does not look like a head: {_size(looks[role])} of tissue; a head has at most 6500 mL and "
                "290 mm.",
                f"Choose the head series for {role}.",
            )
        )
    if small:
        notices.append(
            Notice(
                "case.part_of_head",
                f"{', '.join(small)}: no whole brain is shown, at most "
                f"{max(looks[role].volume_ml for role in small):.0f} mL of tissue; a brain has 1000 or more.",
                "Give the whole series; what is not imaged cannot be found.",
            )
        )
    return looks, tuple(notices)


def skull_notice(looks: Mapping[str, HeadLook]) -> tuple[Notice, ...]:
    """Say that heads show the skull, when nothing was done about it: "case.unstripped"."""
    with_skull = [role for role, look in looks.items() if look.has_skull]
    if not with_skull:
        return ()
    rest = [role for role in looks if role not in with_skull]
    only = f"; {', '.join(rest)} {'does' if len(rest) == 1 else 'do'} not" if rest else ""
    return (
        Notice(
            "case.unstripped",
            f"{', '.join(with_skull)} {'shows' if len(with_skull) == 1 else 'show'} the skull "
            f"({max(looks[role].volume_ml for role in with_skull):.0f} mL of tissue; a brain has at most 1900){only}.",
            "Allow the repair strip, or look at what is marked outside the brain.",
        ),
    )


def compare_sequences(case: Case) -> tuple[Notice, ...]:
    """Look at inputs that lie on one grid for one image given twice, exchanged sequences, missing parts.

    Args:
        case: volumes that cover the same space; axis orders may differ.

    Returns:
        "case.t1_exchanged", "case.role_doubtful", "case.coverage".

    Raises:
        InputError: "case.same_volume" when one input is another one on another scale.
    """
    grid = survey_grid(case.reference_grid())
    coarse = {role: survey(volume, grid) for role, volume in case.volumes.items()}
    _refuse_scaled_copies(coarse)
    notices = _coverage(coarse, case.reference)
    return (*notices, *_misnamed(case))


def _refuse_scaled_copies(coarse: Mapping[str, Coarse]) -> None:
    roles = list(coarse)
    for index, first in enumerate(roles):
        for second in roles[index + 1 :]:
            value = correlation(coarse[first], coarse[second])
            if value > SAME_IMAGE_CORRELATION:
                raise InputError(
                    "case.same_volume",
                    f"{first} and {second} are the same image on another scale: their correlation is {value:.4f}, "
                    "that of two sequences at most 0.9.",
                    f"Choose another series for {first} or {second}, or leave one out.",
                )


def _coverage(coarse: Mapping[str, Coarse], reference: str) -> list[Notice]:
    wanted = tissue(coarse[reference])
    notices = []
    for role, array in coarse.items():
        share = float((array[wanted] != 0).mean()) if role != reference and wanted.any() else 1.0
        if share < LEAST_COVERAGE:
            notices.append(
                Notice(
                    "case.coverage",
                    f"{role} covers {share:.0%} of what {reference} shows.",
                    f"The result is less certain outside; give a {role} of the whole head if there is one.",
                )
            )
    return notices


def _misnamed(case: Case) -> list[Notice]:
    """Say which sequences look like other ones."""
    roles = [role for role in case.volumes if role in HEAD_ROLES]
    odds = LookOdds([look(case.volumes[role]) for role in roles])
    found = {roles[index]: name for index, name in odds.misnamed(dict(enumerate(roles))).items()}
    if not found:
        return []
    if found == {"T1": "T1ce", "T1ce": "T1"}:
        return [
            Notice(
                "case.t1_exchanged",
                "T1 and T1ce look exchanged: the contrast agent shows in T1.",
                "Compare both; exchange them and run again if so. They were used as named.",
            )
        ]
    words = ", ".join(f"{role} looks like {name}" for role, name in found.items())
    return [
        Notice(
            "case.role_doubtful",
            f"{words}, by the brightness of fluid, gray and white matter.",
            "Compare the images; name them anew and run again if so. They were used as named.",
        )
    ]


def _size(look: HeadLook) -> str:
    depth, height, width = look.extent_zyx_mm
    return f"{look.volume_ml:.0f} mL and {width:.0f} x {height:.0f} x {depth:.0f} mm"
