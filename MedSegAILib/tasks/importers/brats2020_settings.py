"""The yaml of a run of the published BraTS 2020 code: the few fields that inference needs.

Its writer gives a plain mapping of one line a field, so no YAML library is needed; what is more than that is left
alone. Ring 3; standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.result import Notice

NORMALIZATIONS = ("minmax", "zscore")
LARGEST_BYTES = 1 << 20
_NULLS = ("", "null", "~", "Null", "NULL")


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run.

    Args:
        arch: class name, empty when it is not told.
        width: channels of the first stage, None when it is not told.
        norm: "group", "group<n>", "instance" or "none".
        is_norm_told: whether ``norm`` stands in the yaml.
        normalization: "minmax" or "zscore".
    """

    arch: str = ""
    width: int | None = None
    norm: str = "group"
    is_norm_told: bool = False
    normalization: str = "minmax"


def read_settings(folder: Path, name: str) -> tuple[RunSettings, tuple[Notice, ...]]:
    """Read the yaml beside a checkpoint; without one, or without ``norm_layer``, the published defaults hold.

    Args:
        folder: of the run.
        name: of the run, for messages.

    Raises:
        PackageError: "import.settings" when there are several, or a field has a value that is not known.
    """
    path = _find(folder, name)
    if path is None:
        return RunSettings(), (_assumed(name, "has no yaml", "group norm and min-max scaling were"),)
    fields = _fields(path, name)
    width, norm = fields.get("width", ""), fields.get("norm_layer", "")
    normalization = fields.get("normalisation", "") or "minmax"
    if normalization not in NORMALIZATIONS:
        raise _refused(name, f"its normalisation is {normalization!r}, wanted {' or '.join(NORMALIZATIONS)}")
    if width and not width.isdigit():
        raise _refused(name, f"its width is {width!r}, wanted a number")
    notices = () if norm else (_assumed(name, "says no norm_layer in its yaml", "group norm was"),)
    settings = RunSettings(
        fields.get("arch", ""), int(width) if width else None, _norm(norm), bool(norm), normalization
    )
    return settings, notices


def _find(folder: Path, name: str) -> Path | None:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".yaml", ".yml") and path.is_file())
    named = [path for path in found if path.stem == name]  # <exp_name>/<exp_name>.yaml
    if len(named or found) > 1:
        raise _refused(name, f"it lies beside {len(found) - 1} others, and none carries the name of the folder")
    return next(iter(named or found), None)


def _fields(path: Path, name: str) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES)  # 1 MiB is far more than its thirty lines
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(name, "it cannot be read as text") from error
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        # Indented lines and list items belong to values that inference does not need.
        if colon and key and key == key.strip() and not key.startswith(("#", "-")):
            fields[key.strip("'\"")] = _scalar(value)
    if not fields:
        raise _refused(name, "it holds no field")
    return fields


def _scalar(value: str) -> str:
    text = value.strip()
    if text[:1] in ("'", '"'):
        return text[1:].partition(text[0])[0]
    text = text.partition(" #")[0].strip()
    return "" if text in _NULLS else text


def _norm(written: str) -> str:
    """Translate ``norm_layer``: what is neither group norm nor none is instance norm in the published code."""
    if not written:
        return "group"
    return written if written == "none" or "group" in written else "instance"


def _assumed(name: str, what: str, default: str) -> Notice:
    return Notice(
        "import.assumed",
        f"{name} {what}: {default} assumed, as the published code does.",
        "Put the yaml of the run beside the checkpoint if it had another norm; a wrong norm gives a wrong mask.",
    )


def _refused(name: str, why: str) -> PackageError:
    return PackageError(
        "import.settings", f"The yaml of {name} cannot be used: {why}.", "Give the yaml that the run wrote."
    )
