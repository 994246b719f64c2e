"""Run by a test in a fresh process: the installed module, on real MRML, with the real worker, by clicks.

    python -I installed_journey.py TREE SUPPORT SAMPLE CHECKOUT

TREE is the installed folder, SUPPORT holds a copy of the harness, SAMPLE the four scans. Prints one JSON line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(tree: str, support: str, sample: str, checkout: str) -> None:
    """Open, choose by name, segment, and tell what the table shows."""
    # An editable installation of the checkout would hide a file that is not installed.
    sys.path[:] = [tree, support, *(entry for entry in sys.path if not _is_in_checkout(entry, checkout))]
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__ + str(finder)]
    from Testing.harness import mrml, qt_proxy
    from Testing.harness.desktop import Desktop

    scene, errors = mrml.boot()
    errors.take()
    desktop = Desktop(Path(tree))
    import slicer

    for role in ("T1", "T1ce", "T2", "FLAIR"):
        slicer.modules.volumes.logic().AddArchetypeVolume(str(Path(sample) / f"{role}.nii.gz"), role, 0)
    desktop.settle()
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=120)
    ours = [module for name, module in sys.modules.items() if name.split(".")[0].startswith("MedSegAI")]
    foreign = [str(module.__file__) for module in ours if module.__file__ and not module.__file__.startswith(tree)]
    heavy = sorted({"torch", "openvino", "SimpleITK", "scipy", "monai"} & set(sys.modules))
    told = {
        "status": desktop.text("statusLabel"),
        "rows": desktop.rows(),
        "foreign": foreign,
        "heavy": heavy,
        "failures": list(qt_proxy.FAILURES),
        "messages": desktop.messages,
        "segmentations": scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode"),
    }
    desktop.close()
    print(json.dumps(told))  # noqa: T201 - the test reads it


def _is_in_checkout(entry: str, checkout: str) -> bool:
    path, root = Path(entry).resolve(), Path(checkout).resolve()
    return path.is_relative_to(root) and not path.is_relative_to(Path(sys.prefix).resolve())


if __name__ == "__main__":
    main(*sys.argv[1:])
