"""Pixels of DICOM frames, decoded and scaled. pydicom where it has a decoder, else ITK's GDCM. Ring 1 (io)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK
from pydicom.uid import UID, ImplicitVRLittleEndian

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Array

from .dicom_headers import PYDICOM_ERRORS, Frame, lenient
from .headers import damaged


def read_pixels(frames: Sequence[Frame]) -> Array:
    """Give the frames as ``[z, y, x]`` in the given order, scaled by their slopes and intercepts.

    Returns:
        Integers (int16 where they fit, else int32) when every slope is 1 and every intercept whole, else float32.

    Raises:
        InputError: "series.no_pixels", "series.compression", "file.damaged".
    """
    keeps_integers = all(frame.slope == 1 and float(frame.intercept).is_integer() for frame in frames)
    volume = np.empty((len(frames), frames[0].rows, frames[0].columns), np.int32 if keeps_integers else np.float32)
    stored: dict[Path, tuple[Array, bool]] = {}
    last_use = {frame.path: place for place, frame in enumerate(frames)}
    for place, frame in enumerate(frames):
        if frame.path not in stored:
            stored[frame.path] = _decoded(frame)
        pixels, is_scaled = stored[frame.path]
        slope, intercept = (1.0, 0.0) if is_scaled else (frame.slope, frame.intercept)
        image = pixels[frame.index]
        volume[place] = image + int(intercept) if keeps_integers else image * np.float64(slope) + intercept
        if last_use[frame.path] == place:
            del stored[frame.path]
    if keeps_integers and volume.min() >= np.iinfo(np.int16).min and volume.max() <= np.iinfo(np.int16).max:
        return volume.astype(np.int16)
    return volume


def _decoded(frame: Frame) -> tuple[Array, bool]:
    """Give ``[frames, rows, columns]`` of a file, and whether slope and intercept are applied already."""
    name = frame.path.name
    with lenient():
        try:
            data = pydicom.dcmread(frame.path, force=True)
            has_pixels = "PixelData" in data
            syntax = UID(str(data.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)))
        except PYDICOM_ERRORS as error:
            raise damaged(name, f"its DICOM header is damaged ({type(error).__name__})") from error
        if not has_pixels:
            raise InputError(
                "series.no_pixels",
                f"{name} is a DICOM header without pixels.",
                "Export the series with its images.",
            )
        data.file_meta.TransferSyntaxUID = syntax  # files without one are in DICOM's default syntax
        try:
            pixels: Any = data.pixel_array
        except (NotImplementedError, RuntimeError) as error:  # pydicom: no decoder for this syntax, or it failed
            return _decoded_by_gdcm(frame, syntax, error)
        except PYDICOM_ERRORS as error:
            raise damaged(name, f"its pixels do not fit its header ({type(error).__name__})") from error
    return pixels.reshape(-1, frame.rows, frame.columns).astype(np.int64 if pixels.itemsize > 2 else np.int32), False


def _decoded_by_gdcm(frame: Frame, syntax: UID, cause: Exception) -> tuple[Array, bool]:
    refusal = InputError(
        "series.compression",
        f"{frame.path.name} is compressed in a way that cannot be read here ({syntax.name}).",
        "Export the series again without compression.",
        transfer_syntax=str(syntax),
    )
    if frame.is_multi_frame:  # GDCM scales all frames alike
        raise refusal from cause
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(frame.path))
    try:
        pixels = SimpleITK.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise refusal from error
    return pixels.reshape(-1, frame.rows, frame.columns), True
