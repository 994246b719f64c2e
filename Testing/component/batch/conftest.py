"""Eight studies, one of them corrupt, and what an undisturbed batch makes of them; made once for all tests here."""

import pytest

from MedSegAILib.batch.options import BatchOptions
from Testing.batch_driver import segment
from Testing.makers.study_roots import CORRUPT, STUDIES, make_root


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Eight studies, the T2 of one of them cut off."""
    return make_root(tmp_path_factory.mktemp("batch") / "studies", STUDIES, (CORRUPT,))


@pytest.fixture(scope="session")
def options(tiny_package):
    return BatchOptions(packages=(tiny_package,))


@pytest.fixture(scope="session")
def undisturbed(root, options, tmp_path_factory):
    """The output of a batch that ran through."""
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    result = segment(root, output, options)
    assert (result.total, result.done, result.failed) == (STUDIES, STUDIES - 1, 1)
    return output
