"""How far results differ between runs, thread counts and backends in the deterministic mode.

    python Testing/benchmarks/determinism.py STUDY [STUDY ...]

Each study is segmented by each backend and thread count; every result is compared with the first.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

import MedSegAILib  # noqa: E402 - after the path is set
from MedSegAILib.core.run import RunOptions  # noqa: E402

CONFIGURATIONS = (("openvino", 1), ("openvino", 1), ("openvino", 2), ("torch", 1), ("torch", 1), ("torch", 2))


def main(studies: list[str]) -> None:
    print("study backend threads voxels_differ share_of_largest_region largest_volume_change")
    for study in studies:
        case = MedSegAILib.read_study(Path(study), roles=["T1", "T1ce", "T2", "FLAIR"])
        first = None
        for backend, threads in CONFIGURATIONS:
            options = RunOptions(backend=backend, threads=threads, device="cpu", deterministic=True)  # type: ignore[arg-type]
            result = MedSegAILib.segment(case, options=options)
            first = first or result
            differ = int(np.count_nonzero(result.labels.array != first.labels.array))
            largest = max(int(first.region_mask(region.name).sum()) for region in first.scheme.regions)
            before, after = first.volumes_ml(), result.volumes_ml()
            change = max(abs(after[name] - before[name]) / max(before[name], 1e-9) for name in before)
            print(
                Path(study).name,
                backend,
                threads,
                differ,
                f"{differ / max(largest, 1):.6%}",
                f"{change:.6%}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
