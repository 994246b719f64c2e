"""Bytes of a plain or gzipped file, asked for by exact count, with every lie of the container told in a sentence.

Whether a file is gzipped is seen from its first bytes, never from its name. Ring 1 (io).
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import InputError, ResourceError
from MedSegAILib.core.result import Notice

from .headers import EXPORT_AGAIN

GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot expand more than this (RFC 1951: 258 bytes from 2 bits, less the block overhead).
LARGEST_EXPANSION = 1032
CHUNK_BYTES = 1 << 20
# The checksum stands at the end of the stream; this much beyond the image is unpacked to reach it.
LARGEST_TAIL_BYTES = 64 << 20
INFLATE_GZIP = 31  # zlib's window size for a gzip container
INFLATE_ZLIB = 15


def first_bytes(path: Path, count: int = 512) -> bytes:
    """Give the first bytes of a regular file, unpacked when it is gzipped; fewer when it has fewer or is damaged.

    Raises:
        InputError: "file.missing", "file.is_folder", "file.unreadable" or "file.empty".
    """
    if os.path.isdir(path):  # unlike Path.is_dir, False for a name that the system cannot hold
        raise InputError(
            "file.is_folder",
            f"{path.name} is a folder, and no DICOM series is in it.",
            "Choose an image file, or a folder of DICOM files.",
        )
    try:
        with path.open("rb") as file:
            start = file.read(max(count, 4096))
    except FileNotFoundError as error:
        raise InputError("file.missing", f"{path.name} is not there.", "Check the path.") from error
    except OSError as error:
        raise InputError(
            "file.unreadable",
            f"{path.name} cannot be opened ({error.strerror or type(error).__name__}).",
            "Check that you may read the file.",
        ) from error
    if not start:
        raise InputError("file.empty", f"{path.name} is empty (0 bytes).", "Copy or export the file again.")
    if start[:2] == GZIP_MAGIC:
        try:
            return zlib.decompressobj(INFLATE_GZIP).decompress(start, count)
        except zlib.error:
            return b""
    return start[:count]


class ByteSource:
    """A file read from front to back; a context manager.

    Args:
        path: a regular file.
        offset: where to start, in the file as it lies on the disk.
        packing: "detect" (gzip if the bytes say so), "none", "gzip" or "zlib".
    """

    def __init__(self, path: Path, offset: int = 0, packing: str = "detect") -> None:
        self._name = path.name
        self._left_on_disk = max(0, path.stat().st_size - offset)
        self._file: BinaryIO = path.open("rb")
        self._file.seek(offset)
        if packing == "detect":
            packing = "gzip" if self._file.read(2) == GZIP_MAGIC else "none"
            self._file.seek(offset)
        self._window = {"none": 0, "gzip": INFLATE_GZIP, "zlib": INFLATE_ZLIB}[packing]
        self._unpacker = zlib.decompressobj(self._window) if self._window else None
        self._packed = b""
        self._trailing = 0

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def at_most(self) -> int:
        """Give a bound on the bytes that can still come."""
        left = self._left_on_disk + len(self._packed)
        return left * LARGEST_EXPANSION + CHUNK_BYTES if self._unpacker else left

    def require(self, count: int) -> None:
        """Go on only when ``count`` more bytes can be there; told from the size of the file, nothing is read.

        Raises:
            InputError: "file.too_short".
        """
        if count > self.at_most():
            raise self._too_short(count, self.at_most() if not self._unpacker else None)

    def take(self, count: int) -> npt.NDArray[np.uint8]:
        """Give exactly ``count`` bytes.

        Raises:
            InputError: "file.too_short" when fewer are there (told without allocating when they cannot be);
                "file.damaged" for a broken gzip stream.
            ResourceError: "memory.image" when the memory does not hold them.
        """
        self.require(count)
        try:
            buffer = np.empty(count, dtype=np.uint8)
        except MemoryError as error:
            raise ResourceError(
                "memory.image",
                f"{self._name} needs {count / 1e6:.0f} MB of memory, which is not free.",
                "Close other programs or use a machine with more memory.",
            ) from error
        filled = 0
        while filled < count:
            piece = self._read(min(CHUNK_BYTES, count - filled))
            if not piece:
                raise self._too_short(count, filled)
            buffer[filled : filled + len(piece)] = np.frombuffer(piece, dtype=np.uint8)
            filled += len(piece)
        return buffer

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes; errors as :meth:`take`."""
        while count > 0:
            count -= len(self.take(min(CHUNK_BYTES, count)))

    def finish(self) -> tuple[Notice, ...]:
        """Read to the end, so that the checksum is tested, and tell what is there beyond the image.

        Raises:
            InputError: "file.damaged" for a wrong checksum, "file.too_short" for a stream that stops before its end.
        """
        extra = 0 if self._unpacker else self._left_on_disk
        while self._unpacker and extra < LARGEST_TAIL_BYTES and (piece := self._read(CHUNK_BYTES)):
            extra += len(piece)
        if self._unpacker and not self._unpacker.eof and extra < LARGEST_TAIL_BYTES:
            raise self._too_short(None, None)
        if self._trailing or extra:
            return (
                Notice(
                    "file.trailing_bytes",
                    f"{self._name} has {self._trailing or extra} bytes more than its header says; they were left out.",
                    f"Check that the picture is whole and not shifted; if it is not: {EXPORT_AGAIN[0].lower()}"
                    f"{EXPORT_AGAIN[1:]}",
                ),
            )
        return ()

    def _read(self, count: int) -> bytes:
        """Give 1 to ``count`` bytes, none at the end."""
        if self._unpacker is None:
            piece = self._file.read(count)
            self._left_on_disk -= len(piece)
            return piece
        while True:
            if self._unpacker.eof and not self._next_member():
                return b""
            if not self._packed:
                self._packed = self._file.read(CHUNK_BYTES)
                self._left_on_disk -= len(self._packed)
            was_empty = not self._packed
            try:
                piece = self._unpacker.decompress(self._packed, count)
            except zlib.error as error:
                raise InputError(
                    "file.damaged",
                    f"The compressed data of {self._name} is damaged ({_plain(error)}).",
                    "Copy the file again from where it came from.",
                ) from error
            # At the end of a member zlib keeps the rest in both places; only ``unused_data`` counts then.
            self._packed = b"" if self._unpacker.eof else self._unpacker.unconsumed_tail
            if piece:
                return piece
            if was_empty and not self._unpacker.eof:
                return b""

    def _next_member(self) -> bool:
        """Go on to another gzip member (RFC 1952 section 2.2); count what is no gzip as trailing bytes."""
        if self._unpacker is None or self._trailing:
            return False
        rest = self._unpacker.unused_data
        if len(rest) < CHUNK_BYTES:
            more = self._file.read(CHUNK_BYTES)
            self._left_on_disk -= len(more)
            rest += more
        if self._window == INFLATE_GZIP and rest[:2] == GZIP_MAGIC:
            self._unpacker, self._packed = zlib.decompressobj(self._window), rest
            return True
        if rest.strip(b"\0"):  # zero bytes are padding of tapes and archives
            self._trailing = len(rest) + self._left_on_disk
        return False

    def _too_short(self, wanted: int | None, found: int | None) -> InputError:
        if wanted is None:
            message = f"{self._name} stops in the middle of its compressed data."
        else:
            held = f" {_size(found)} are there" if found is not None else " the file is far too small for that"
            message = f"{self._name} is incomplete: its header claims {_size(wanted)} of voxels,{held}."
        return InputError("file.too_short", message, "Copy the file again from where it came from; it was cut off.")


def _size(count: int) -> str:
    return f"{count} bytes" if count < 100_000 else f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.0f} GB"


def _plain(error: zlib.error) -> str:
    """Take zlib's own words out of its message ("Error -3 while decompressing data: incorrect data check")."""
    return str(error).rpartition(": ")[2]
