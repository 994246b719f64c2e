"""A new package from a filled template and weights: the template to start from, and the sealed package.

Checkpoints of torch are read as tensors only and become safetensors; topologies are traced. Foreign systems have
importers of their own (``importers``). Ring 3; torch is needed, and loaded, for making only.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSegAILib.core.errors import PackageError, SetupError, UsageError

from .package import MANIFEST, MANIFEST_CHECKSUM, Package
from .sealing import package_draft, seal

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .importers import Precision

CARD = "card.md"
FILL_IN = "FILL IN"
TEXTS = ("title", "version", "license", "intended_use", "trained_on", "not_for")
CHECKPOINTS = (".pt", ".pth", ".ckpt", ".tar")
# Where training programs keep the weights in a checkpoint; the running mean comes first.
_PLACES = ("average", "state_dict", "model_state_dict", "network", "model")
_WRAPPERS = ("module.", "_orig_mod.")  # DataParallel, torch.compile


def write_template(folder: Path, like: Package) -> list[Path]:
    """Write a draft to fill in: the manifest of another package with its own texts taken out, and an empty card.

    Args:
        folder: new or empty; its name is the name of the task.
        like: package whose inputs, labels, stages and presets are the start.

    Raises:
        UsageError: "output.exists", "output.not_a_folder". ResourceError: "output.not_writable".
    """
    manifest = {name: value for name, value in like.manifest.items() if name not in ("files", "expected")}
    manifest["task"] = folder.name
    manifest.update({name: f"{FILL_IN}: {name.replace('_', ' ')}" for name in TEXTS})
    manifest["version"] = "0.1.0"
    manifest["expected"] = {"data": "not measured"}
    card = f"# {FILL_IN}: title\n\n{FILL_IN}: what it was trained on, what it is worth and on what, where it fails.\n"
    with package_draft(folder) as draft:
        (draft / MANIFEST).write_bytes((json.dumps(manifest, indent=1) + "\n").encode())
        (draft / CARD).write_bytes(card.encode())
        draft.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()  # empty, see package_draft
        draft.replace(folder)
    return [folder / MANIFEST, folder / CARD]


def create_package(source: Path, folder: Path, precision: Precision = "fp16") -> Package:
    """Make a package of a filled draft and the weights beside it.

    Args:
        source: folder with ``manifest.json``, ``card.md`` and for each member its weights: ``a0.safetensors`` or a
            checkpoint of the same stem (``a0.pt``).
        folder: of the package, new or empty.
        precision: of the written weights.

    Raises:
        PackageError: "create.draft" when a file or field is missing or still to be filled in; "create.weights" when
            weights are missing, unreadable or do not fit the network; all of ``read_package``.
        SetupError: "setup.torch_missing". UsageError: "output.exists". ResourceError: "output.not_writable".
    """
    manifest = _filled(source)
    with package_draft(folder) as draft:
        (draft / CARD).write_bytes((source / CARD).read_bytes())
        written: set[str] = set()
        for network, file in _members(manifest, source):
            module = _build(network)
            graph = str(network["graph"])
            if graph not in written:
                _write_graph(draft / graph, module)
            if file not in written:
                _write_weights(draft / file, _fitting(_read_weights(source, file), module, file), precision)
            written |= {graph, file}
        for path in sorted(source.iterdir()):
            others = (MANIFEST, MANIFEST_CHECKSUM, CARD, *written)
            if path.is_file() and path.suffix in (".md", ".txt", ".csv", ".png") and path.name not in others:
                (draft / path.name).write_bytes(path.read_bytes())
        return seal(draft, {name: value for name, value in manifest.items() if name != "files"}, folder)


def _filled(source: Path) -> dict[str, Any]:
    for name in (MANIFEST, CARD):
        if not (source / name).is_file():
            raise _draft(source, f"it holds no {name}")
        for number, line in enumerate((source / name).read_text(encoding="utf-8").splitlines(), 1):
            if FILL_IN in line:
                raise _draft(source, f"line {number} of {name} is still to be filled in")
    try:
        return dict(json.loads((source / MANIFEST).read_bytes()))
    except (ValueError, TypeError) as error:
        raise _draft(source, f"{MANIFEST} is no JSON object ({error})") from error


def _members(manifest: Mapping[str, Any], source: Path) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Give each member's network and weight file, as the manifest names them."""
    try:
        for stage in manifest["stages"]:
            for ensemble in stage["ensembles"]:
                for member in ensemble["members"]:
                    own = member if isinstance(member, Mapping) else {"file": member}
                    file = str(own["file"])
                    if Path(file).name != file or not file.endswith(".safetensors"):
                        raise _draft(source, f"the member {file!r} is no plain name that ends in .safetensors")
                    yield dict(own.get("network", ensemble["network"])), file
    except (KeyError, TypeError) as error:
        raise _draft(source, f"its stages lack a field ({type(error).__name__}: {error})") from error


def _build(network: Mapping[str, Any]) -> nn.Module:
    from MedSegAILib import networks

    module: nn.Module = networks.build(str(network["name"]), **dict(network["arguments"]))
    return module.eval()


def _write_graph(path: Path, module: nn.Module) -> None:
    from MedSegAILib.engine.trace import trace_graph

    path.write_bytes((json.dumps(trace_graph(module), separators=(",", ":")) + "\n").encode())


def _read_weights(source: Path, file: str) -> dict[str, Tensor]:
    """Read safetensors, or the tensors of a checkpoint; nothing in it is executed."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    candidates = [source / file, *(source / f"{Path(file).stem}{suffix}" for suffix in CHECKPOINTS)]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise _weights(file, f"neither {file} nor a checkpoint {Path(file).stem}.pt is there")
    try:
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (OSError, SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise _weights(file, f"{path.name} cannot be read as tensors ({type(error).__name__})") from error
    while isinstance(found, Mapping) and (place := next((name for name in _PLACES if name in found), None)):
        found = found[place]
    tensors = {}
    for name, value in dict(found).items() if isinstance(found, Mapping) else ():
        for wrapper in _WRAPPERS:
            name = str(name).removeprefix(wrapper)
        if isinstance(value, torch.Tensor):
            tensors[name] = value
    return tensors


def _fitting(tensors: Mapping[str, Tensor], module: nn.Module, file: str) -> dict[str, Tensor]:
    """Give the tensors that the network has; heads that training alone uses are left behind."""
    wanted = module.state_dict()
    for name, tensor in wanted.items():
        if name not in tensors:
            raise _weights(file, f"the tensor {name!r} is missing")
        if tensors[name].shape != tensor.shape:
            raise _weights(file, f"{name!r} has shape {list(tensors[name].shape)}, wanted {list(tensor.shape)}")
    return {name: tensors[name] for name in wanted}


def _write_weights(path: Path, tensors: Mapping[str, Tensor], precision: Precision) -> None:
    from safetensors.numpy import save

    kind = np.float16 if precision == "fp16" else np.float32
    with np.errstate(over="ignore"):  # told below, with the name of the tensor
        arrays = {name: tensor.float().numpy().astype(kind) for name, tensor in tensors.items()}
    if lost := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
        raise _weights(path.name, f"{lost[0]!r} has values that {precision} cannot hold")
    path.write_bytes(save(arrays))


def _draft(source: Path, why: str) -> PackageError:
    return PackageError(
        "create.draft",
        f"The draft {source.name} is not complete: {why}.",
        "Compare it with docs/reference/package.md, then run again.",
    )


def _weights(file: str, why: str) -> PackageError:
    return PackageError(
        "create.weights",
        f"The weights {file} cannot be made: {why}.",
        "Put the checkpoint beside the manifest under that name, and compare the network's arguments.",
    )


def check_torch() -> None:
    """Check that torch loads.

    Raises:
        SetupError: "setup.torch_missing".
    """
    try:
        import torch  # noqa: F401 - looked for here, so that the sentence comes first
    except (ImportError, OSError) as error:
        raise SetupError(
            "setup.torch_missing",
            f"Making a package needs torch, which does not load here ({error}).",
            "Install torch; running the package afterwards does not need it.",
        ) from error


def check_precision(precision: str) -> None:
    """Refuse a precision that there is not.

    Raises:
        UsageError: "import.precision".
    """
    from .importers import PRECISIONS

    if precision not in PRECISIONS:
        raise UsageError(
            "import.precision", f"There is no precision {precision!r}.", f"Choose one of {', '.join(PRECISIONS)}."
        )
