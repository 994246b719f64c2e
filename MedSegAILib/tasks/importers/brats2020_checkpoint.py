"""A run folder of the published BraTS 2020 code, read and checked: network, tensors, normalization.

Nothing of the file is executed: it is loaded as plain tensors or not at all. Optimizer and scheduler are ignored.
Not here: the package that is made of it. Ring 3.

Source: github.com/lescientifik/open_brats2020, e5f98961: names, shapes and keys of what its trainer writes.
"""

from __future__ import annotations

import io
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from MedSegAILib import networks
from MedSegAILib.core.errors import PackageError, UsageError
from MedSegAILib.core.result import Notice
from MedSegAILib.tasks.package import sha256

from .brats2020_settings import RunSettings, read_settings

CHECKPOINT = "model_best.pth.tar"
HEADS = ("deep_bottom.", "deep_bottom2.", "deep3.", "deep2.")  # of deep supervision; training alone uses them
# encoder1 has one more level of names with attention.
FIRST_STAGE = re.compile(r"^encoder1\.(?:UBlock\.)?ConvBnRelu([12])\.conv\.weight$")
PUBLISHED_NAMES = {
    "brats2020.EquiUnet": "EquiUnet",
    "brats2020.AttEquiUnet": "Att_EquiUnet",
    "brats2020.Unet": "Unet",
}

Tensors = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Run:
    """A checked run.

    Args:
        name: of its folder.
        network: key of ``networks.NETWORKS``.
        arguments: of the network, without the heads of deep supervision.
        normalization: "minmax" (pipeline A) or "zscore" (pipeline B).
        tensors: by the network's names, float32; without heads, zero-sized ones included.
        has_heads: whether the file held heads.
        epoch: as the file counts; None when it does not say.
        checkpoint_sha256: of the file.
        notices: what was assumed.
    """

    name: str
    network: str
    arguments: Mapping[str, Any]
    normalization: str
    tensors: Tensors
    has_heads: bool
    epoch: int | None
    checkpoint_sha256: str
    notices: tuple[Notice, ...]

    @property
    def parameter_count(self) -> int:
        """Elements of all tensors that are kept."""
        return sum(tensor.size for tensor in self.tensors.values())


def read_run(folder: Path) -> Run:
    """Read a run folder: ``model_best.pth.tar`` and the yaml beside it.

    Raises:
        PackageError: "import.missing" (no checkpoint), "import.unsafe" (it holds objects that are no data),
            "import.unreadable" (damaged, or another kind of file), "import.tensors" (not a network of the published
            code), "import.settings" (the yaml cannot be used, or belongs to another run).
    """
    name = folder.resolve().name
    content, digest = _load(folder / CHECKPOINT, name)
    state = _state(content, name)
    settings, notices = read_settings(folder, name)
    network, width, norm = _recognize(state, settings, name)
    has_heads = any(key.startswith(HEADS) for key in state)
    arguments = {"width": width, "norm": norm}
    _compare(state, _shapes(network, {**arguments, "deep_heads": has_heads}, name), name)
    tensors = {key: _as_float32(key, value, name) for key, value in state.items() if not key.startswith(HEADS)}
    epoch = content.get("epoch")
    return Run(
        name,
        network,
        arguments,
        settings.normalization,
        tensors,
        has_heads,
        epoch if isinstance(epoch, int) else None,
        digest,
        notices,
    )


def _load(path: Path, name: str) -> tuple[Mapping[str, Any], str]:
    if not path.is_file():
        raise PackageError(
            "import.missing", f"{name} holds no {CHECKPOINT}.", "Give the run folder that the published code wrote."
        )
    try:
        encoded = path.read_bytes()  # once, so that the checksum is that of what was read
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle protocol of a file that is then refused or read
            content = torch.load(io.BytesIO(encoded), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
        if foreign is None:
            raise _unreadable(name) from error
        raise PackageError(
            "import.unsafe",
            f"{CHECKPOINT} of {name} holds {foreign.group(1)}, which is no data; nothing of it was run.",
            "Do not use this file; give one that holds tensors, numbers and texts only.",
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise _unreadable(name) from error
    if not isinstance(content, Mapping):
        raise _unreadable(name)
    return content, sha256(encoded)


def _unreadable(name: str) -> PackageError:
    return PackageError(
        "import.unreadable",
        f"{CHECKPOINT} of {name} is damaged, or no file that torch.save wrote.",
        "Copy it again from its source.",
    )


def _state(content: Mapping[str, Any], name: str) -> dict[str, torch.Tensor]:
    """Give the tensors by name, without the "module." that several GPUs put before each."""
    state = content.get("state_dict")
    if not isinstance(state, Mapping) or not state:
        raise _refused(name, "it has no state_dict")
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise _refused(name, f"its entry {str(key)[:80]!r} is no tensor")
    is_wrapped = all(key.startswith("module.") for key in state)
    return {key.removeprefix("module.") if is_wrapped else key: value for key, value in state.items()}


def _recognize(state: Mapping[str, torch.Tensor], settings: RunSettings, name: str) -> tuple[str, int, str]:
    """Tell network, width and norm; the tensors say all but group or instance, which only the yaml knows."""
    first = {match.group(1): state[key].shape for key in state if (match := FIRST_STAGE.match(key))}
    if set(first) != {"1", "2"} or not all(len(shape) == 5 and shape[0] > 0 for shape in first.values()):
        raise _refused(name, "it has no first stage of two convolutions (encoder1)")
    before, width = int(first["1"][0]), int(first["2"][0])
    if any("CBAM" in key for key in state):
        network = "brats2020.AttEquiUnet"
    elif before == width:
        network = "brats2020.EquiUnet"
    else:
        network = "brats2020.Unet"
    if settings.arch not in ("", PUBLISHED_NAMES[network]) or settings.width not in (None, width):
        raise PackageError(
            "import.settings",
            f"The yaml of {name} tells of {settings.arch or 'a network'} with width {settings.width or width}, "
            f"the checkpoint holds {PUBLISHED_NAMES[network]} with width {width}.",
            "Take checkpoint and yaml from one and the same run.",
        )
    has_norm = any(key.endswith(".bn.weight") for key in state)
    if has_norm == (settings.norm == "none") and settings.is_norm_told:
        raise PackageError(
            "import.settings",
            f"The yaml of {name} says norm_layer {settings.norm}, "
            f"the checkpoint has {'norm layers' if has_norm else 'none'}.",
            "Take checkpoint and yaml from one and the same run.",
        )
    return network, width, settings.norm if has_norm else "none"


def _shapes(network: str, arguments: Mapping[str, Any], name: str) -> dict[str, tuple[int, ...]]:
    try:
        with torch.device("meta"):  # shapes only
            module = networks.build(network, **arguments)
    except UsageError as error:
        raise PackageError(
            "import.settings", f"The network of {name} cannot be built: {error.message}", error.hint
        ) from error
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def _compare(state: Mapping[str, torch.Tensor], wanted: Mapping[str, tuple[int, ...]], name: str) -> None:
    if missing := [key for key in wanted if key not in state]:
        raise _refused(name, f"it lacks {missing[0]}")
    if unknown := [key for key in state if key not in wanted]:
        raise _refused(name, f"it has {unknown[0][:80]}, which no such network has")
    for key, shape in wanted.items():
        if tuple(state[key].shape) != shape:
            raise _refused(name, f"{key} has shape {list(state[key].shape)}, wanted {list(shape)}")


def _as_float32(key: str, value: torch.Tensor, name: str) -> npt.NDArray[np.float32]:
    if not value.is_floating_point() or value.is_sparse or value.is_quantized:
        raise _refused(name, f"{key} holds {value.dtype}, wanted plain floating point numbers")
    array: npt.NDArray[np.float32] = value.detach().to(torch.float32).contiguous().numpy()
    if not np.isfinite(array).all():
        raise _refused(name, f"{key} has values that are not numbers")
    return array


def _refused(name: str, why: str) -> PackageError:
    return PackageError(
        "import.tensors",
        f"{CHECKPOINT} of {name} is no network of the published code: {why}.",
        "Give a checkpoint of the published code (lescientifik/open_brats2020) that was not edited.",
    )
