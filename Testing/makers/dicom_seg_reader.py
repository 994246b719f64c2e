"""A DICOM SEG read without highdicom: bits and places straight from the elements, as another program would."""

from __future__ import annotations

import numpy as np
import pydicom


def read_seg(source) -> dict[str, set[tuple[float, float, float]]]:
    """Give by segment label the RAS mm centers (rounded to 0.01) of its pixels.

    Args:
        source: path or file object of the DICOM SEG.
    """
    data = pydicom.dcmread(source)
    size = data.Rows * data.Columns
    bits = np.unpackbits(np.frombuffer(data.PixelData, np.uint8), bitorder="little")[: data.NumberOfFrames * size]
    frames = bits.reshape(-1, data.Rows, data.Columns)
    labels = {item.SegmentNumber: item.SegmentLabel for item in data.SegmentSequence}
    shared = data.SharedFunctionalGroupsSequence[0]
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    found: dict[str, set[tuple[float, float, float]]] = {label: set() for label in labels.values()}
    for frame, group in zip(frames, data.PerFrameFunctionalGroupsSequence, strict=True):
        plane = shared if "PlaneOrientationSequence" in shared else group
        cosines = np.array(plane.PlaneOrientationSequence[0].ImageOrientationPatient, float)
        origin = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        label = labels[group.SegmentIdentificationSequence[0].ReferencedSegmentNumber]
        row, column = np.nonzero(frame)
        lps = origin + column[:, None] * cosines[:3] * spacing[1] + row[:, None] * cosines[3:] * spacing[0]
        ras = np.round(lps * (-1.0, -1.0, 1.0), 2) + 0.0
        found[label] |= set(map(tuple, ras.tolist()))
    return found
