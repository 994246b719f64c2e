"""A correction through the real worker process: the same voxels as in this process, with what the worker has kept."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.core.correction import Correction
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.prompts import Click
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Volume
from MedSegAILib.interaction.filling import fill_region
from MedSegAILib.interaction.session import correct
from MedSegAILib.worker.client import WorkerClient
from MedSegAILib.worker.transfer_correction import read_corrected, run_of, write_correction, write_fill

OPTIONS = RunOptions(preset="fast", device="cpu", backend="openvino", threads=2, keep_probabilities=True)


@pytest.fixture(scope="module")
def client(tiny_package):
    with WorkerClient(packages=[tiny_package]) as made:
        yield made


@pytest.fixture(scope="module")
def result(client, tiny_case):
    return client.segment(tiny_case, "brain-tumor", OPTIONS)


def asked(client, verb, write):
    job = client.ask_async(verb, write, read_corrected)
    while not job.is_finished:
        client.poll(0.05)
    if job.error is not None:
        raise job.error
    return job.result


@pytest.mark.parametrize("is_known", [True, False], ids=["run known", "run not known any more"])
def test_the_worker_corrects_as_this_process_does(client, result, tiny_case, is_known):
    region = "WT"
    is_there = bool(result.region_mask(region).mean() > 0.5)
    k, j, i = np.argwhere(result.region_mask(region) == is_there)[100]
    point = tuple(float(value) for value in (result.labels.grid.ijk_to_ras @ [i, j, k, 1.0])[:3])
    images = dict(tiny_case.volumes)
    prompt = Click(point, not is_there)
    mine = correct(
        Correction(
            result.labels, result.scheme, region, (prompt,), images, (), result.probabilities if is_known else None
        )
    )
    sent = Correction(result.labels, result.scheme, region, (prompt,), images)
    run = run_of(result.passport) if is_known else {}
    theirs = asked(client, "correct", lambda folder: write_correction(sent, run, folder))
    assert theirs.facts["from_probabilities"] is is_known
    assert theirs.offset_zyx == mine.offset_zyx
    np.testing.assert_array_equal(theirs.labels.array, mine.labels.array)
    assert (theirs.gained_ml, theirs.lost_ml) == (mine.gained_ml, mine.lost_ml)
    assert theirs.is_changed


def test_the_worker_fills_between_slices(client, result):
    drawn = np.zeros(result.labels.grid.shape_zyx, np.uint8)
    drawn[4, 5:15, 5:15] = drawn[9, 5:15, 5:15] = 2
    labels = Volume(drawn, result.labels.grid)
    theirs = asked(client, "fill_between", lambda folder: write_fill(labels, result.scheme, "WT", (), -1, folder))
    np.testing.assert_array_equal(theirs.labels.array, fill_region(labels, result.scheme, "WT").labels.array)
    assert np.flatnonzero(theirs.labels.array.any(axis=(1, 2))).tolist() == [4, 5, 6, 7, 8, 9]


def test_a_refusal_arrives_as_it_is(client, result):
    far = Correction(result.labels, result.scheme, "WT", (Click((900.0, 0.0, 0.0)),))
    with pytest.raises(InputError) as caught:
        asked(client, "correct", lambda folder: write_correction(far, {}, folder))
    assert caught.value.code == "prompt.outside"
