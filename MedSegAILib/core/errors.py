"""The one exception tree: a stable code, a sentence, the next step, and who has to act.

Every message names the thing, the value found and the value wanted; every hint is one next step. The same
object crosses the worker as JSON, so panel, shell and Python say the same sentence. Ring 0 (nouns).

    MedSegAIError            exit 1   a defect of ours
    ├── UsageError           exit 2   the caller acts
    ├── InputError           exit 3   whoever has the images
    ├── PackageError         exit 4   whoever made the package
    ├── ResourceError        exit 5   the machine (memory, disk, GPU)
    ├── SetupError           exit 6   the installation
    ├── WorkerError          exit 7   us, in the worker process
    └── Cancelled            exit 130 nobody
"""

from __future__ import annotations

from typing import Any, ClassVar


class MedSegAIError(Exception):
    """Base of every error that a user may see.

    Args:
        code: stable dotted name, listed in ``docs/reference/errors.md``.
        message: one sentence: what is wrong with which thing.
        hint: one sentence: the next step; may be empty for ``Cancelled``.
        details: JSON-able facts for scripts; never voxels, never a patient's name.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that :func:`error_from_json` turns back into the same error."""
        return {
            "class": type(self).__name__,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "details": self.details,
        }


class UsageError(MedSegAIError):
    """The call is wrong: an option, a combination, a name that does not exist."""

    exit_code = 2


class InputError(MedSegAIError):
    """The images cannot be used as they are."""

    exit_code = 3


class PackageError(MedSegAIError):
    """A model package is incomplete, altered or of an unknown format."""

    exit_code = 4


class ResourceError(MedSegAIError):
    """The machine lacks memory, disk space or a device."""

    exit_code = 5


class SetupError(MedSegAIError):
    """A library that is needed for this step is not installed or does not load."""

    exit_code = 6


class WorkerError(MedSegAIError):
    """The worker process died or broke the protocol."""

    exit_code = 7


class Cancelled(MedSegAIError):  # noqa: N818 - nothing went wrong: the user stopped it
    """The user stopped the run; nothing was written."""

    exit_code = 130

    def __init__(
        self, code: str = "run.cancelled", message: str = "The run was cancelled.", hint: str = "", **details: Any
    ) -> None:
        super().__init__(code, message, hint, **details)


_CLASSES: dict[str, type[MedSegAIError]] = {
    cls.__name__: cls
    for cls in (
        MedSegAIError,
        UsageError,
        InputError,
        PackageError,
        ResourceError,
        SetupError,
        WorkerError,
        Cancelled,
    )
}


def error_from_json(message: dict[str, Any]) -> MedSegAIError:
    """Rebuild an error that :meth:`MedSegAIError.to_json` wrote; an unknown class becomes the base class."""
    cls = _CLASSES.get(str(message.get("class")), MedSegAIError)
    return cls(
        str(message.get("code", "unknown")),
        str(message.get("message", "")),
        str(message.get("hint", "")),
        **dict(message.get("details", {})),
    )
