"""What client and server say to each other: one JSON line a message, checked on arrival.

Arrays do not travel here (``transfer``), processes are not started here (``process``). Standard library only, so
that the server can greet before numpy is loaded. Ring 7 (worker).

    server -> client   hello (first of all), then for each job: taken, progress*, provisional?, one of result or error
    client -> server   segment, ask, cancel; the end of the stream asks the server to leave
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from MedSegAILib.core.errors import MedSegAIError, WorkerError, error_from_json
from MedSegAILib.version import VERSION

# Raised with every change of a message, so that two unequal sides part with a sentence and not with a KeyError.
PROTOCOL = 3

FIRST_FOLDER = "first"  # of the arrays of a provisional result, within the folder of the job
_SHOWN_CHARACTERS = 80  # of a broken line, in the error


@dataclass(frozen=True)
class Hello:
    """The first line of the server: protocol and library version, its process id."""

    protocol: int
    library: str
    pid: int


@dataclass(frozen=True)
class Segment:
    """A job.

    Args:
        job: its number, counted by the client.
        task: name of the task.
        packages: further folders in which packages are looked for, absolute.
        options: ``RunOptions.to_json()``.
        folder: private folder of the arrays, absolute; results are written there too.
        case: ``transfer.write_case``.
        first_look: whether a coarse result is wanted before the run.
    """

    job: int
    task: str
    packages: tuple[str, ...]
    options: dict[str, Any]
    folder: str
    case: dict[str, Any]
    first_look: bool


@dataclass(frozen=True)
class Ask:
    """A job that is no run; the answer comes as :class:`Finished` or :class:`Failed`.

    Args:
        job: its number, counted by the client.
        verb: what to do, a key of ``verbs.VERBS``.
        folder: private folder of the arrays, absolute.
        arguments: what the verb takes.
    """

    job: int
    verb: str
    folder: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class CancelJob:
    """Stop that job at its next check."""

    job: int


@dataclass(frozen=True)
class Taken:
    """The server has begun this job; one that was sent but never taken can be given to another worker."""

    job: int


@dataclass(frozen=True)
class Progressed:
    """One step of a job; fields as in ``core.run.Progress``."""

    job: int
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Provisional:
    """A first, coarse result of a job; arrays lie in the folder ``first`` within that of the job."""

    job: int
    result: dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """The result of a job, as ``transfer.write_result`` gave it."""

    job: int
    result: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """The error of a job, as ``MedSegAIError.to_json`` gave it; a confirmed cancel is one of them."""

    job: int
    error: dict[str, Any]


Message = Hello | Segment | Ask | CancelJob | Taken | Progressed | Provisional | Finished | Failed

KINDS: dict[str, type[Message]] = {
    "hello": Hello,
    "segment": Segment,
    "ask": Ask,
    "cancel": CancelJob,
    "taken": Taken,
    "progress": Progressed,
    "provisional": Provisional,
    "result": Finished,
    "error": Failed,
}
_NAMES = {cls: kind for kind, cls in KINDS.items()}


def encode(message: Message) -> bytes:
    """Give the line of a message, newline included.

    ASCII only (so no text can break a line or an encoding); floats round-trip exactly; NaN and infinities are written
    as Python's ``json`` writes them.
    """
    data = {"kind": _NAMES[type(message)], **asdict(message)}
    return json.dumps(data, separators=(",", ":"), default=_plain).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """Read one line; fields that this version does not know are passed over.

    Raises:
        WorkerError: "worker.protocol" when the line is no message: not JSON, an unknown kind, a field missing or of
            another type.
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise broken(f"a line is not JSON: {_shown(line)}") from error
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise broken(f"a message is of no known kind: {_shown(line)}")
    cls = KINDS[kind]
    values: dict[str, Any] = {}
    for field in fields(cls):
        value = data.get(field.name)
        if not _fits(value, str(field.type)):
            raise broken(f"the field {field.name!r} of {kind!r} is not of type {field.type}: {_shown(line)}")
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return cls(**values)


def check_hello(hello: Hello) -> None:
    """Go on only with a server of the same protocol and the same library.

    Raises:
        WorkerError: "worker.version" with both versions.
    """
    if (hello.protocol, hello.library) != (PROTOCOL, VERSION):
        raise WorkerError(
            "worker.version",
            f"The worker is MedSegAI {hello.library} (protocol {hello.protocol}), this program is MedSegAI {VERSION} "
            f"(protocol {PROTOCOL}).",
            "Restart the program after an update, or let both use the same installation.",
            worker=hello.library,
            client=VERSION,
        )


def decode_error(data: dict[str, Any]) -> MedSegAIError:
    """Rebuild the error of a :class:`Failed` message.

    Raises:
        WorkerError: "worker.protocol" when it is no error.
    """
    try:
        return error_from_json(data)
    except (TypeError, ValueError) as error:
        raise broken(f"an error message cannot be read ({error})") from error


def broken(what: str) -> WorkerError:
    """Make the one error of a line or a table that does not keep the protocol."""
    return WorkerError(
        "worker.protocol",
        f"The worker and this program do not understand each other: {what}.",
        "Run it again; if it happens again, report it with the log.",
    )


def _fits(value: Any, annotation: str) -> bool:
    if annotation == "int":
        return type(value) is int
    if annotation == "bool":
        return type(value) is bool
    if annotation == "str":
        return isinstance(value, str)
    if annotation == "dict[str, Any]":
        return isinstance(value, dict)
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _plain(value: Any) -> Any:
    """Turn what json does not know (numpy scalars, paths) into what it knows."""
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")
