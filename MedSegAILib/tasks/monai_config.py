"""What a MONAI bundle says in words: metadata, inference config, README; written by ``monai_bundle``. Ring 3.

Source: MONAI bundle specification (metadata.json, network_data_format); transform names of MONAI 1.4.
"""

from __future__ import annotations

from typing import Any

from MedSegAILib.core.result import RESEARCH_USE
from MedSegAILib.version import VERSION

from .manifest import Ensemble
from .package import Package

Json = dict[str, Any]
# Versions the bundle was tried with (Testing/component/tasks/test_monai_bundle.py).
TRIED = {"monai_version": "1.4.0", "pytorch_version": "2.2.0", "numpy_version": "2.0.0"}
OPTIONAL = {"nibabel": "5.2.0", "pytorch-ignite": "0.4.11"}


def metadata(package: Package, ensemble: Ensemble) -> Json:
    """Give metadata.json: who, what for, and the format of the network's input and output."""
    manifest = package.manifest
    return {
        "version": package.version,
        "changelog": {package.version: f"written by MedSegAI {VERSION} from the package {package.task}"},
        **TRIED,
        "required_packages_version": dict(OPTIONAL),
        "name": package.title,
        "task": package.title,
        "description": str(manifest["intended_use"]),
        "authors": "authors of the package",
        "copyright": str(manifest["license"]),
        "data_source": str(manifest["trained_on"]),
        "data_type": "nifti",
        "image_classes": "; ".join(f"{number} {entry.title}" for number, entry in enumerate(package.inputs)),
        "label_classes": "; ".join(ensemble.channels),
        "intended_use": f"{manifest['intended_use']} {RESEARCH_USE} Not for: {manifest['not_for']}",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": "/".join(sorted({entry.modality for entry in package.inputs})),
                    "num_channels": len(package.roles),
                    "spatial_shape": [f"{multiple_of(ensemble)}*n"] * 3,
                    "dtype": "float32",
                    "value_range": [0, 1] if _has(ensemble, "scale_percentiles") else [],
                    "is_patch_data": bool(ensemble.window),
                    "channel_def": {str(number): role for number, role in enumerate(package.roles)},
                }
            },
            "outputs": {
                "pred": {
                    "type": "image",
                    "format": "segmentation",
                    "num_channels": len(ensemble.channels),
                    "spatial_shape": [f"{multiple_of(ensemble)}*n"] * 3,
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": bool(ensemble.window),
                    "channel_def": {str(number): name for number, name in enumerate(ensemble.channels)},
                }
            },
        },
    }


def inference_config(package: Package, ensemble: Ensemble) -> Json:
    """Give inference.json; each object is made only when it is asked for."""
    files = [f"$@dataset_dir + '/{role}.nii.gz'" for role in package.roles]
    return {
        "imports": ["$import numpy as np", "$import torch"],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/study'",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": "$torch.jit.load(@bundle_root + '/models/model.ts', map_location=@device)",
        "network": "$@network_def.to(@device)",
        "input_files": files,
        "preprocessing": {"_target_": "Compose", "transforms": _preprocessing(ensemble)},
        "dataset": {"_target_": "Dataset", "data": "$[{'image': @input_files}]", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "num_workers": 0},
        "inferer": _inferer(ensemble),
        "postprocessing": {"_target_": "Compose", "transforms": _postprocessing(ensemble)},
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
        },
        "initialize": [],
        "run": ["$@evaluator.run()"],
    }


def readme(package: Package, ensemble: Ensemble) -> str:
    """Give docs/README.md."""
    rows = [f"| {number} | {entry.role} | {entry.title} |" for number, entry in enumerate(package.inputs)]
    return "\n".join(
        [
            f"# {package.title}",
            "",
            f"{RESEARCH_USE} Intended use: {package.manifest['intended_use']} Not for: {package.manifest['not_for']}",
            f"Trained on: {package.manifest['trained_on']}",
            "",
            f"Package `{package.task}` {package.version} of MedSegAI {VERSION}, {len(ensemble.members)} member(s).",
            "",
            "| Channel | Role | Image |",
            "|---|---|---|",
            *rows,
            "",
            f"Output: logits of {', '.join(ensemble.channels)}; activation {ensemble.activation}, threshold 0.5.",
            "",
            "`models/model.ts` (TorchScript) gives the logits of MedSegAI on the same prepared array; this was checked",
            "when the bundle was written. `models/model.pt` holds the same weights as a plain state dict.",
            "",
            "**The preparation is only near ours.** `configs/inference.json` uses MONAI's transforms. MedSegAI lays",
            "its working grid around the center of mass of the content, checks and repairs its input; so masks differ",
            "where the package resamples. Measure before you use them. Steps of the package:",
            "",
            *(f"- `{dict(step)}`" for step in ensemble.prepare),
            "",
        ]
    )


def multiple_of(ensemble: Ensemble) -> int:
    """Give the number of voxels whose multiples the network takes as sides."""
    found = [int(step["multiple"]) for step in ensemble.prepare if "multiple" in step]
    return max(found, default=1)


def _has(ensemble: Ensemble, name: str) -> bool:
    return any(step["step"] == name for step in ensemble.prepare)


def _preprocessing(ensemble: Ensemble) -> list[Json]:
    def on_image(target: str, **arguments: Any) -> Json:
        return {"_target_": target, "keys": "image", **arguments}

    steps = [on_image("LoadImaged", ensure_channel_first=True, image_only=True)]
    for step in ensemble.prepare:
        name = step["step"]
        if name == "orient":
            # Our arrays are [z, y, x] and MONAI's [x, y, z]: the same voxels have their letters the other way round.
            steps.append(on_image("Orientationd", axcodes=str(step.get("axes", "LPS"))[::-1]))
        elif name == "crop_nonzero":
            steps.append({"_target_": "CropForegroundd", "keys": "image", "source_key": "image", "allow_smaller": True})
        elif name == "scale_percentiles":
            steps.append(on_image("Lambdad", func=_percentiles(float(step["lower"]), float(step["upper"]))))
        elif name == "zscore_nonzero":
            steps.append(on_image("NormalizeIntensityd", nonzero=True, channel_wise=True))
        elif name == "resample":
            steps.append(on_image("Spacingd", pixdim=[float(step["spacing_mm"])] * 3, mode="bilinear"))
    steps.append(on_image("DivisiblePadd", k=multiple_of(ensemble), method="end"))
    return steps


def _percentiles(lower: float, upper: float) -> str:
    """Give the expression for scaling each channel between two percentiles of its voxels above 0."""
    limits = f"np.percentile(channel[channel > 0], [{lower}, {upper}])"
    scaled = f"np.interp(channel, {limits}, [0, 1])"
    return f"$lambda image: torch.as_tensor(np.stack([{scaled} for channel in np.asarray(image)]), dtype=torch.float32)"


def _inferer(ensemble: Ensemble) -> Json:
    if not ensemble.window:
        return {"_target_": "SimpleInferer"}
    return {
        "_target_": "SlidingWindowInferer",
        "roi_size": list(ensemble.window["size"]),
        "overlap": ensemble.window["overlap"],
        "mode": "gaussian" if ensemble.window.get("weights") == "gaussian" else "constant",
    }


def _postprocessing(ensemble: Ensemble) -> list[Json]:
    is_softmax = ensemble.activation == "softmax"
    decide = {"argmax": True} if is_softmax else {"threshold": 0.5}
    return [
        {"_target_": "Activationsd", "keys": "pred", **({"softmax": True} if is_softmax else {"sigmoid": True})},
        {
            "_target_": "Invertd",
            "keys": "pred",
            "transform": "@preprocessing",
            "orig_keys": "image",
            "nearest_interp": False,
            "to_tensor": True,
        },
        {"_target_": "AsDiscreted", "keys": "pred", **decide},
        {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir", "output_postfix": "seg"},
    ]
