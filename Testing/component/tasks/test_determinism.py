"""The deterministic mode: the same bytes each time, the tolerance between backends kept and stated."""

import numpy as np
import pytest

from MedSegAILib.core.run import RunOptions
from MedSegAILib.tasks.determinism import TOLERANCE
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment


@pytest.fixture(scope="module")
def results(tiny_case, tiny_package):
    package = read_package(tiny_package)
    runs = (("openvino", 1), ("openvino", 2), ("torch", 1))
    return [
        segment(tiny_case, package, RunOptions(preset="fast", backend=backend, threads=threads, deterministic=True))
        for backend, threads in runs
    ]


def test_backends_and_threads_stay_within_the_stated_tolerance(results):
    first = results[0]
    largest = max(int(first.region_mask(region.name).sum()) for region in first.scheme.regions)
    for other in results[1:]:
        assert np.count_nonzero(first.labels.array != other.labels.array) <= 0.001 * largest


def test_passport_states_the_tolerance_and_the_checksum_of_the_package(results, tiny_package):
    passport = results[0].passport
    assert passport.engine["deterministic"] == TOLERANCE
    assert passport.engine["precision"] == "fp32"
    assert passport.package["manifest_sha256"] == read_package(tiny_package).sha256
