"""A package as a MONAI bundle: TorchScript, state dict, metadata and an inference config, checked when it is written.

The network is ours to the logit. The config's preparation is written in MONAI's own transforms and only comes near
ours; the README of the bundle says where they differ. Not here: reading bundles. Ring 3; needs torch, not MONAI.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAILib.core.errors import PackageError, SetupError
from MedSegAILib.version import VERSION

from .manifest import Ensemble
from .monai_config import inference_config, metadata, readme
from .package import Package
from .sealing import package_draft

if TYPE_CHECKING:
    from torch import nn

NETWORK, STATE = "models/model.ts", "models/model.pt"
# Sides of the boxes on which the written network is compared with ours: one it was traced on, one it was not.
TRACED_SIZE, OTHER_SIZES = 16, (24, 16, 32)
LARGEST_DIFFERENCE = 1e-4  # of logits; rounding of another order of sums
_SEED = 11


def export_monai_bundle(package: Package, folder: Path) -> Path:
    """Write a bundle and compare its network with the package's own on random boxes.

    Args:
        package: with one stage of one ensemble; several members become one network that averages them.
        folder: new or empty; its name becomes the bundle's.

    Returns:
        The folder: configs/metadata.json, configs/inference.json, models/model.ts, models/model.pt, docs/README.md,
        LICENSE.

    Raises:
        PackageError: "monai.ensembles" when the package has stages or ensembles that a bundle cannot say;
            "monai.differs" when the written network does not give the same logits.
        SetupError: "setup.torch_missing".
        UsageError: "output.exists", "output.not_a_folder". ResourceError: "output.not_writable".
    """
    ensembles = [ensemble for stage in package.stages for ensemble in stage.ensembles]
    if len(ensembles) != 1:
        raise PackageError(
            "monai.ensembles",
            f"{package.task} has {len(package.stages)} stages with {len(ensembles)} ensembles; a MONAI bundle holds one"
            " network.",
            "Export it as a package: leave out --monai.",
        )
    ensemble = ensembles[0]
    network = _network(package, ensemble)
    with package_draft(folder) as draft:
        for name in ("configs", "models", "docs"):
            (draft / name).mkdir()
        facts = metadata(package, ensemble)
        _write_network(network, draft, len(package.roles), facts)
        _write_json(draft / "configs" / "metadata.json", facts)
        _write_json(draft / "configs" / "inference.json", inference_config(package, ensemble))
        (draft / "docs" / "README.md").write_bytes(readme(package, ensemble).encode())
        (draft / "LICENSE").write_bytes(_license(package).encode())
        for path in draft.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        draft.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()  # empty, see package_draft
        draft.replace(folder)
    return folder


def _network(package: Package, ensemble: Ensemble) -> nn.Module:
    """Build the network of the ensemble with its weights; of several members, the one whose logits are their mean's."""
    try:
        import torch
        from torch import nn

        from MedSegAILib import networks
    except (ImportError, OSError) as error:
        raise SetupError(
            "setup.torch_missing",
            f"A MONAI bundle needs torch, which does not load here ({error}).",
            "Install torch; running packages does not need it.",
        ) from error

    class Member(nn.Module):
        """One tensor out: deep heads of training are left aside."""

        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            output = self.network(image)
            logits: torch.Tensor = output[0] if isinstance(output, (tuple, list)) else output
            return logits

    class Mean(nn.Module):
        """Logits of the mean of the members' probabilities, which is what our engine averages."""

        def __init__(self, members: list[Member], is_softmax: bool) -> None:
            super().__init__()
            self.members = nn.ModuleList(members)
            self.is_softmax = is_softmax

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            outputs = [member(image) for member in self.members]
            if self.is_softmax:
                return torch.log(torch.stack([output.softmax(dim=1) for output in outputs]).mean(dim=0))
            return torch.logit(torch.stack([output.sigmoid() for output in outputs]).mean(dim=0), eps=1e-7)

    members = []
    for network, files in ensemble.by_network():
        for file in files:
            module = networks.build(network.name, **dict(network.arguments))
            weights = {name: torch.from_numpy(value.copy()) for name, value in package.weights(file).items()}
            module.load_state_dict(weights)
            members.append(Member(module))
    whole = members[0] if len(members) == 1 else Mean(members, ensemble.activation == "softmax")
    return whole.eval().requires_grad_(False)


def _write_network(network: nn.Module, draft: Path, channels: int, facts: Mapping[str, Any]) -> None:
    import torch

    maker = torch.Generator().manual_seed(_SEED)
    example = torch.rand((1, channels, TRACED_SIZE, TRACED_SIZE, TRACED_SIZE), generator=maker)
    other = torch.rand((1, channels, *OTHER_SIZES), generator=maker)
    # Without the optimizer, which compiles for each shape and takes longer than the comparison.
    with warnings.catch_warnings(), torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
        # torch calls TorchScript deprecated; it is what bundles of MONAI hold.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, str(draft / NETWORK), _extra_files={"metadata.json": json.dumps(facts)})
        written = torch.jit.load(str(draft / NETWORK))  # type: ignore[no-untyped-call]
        torch.save(dict(written.state_dict()), draft / STATE)
        difference = max(float((written(box) - network(box)).abs().max()) for box in (example, other))
    if not difference <= LARGEST_DIFFERENCE:
        raise PackageError(
            "monai.differs",
            f"The network written for MONAI differs from ours by {difference:.2g} in its logits.",
            "Report it with the name of the package.",
        )


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_bytes((json.dumps(content, indent=4) + "\n").encode())


def _license(package: Package) -> str:
    return (
        f"License of the weights as their package states it: {package.manifest['license']}\n\n"
        f"Package: {package.task} {package.version}. Written by MedSegAI {VERSION}.\n"
        "Research use only. Not for clinical decisions.\n"
    )
