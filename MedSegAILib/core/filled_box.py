"""The smallest box of an array that holds all that is not zero; a tumor is a thousandth of a head. Ring 0 (nouns)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def filled_box(array: npt.NDArray[Any]) -> tuple[slice, slice, slice]:
    """Give the smallest box ``[z, y, x]`` that holds every non-zero voxel; empty (all zero long) without one."""
    # One axis after the other, each only within what the ones before left over.
    planes = np.flatnonzero(array.any(axis=(1, 2)))
    if not len(planes):
        return slice(0, 0), slice(0, 0), slice(0, 0)
    z = slice(int(planes[0]), int(planes[-1]) + 1)
    footprint: npt.NDArray[np.bool_] = np.any(array[z], axis=0)
    rows, columns = np.flatnonzero(footprint.any(axis=1)), np.flatnonzero(footprint.any(axis=0))
    return z, slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
