"""A study of DICOM files, in folders or in an archive, sorted into its series. Ring 1 (io).

Headers only: each series with its facts, its tags and the reason why it is no volume, if it is none. Which sequence
it is, is not told here: names and tags go to whoever knows roles, and several candidates are never chosen from.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from MedSegAILib.core.errors import InputError, MedSegAIError

from .byte_source import first_bytes
from .dicom_headers import Frame, read_header
from .dicom_series import can_read, series_of
from .dicom_tags import ASKED_TAGS, sequence_tags, text_of

# An archive may claim any size; more than this is no study of one patient.
LARGEST_ARCHIVE_BYTES = 32 << 30
MOST_FILES = 200_000
CHUNK_BYTES = 1 << 20
_ARCHIVE_ERRORS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, eq=False)
class StudySeries:
    """One series of a study.

    Args:
        uid: SeriesInstanceUID; "" when it is not told.
        study_uid: StudyInstanceUID; "" when it is not told.
        number: SeriesNumber, "" when it is not told.
        name: for lists that a user asks for, "Series 5 (t1_mpr_km)".
        title: for messages, "Series 5 with 192 files": a description may hold a name.
        modality: "MR", "CT", ...
        files: in the order of their names.
        image_count: pictures in them.
        tags: attribute to value, both text; several values are joined by a backslash as in DICOM.
        shape_zyx: of the volume; None when it is none.
        spacing_zyx_mm: as ``shape_zyx``.
        problem: why it is no volume, as an error with code and hint; None when it is one.
    """

    uid: str
    study_uid: str
    number: str
    name: str
    title: str
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

    @cached_property
    def folders(self) -> frozenset[Path]:
        """Where its files lie; more than one only when it has a problem."""
        return frozenset(file.parent for file in self.files)


@dataclass(frozen=True, eq=False)
class Study:
    """What lies below a folder.

    Args:
        series: by series number, then by name.
        damaged: DICOM files that cannot be read; they belong to no series here.
    """

    series: tuple[StudySeries, ...]
    damaged: tuple[Path, ...]

    def below(self, folder: Path) -> Study:
        """Give the series and damaged files that lie below a folder, wholly."""
        return Study(
            tuple(entry for entry in self.series if all(_is_in(place, folder) for place in entry.folders)),
            tuple(path for path in self.damaged if _is_in(path.parent, folder)),
        )


class _Head(NamedTuple):
    """What is kept of the first header of a series in a folder."""

    tags: dict[str, str]
    number: str
    study_uid: str


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
    """Sort the DICOM files below a folder, at any depth, into series; each header is read once.

    What is no picture (reports, segmentations, DICOMDIR), of another kind, or hidden is passed over.
    Several folders whose files state one series but make one volume each, not together, are a series each: they are
    copies, or their UIDs were blanked.
    """
    by_series: dict[tuple[str, ...], list[Frame]] = {}
    heads: dict[Path, _Head] = {}
    damaged = []
    for path in _files_below(folder):
        try:
            if not is_dicom(path):
                continue
            frames, data = read_header(path, (*ASKED_TAGS, "StudyInstanceUID"))
        except (InputError, OSError):
            damaged.append(path)
            continue
        if frames:
            uid = frames[0].series_uid
            group = by_series.setdefault((uid,) if uid else (uid, str(path.parent)), [])
            if not any(frame.path.parent == path.parent for frame in group):
                heads[path] = _Head(
                    sequence_tags(data), text_of(data, "SeriesNumber"), text_of(data, "StudyInstanceUID")
                )
            group.extend(frames)
    found = [series for frames in by_series.values() for series in _series_of_uid(frames, heads)]
    found.sort(key=lambda series: (_as_number(series.number), series.name, series.uid, series.path))
    return Study(tuple(found), tuple(damaged))


def _files_below(folder: Path) -> Iterator[Path]:
    """Give the files, by name; links to folders are followed, each folder is opened once."""
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(place, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in paths if path.is_file())


def _is_in(place: Path, folder: Path) -> bool:
    return place == folder or folder in place.parents


def is_dicom(path: Path) -> bool:
    """Tell by content, or by the name of old files, whether a file is DICOM; DICOMDIR is a list and not one."""
    if path.name.upper() == "DICOMDIR" or not path.stat().st_size:
        return False
    return can_read(path, first_bytes(path, 132))


def _series_of_uid(frames: list[Frame], heads: Mapping[Path, _Head]) -> list[StudySeries]:
    whole = _series(frames, heads)
    by_folder: dict[Path, list[Frame]] = {}
    for frame in frames:
        by_folder.setdefault(frame.path.parent, []).append(frame)
    if len(by_folder) == 1 or whole.problem is None or whole.problem.code == "series.scattered":
        return [whole]
    apart = [_series(part, heads) for part in by_folder.values()]
    return apart if all(series.problem is None for series in apart) else [whole]


def _series(frames: list[Frame], heads: Mapping[Path, _Head]) -> StudySeries:
    first = frames[0]
    head = heads[first.path]
    files = tuple(sorted({frame.path for frame in frames}))
    title = f"Series {head.number}" if head.number else "A series"
    title += f" with {len(files)} file{'s' if len(files) > 1 else ''}"
    shape = spacing = None
    problem: MedSegAIError | None = None
    try:
        grid = series_of(frames, title).grid
        shape, spacing = grid.shape_zyx, grid.spacing_zyx_mm
    except MedSegAIError as error:
        problem = error
    folder_count = len({file.parent for file in files})
    if problem is None and folder_count > 1:
        problem = InputError(
            "series.scattered",
            f"{title} lies in {folder_count} folders.",
            "Sort it into one: `medsegai dicom sort`.",
        )
    return StudySeries(
        uid=first.series_uid,
        study_uid=head.study_uid,
        number=head.number,
        name=first.series,
        title=title,
        modality=first.modality,
        files=files,
        image_count=len(frames),
        tags=head.tags,
        shape_zyx=shape,
        spacing_zyx_mm=spacing,
        problem=problem,
    )


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
