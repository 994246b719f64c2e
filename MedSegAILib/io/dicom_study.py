"""A study of DICOM files, in folders or in an archive, sorted into its series. Ring 1 (io).

Headers only: each series with its facts, its tags and the reason why it is no volume, if it is none. Which sequence
it is, is not told here: names and tags go to whoever knows roles, and several candidates are never chosen from.
"""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.multival import MultiValue

from MedSegAILib.core.errors import InputError, MedSegAIError

from .byte_source import first_bytes
from .dicom_headers import PYDICOM_ERRORS, Frame, lenient, read_frames
from .dicom_series import can_read, series_of

# What tells sequences apart; nothing of it names a patient.
TAGS = (
    "Modality", "SeriesDescription", "ProtocolName", "SequenceName", "ScanningSequence", "SequenceVariant",
    "ScanOptions", "MRAcquisitionType", "ImageType", "BodyPartExamined", "ContrastBolusAgent", "EchoTime",
    "RepetitionTime", "InversionTime", "FlipAngle", "EchoTrainLength", "MagneticFieldStrength", "AcquisitionTime",
    "DiffusionBValue", "PixelPresentation", "AcquisitionContrast",
)  # fmt: skip
# An archive may claim any size; more than this is no study of one patient.
LARGEST_ARCHIVE_BYTES = 32 << 30
MOST_FILES = 200_000
CHUNK_BYTES = 1 << 20
_ARCHIVE_ERRORS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, eq=False)
class StudySeries:
    """One series of a study.

    Args:
        uid: SeriesInstanceUID.
        number: SeriesNumber, "" when it is not told.
        name: for messages and for finding its role: "Series 5 (t1_mpr_km)".
        modality: "MR", "CT", ...
        files: in the order of their names.
        image_count: pictures in them.
        tags: attribute to value, both text; several values are joined by a backslash as in DICOM.
        shape_zyx: of the volume; None when it is none.
        spacing_zyx_mm: as ``shape_zyx``.
        problem: why it is no volume, as an error with code and hint; None when it is one.
    """

    uid: str
    number: str
    name: str
    modality: str
    files: tuple[Path, ...]
    image_count: int
    tags: dict[str, str]
    shape_zyx: tuple[int, int, int] | None
    spacing_zyx_mm: tuple[float, float, float] | None
    problem: MedSegAIError | None

    @property
    def path(self) -> Path:
        """A file of the series; ``read_volume`` reads the whole series from it."""
        return self.files[0]


@dataclass(frozen=True, eq=False)
class Study:
    """What lies below a folder.

    Args:
        series: by series number, then by name.
        damaged: DICOM files that cannot be read; they belong to no series here.
    """

    series: tuple[StudySeries, ...]
    damaged: tuple[Path, ...]


@contextmanager
def open_study(path: Path) -> Iterator[Path]:
    """Give the folder of a study; an archive (zip, tar, tar.gz, ...) is unpacked into a private one and removed after.

    Raises:
        InputError: "study.missing"; "study.archive" when it is damaged, too large or has paths that lead out of it;
            "study.not_a_folder" when it is neither a folder nor an archive.
    """
    if not path.exists():
        raise InputError("study.missing", f"There is no folder {path.name}.", "Check the path of the study.")
    if path.is_dir():
        yield path
        return
    is_zip, is_tar = zipfile.is_zipfile(path), not zipfile.is_zipfile(path) and tarfile.is_tarfile(path)
    if not (is_zip or is_tar):
        raise InputError(
            "study.not_a_folder",
            f"{path.name} is neither a folder nor an archive (zip, tar).",
            "Give the folder of the study, or its archive.",
        )
    with tempfile.TemporaryDirectory(prefix="medsegai-study-") as name:
        folder = Path(name)
        try:
            if is_zip:
                _unzip(path, folder)
            else:
                _untar(path, folder)
        except _ARCHIVE_ERRORS as error:
            raise _refused(path, f"is damaged ({type(error).__name__})") from error
        yield folder


def list_series(folder: Path) -> Study:
    """Sort the DICOM files below a folder into series.

    Files that are no pictures (reports, segmentations, DICOMDIR) and files of other kinds are passed over.
    """
    by_series: dict[str, list[Frame]] = {}
    damaged = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        if not is_dicom(path):
            continue
        try:
            frames = read_frames(path)
        except InputError:
            damaged.append(path)
            continue
        for frame in frames:
            by_series.setdefault(frame.series_uid, []).append(frame)
    found = [_series(uid, frames) for uid, frames in by_series.items()]
    found.sort(key=lambda series: (_as_number(series.number), series.name, series.uid))
    return Study(tuple(found), tuple(damaged))


def is_dicom(path: Path) -> bool:
    """Tell by content, or by the name of old files, whether a file is DICOM; DICOMDIR is a list and not one."""
    if path.name.upper() == "DICOMDIR" or not path.stat().st_size:
        return False
    return can_read(path, first_bytes(path, 132))


def _series(uid: str, frames: list[Frame]) -> StudySeries:
    first = frames[0]
    files = tuple(sorted({frame.path for frame in frames}))
    shape = spacing = None
    problem: MedSegAIError | None = None
    try:
        grid = series_of(frames).grid
        shape, spacing = grid.shape_zyx, grid.spacing_zyx_mm
    except MedSegAIError as error:
        problem = error
    if problem is None and len({file.parent for file in files}) > 1:
        problem = InputError(
            "series.scattered",
            f"{first.series} lies in {len({file.parent for file in files})} folders.",
            "Sort it into one: `medsegai dicom sort`.",
        )
    tags = _tags(first.path)
    return StudySeries(
        uid,
        tags.pop("SeriesNumber", ""),
        first.series,
        first.modality,
        files,
        len(frames),
        tags,
        shape,
        spacing,
        problem,
    )


def _tags(path: Path) -> dict[str, str]:
    with lenient():
        try:
            data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*TAGS, "SeriesNumber"], force=True)
            found = {name: _text(data.get(name)) for name in (*TAGS, "SeriesNumber")}
        except PYDICOM_ERRORS:
            return {}
    return {name: value for name, value in found.items() if value}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value).strip()


def _as_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _unzip(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _check_size(path, [entry.file_size for entry in entries])
        for entry in entries:
            with archive.open(entry) as packed:
                _write(path, packed, folder, entry.filename)


def _untar(path: Path, folder: Path) -> None:
    with tarfile.open(path) as archive:
        entries = [entry for entry in archive.getmembers() if entry.isfile()]  # links and devices stay behind
        _check_size(path, [entry.size for entry in entries])
        for entry in entries:
            packed = archive.extractfile(entry)
            if packed is not None:
                with packed:
                    _write(path, packed, folder, entry.name)


def _write(path: Path, packed: Any, folder: Path, name: str) -> None:
    target = (folder / name.replace("\\", "/")).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise _refused(path, "holds a path that leads out of it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while piece := packed.read(CHUNK_BYTES):
            file.write(piece)


def _check_size(path: Path, sizes: list[int]) -> None:
    if sum(sizes) > LARGEST_ARCHIVE_BYTES or len(sizes) > MOST_FILES:
        raise _refused(path, f"claims {len(sizes)} files with {sum(sizes) / 1e9:.0f} GB, more than a study has")


def _refused(path: Path, why: str) -> InputError:
    return InputError("study.archive", f"The archive {path.name} {why}.", "Copy or export it again from its source.")
