"""A package: a task as data. Read, checked to the byte, and refused by name when something is off.

The format is told in ``docs/reference/package.md``. Where packages lie is the matter of ``store``, running them that
of ``pipeline``. Ring 3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import MedSegAIError, PackageError, SetupError
from MedSegAILib.core.labels import LabelScheme

from .eight_bit import widened
from .manifest import Ensemble, Network, Stage, read_stages

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_CHECKSUM = "manifest.sha256"
_REPAIR = "Install the package again from its source."

Weights = dict[str, npt.NDArray[np.float32]]

CHECKS = ("head_mr", "brain_stripped", "aligned")


@dataclass(frozen=True)
class Input:
    """One input of a task: role ("FLAIR"), title for people, modality ("MR")."""

    role: str
    title: str
    modality: str


@dataclass(frozen=True, eq=False)
class Package:
    """A checked package; weights are read when they are asked for.

    Args:
        folder: where it lies.
        manifest: the whole manifest, for cards and passports.
        inputs: what the task takes, in the order of the network's channels.
        subsets: sets of roles that it was trained for.
        reference: roles in the order in which they may give the grid of the result.
        scheme: labels and regions.
        stages: what runs.
        presets: view set by preset.
        checksums: sha256 of every file by name.
    """

    folder: Path
    manifest: Mapping[str, Any]
    inputs: tuple[Input, ...]
    subsets: tuple[frozenset[str], ...]
    reference: tuple[str, ...]
    scheme: LabelScheme
    stages: tuple[Stage, ...]
    presets: Mapping[str, Mapping[str, Any]]
    checksums: Mapping[str, str]

    @property
    def task(self) -> str:
        """Name by which users ask for it."""
        return str(self.manifest["task"])

    @property
    def title(self) -> str:
        """Name for people."""
        return str(self.manifest["title"])

    @property
    def version(self) -> str:
        """Version of the package, not of the library."""
        return str(self.manifest["version"])

    @property
    def notice(self) -> str:
        """What every result must carry ("trained on phantoms"); empty when the manifest says nothing."""
        return str(self.manifest.get("notice", ""))

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of the inputs in channel order."""
        return tuple(entry.role for entry in self.inputs)

    @property
    def checks(self) -> frozenset[str]:
        """What is looked at before a run, of ``CHECKS``: as the manifest says, else all that suits a head."""
        if "checks" in self.manifest:
            return frozenset(map(str, self.manifest["checks"]))
        is_head = str(self.manifest.get("anatomy", "head" if "FLAIR" in self.roles else "")) == "head"
        stripped = self.manifest.get("heads", "stripped") == "stripped"
        return frozenset(CHECKS if stripped else CHECKS[:1] + CHECKS[2:]) if is_head else frozenset()

    @property
    def sha256(self) -> str:
        """Checksum of the manifest, which holds those of all other files: it names these weights and no others."""
        return sha256((self.folder / MANIFEST).read_bytes())

    def refuse_other_than(self, wanted_sha256: str) -> None:
        """Go on only with the package that was asked for by its checksum; an empty one is any.

        Raises:
            PackageError: "package.pinned" with both checksums.
        """
        if wanted_sha256 and wanted_sha256 != self.sha256:
            raise PackageError(
                "package.pinned",
                f"The package of {self.task} here ({self.version}, {self.sha256[:12]}) is not the one that was asked"
                f" for ({wanted_sha256[:12]}).",
                "Install that package, or leave the checksum out.",
                found=self.sha256,
                wanted=wanted_sha256,
            )

    @property
    def is_head(self) -> bool:
        """Whether the inputs show a head."""
        return "head_mr" in self.checks

    @property
    def wants_stripped(self) -> bool:
        """Whether its networks learned on brains without skull, mostly."""
        return self.is_head and "brain_stripped" in self.checks

    @property
    def wants_aligned(self) -> bool:
        """Whether its inputs are sequences that must lie on each other."""
        return "aligned" in self.checks

    def weights(self, file_name: str) -> Weights:
        """Read one member's tensors as float32, by the network's own names.

        Raises:
            PackageError: "package.weights" when the file is no safetensors file, or 8-bit kernels lack their factors.
            SetupError: "setup.safetensors_missing".
        """
        try:
            from safetensors import SafetensorError
            from safetensors.numpy import load
        except ImportError as error:
            raise SetupError(
                "setup.safetensors_missing", "The library safetensors is not installed.", "Install safetensors."
            ) from error
        try:
            return widened(load((self.folder / file_name).read_bytes()))
        except (OSError, SafetensorError, KeyError) as error:
            raise PackageError(
                "package.weights", f"The weights {file_name} of {self.task} cannot be read.", _REPAIR
            ) from error

    def graph(self, network: Network | Ensemble) -> dict[str, Any]:
        """Read the topology of a network, or of an ensemble's usual one."""
        return dict(json.loads((self.folder / network.graph).read_text(encoding="utf-8")))


def read_package(folder: Path) -> Package:
    """Read a package and check every file against its checksum.

    Args:
        folder: holds ``manifest.json``.

    Raises:
        PackageError: "package.missing" (no manifest), "package.checksum" (names the file that differs),
            "package.format" (made for another version), "package.manifest" (names the field).
    """
    manifest_file = folder / MANIFEST
    if not manifest_file.is_file():
        raise PackageError(
            "package.missing", f"{folder.name} holds no {MANIFEST}.", "Give the folder of a package, or install it."
        )
    content = manifest_file.read_bytes()
    _check_manifest(folder, content)
    try:
        manifest = json.loads(content)
        if manifest["format"] != FORMAT:
            raise PackageError(
                "package.format",
                f"Package {folder.name} has format {manifest['format']}; this version reads format {FORMAT}.",
                "Update MedSegAI, or install a package made for it.",
            )
        checksums = {str(name): str(value) for name, value in manifest["files"].items()}
        package = _parse(folder, manifest, checksums)
    except MedSegAIError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PackageError(
            "package.manifest",
            f"The manifest of {folder.name} lacks or misstates a field ({type(error).__name__}: {error}).",
            "Compare it with docs/reference/package.md.",
        ) from error
    _check_files(package)
    return package


def sha256(content: bytes) -> str:
    """Give the checksum as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _check_manifest(folder: Path, content: bytes) -> None:
    listed = folder / MANIFEST_CHECKSUM
    wanted = listed.read_text(encoding="utf-8", errors="replace").split() if listed.is_file() else []
    if wanted != [sha256(content), MANIFEST]:
        raise PackageError(
            "package.checksum",
            f"{MANIFEST} of package {folder.name} does not match {MANIFEST_CHECKSUM}.",
            _REPAIR,
            file=MANIFEST,
        )


def _check_files(package: Package) -> None:
    ensembles = [ensemble for stage in package.stages for ensemble in stage.ensembles]
    graphs = {network.graph for ensemble in ensembles for network, _ in ensemble.by_network()}
    needed = graphs | {file for ensemble in ensembles for file in (ensemble.graph, *ensemble.members)}
    for name in sorted(needed | set(package.checksums)):
        # A name with a path in it could point out of the package.
        if Path(name).name != name or name not in package.checksums:
            raise PackageError(
                "package.manifest", f"The manifest of {package.folder.name} gives no checksum for {name!r}.", _REPAIR
            )
        file = package.folder / name
        if not file.is_file() or sha256(file.read_bytes()) != package.checksums[name]:
            what = "does not match its checksum" if file.is_file() else "is missing"
            raise PackageError(
                "package.checksum", f"{name} of package {package.folder.name} {what}.", _REPAIR, file=name
            )


def _parse(folder: Path, manifest: Mapping[str, Any], checksums: Mapping[str, str]) -> Package:
    inputs = tuple(Input(str(i["role"]), str(i["title"]), str(i["modality"])) for i in manifest["inputs"])
    roles = {entry.role for entry in inputs}
    subsets = tuple(frozenset(map(str, subset)) for subset in manifest["subsets"])
    reference = tuple(map(str, manifest["reference"]))
    scheme = LabelScheme.from_json(manifest)
    stages = read_stages(manifest["stages"], scheme, tuple(entry.role for entry in inputs))
    if not (roles and subsets) or set(reference) != roles or not all(s and s <= roles for s in subsets):
        raise ValueError("inputs, subsets, reference and stages must be there and speak of the same roles")
    for required in ("task", "title", "version", "license", "intended_use", "trained_on", "not_for"):
        if not isinstance(manifest[required], str) or not manifest[required]:
            raise ValueError(f"{required} must be a text")
    package = Package(
        folder, manifest, inputs, subsets, reference, scheme, stages, dict(manifest["presets"]), checksums
    )
    if unknown := package.checks - set(CHECKS):
        raise ValueError(f"checks {sorted(unknown)} are not among {', '.join(CHECKS)}")
    return package
