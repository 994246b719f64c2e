"""Arrays through files: only what is needed, exact, and refused when message and files do not fit."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.doubt import Doubt, Place
from MedSegAILib.core.errors import ResourceError, UsageError, WorkerError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.worker.transfer import needed_bytes, read_case, read_result, write_case, write_result, writing_case
from Testing.fake_worker import threshold
from Testing.makers.phantoms import make_case, oblique_grid


def over_the_wire(message: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(message))


def a_result(array=None):
    grid = oblique_grid()
    array = np.zeros(grid.shape_zyx, np.float32) if array is None else array
    return threshold(Case({"T1": Volume(array, grid)}), "quick", RunOptions())


def test_a_case_arrives_with_its_voxels_and_its_exact_grids(tmp_path):
    case = make_case(oblique_grid(), name="fall é")
    back = read_case(over_the_wire(write_case(case, tmp_path)), tmp_path)
    assert (back.name, back.reference, list(back.volumes)) == ("fall é", "", list(case.volumes))
    for role, volume in case.volumes.items():
        np.testing.assert_array_equal(back.volumes[role].array, volume.array)
        assert back.volumes[role].grid.ijk_to_ras.tobytes() == volume.grid.ijk_to_ras.tobytes()
        assert back.volumes[role].name == volume.name


def test_the_worker_maps_the_files_and_cannot_write_into_them(tmp_path):
    back = read_case(write_case(make_case(), tmp_path), tmp_path)
    array = back.volumes["T1"].array
    assert isinstance(array.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0, 0] = 1


@pytest.mark.parametrize("view", ["flipped", "fortran", "strided", "swapped bytes", "bool", "float64"])
def test_views_and_odd_layouts_arrive_in_order(tmp_path, view):
    array = np.arange(8 * 6 * 10, dtype=np.int16).reshape(8, 6, 10)
    array = {
        "flipped": lambda: array[::-1, :, ::-1],
        "fortran": lambda: np.asfortranarray(array),
        "strided": lambda: array[::2, 1:, ::3],
        "swapped bytes": lambda: array.astype(">i2"),
        "bool": lambda: array % 3 == 0,
        "float64": lambda: array / 7,
    }[view]()
    case = Case({"CT": Volume(array, Grid(array.shape, np.eye(4)))})
    back = read_case(over_the_wire(write_case(case, tmp_path)), tmp_path).volumes["CT"].array
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_only_the_box_of_the_labels_is_written(tmp_path):
    array = np.zeros(oblique_grid().shape_zyx, np.float32)
    array[3:7, 10, 20:24] = 0.7
    result = a_result(array)
    message = over_the_wire(write_result(result, tmp_path, with_probabilities=False))
    assert (tmp_path / "labels.raw").stat().st_size == 4 * 1 * 4
    assert os.listdir(tmp_path) == ["labels.raw"]
    back = read_result(message, tmp_path)
    np.testing.assert_array_equal(back.labels.array, result.labels.array)
    assert back.labels.array.dtype == np.uint8
    assert back.labels.grid.ijk_to_ras.tobytes() == result.labels.grid.ijk_to_ras.tobytes()
    assert (back.scheme, back.passport, back.notices) == (result.scheme, result.passport, result.notices)
    assert back.probabilities is None


def test_a_result_without_any_label_writes_no_file(tmp_path):
    back = read_result(over_the_wire(write_result(a_result(), tmp_path, with_probabilities=False)), tmp_path)
    assert not os.listdir(tmp_path)
    assert back.labels.array.shape == oblique_grid().shape_zyx
    assert not back.labels.array.any()


def test_probabilities_cross_only_when_asked(tmp_path):
    result = a_result(np.random.default_rng(3).random(oblique_grid().shape_zyx, dtype=np.float32))
    message = over_the_wire(write_result(result, tmp_path, with_probabilities=True))
    back = read_result(message, tmp_path).probabilities
    np.testing.assert_array_equal(back.array, result.probabilities.array)
    assert back.regions == result.probabilities.regions
    assert back.ijk_to_ras.tobytes() == result.probabilities.ijk_to_ras.tobytes()


def test_label_maps_of_16_bits_keep_their_values(tmp_path):
    result = a_result()
    array = np.zeros(result.labels.grid.shape_zyx, np.uint16)
    array[-1, -1, -1] = 60_000
    result = replace(result, labels=Volume(array, result.labels.grid, name="labels"))
    back = read_result(over_the_wire(write_result(result, tmp_path, with_probabilities=False)), tmp_path)
    np.testing.assert_array_equal(back.labels.array, array)
    assert back.labels.array.dtype == np.uint16


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: entry.pop("dtype"),
        lambda entry: entry.update(dtype="O"),
        lambda entry: entry.update(dtype="nonsense"),
        lambda entry: entry.update(shape=[2, 2]),
        lambda entry: entry.update(shape=[-1, 2, 2]),
        lambda entry: entry.update(shape=[10**9, 10**9, 10**9]),
        lambda entry: entry.update(file="../secret"),
        lambda entry: entry.update(file="/etc/passwd"),
        lambda entry: entry.update(file="gone.raw"),
        lambda entry: entry.update(file=None),
    ],
)
def test_a_message_that_does_not_fit_its_files_is_refused(tmp_path, damage):
    message = over_the_wire(write_case(make_case(), tmp_path))
    damage(message["volumes"][0]["array"])
    with pytest.raises(WorkerError) as caught:
        read_case(message, tmp_path)
    assert caught.value.code == "worker.protocol"


def test_a_short_file_is_refused(tmp_path):
    message = write_case(make_case(), tmp_path)
    path = tmp_path / message["volumes"][0]["array"]["file"]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WorkerError, match="bytes, not"):
        read_case(message, tmp_path)


def test_a_case_written_portion_by_portion_is_the_case_and_each_portion_is_asked_for_first(tmp_path):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(40, 200, 300)).astype(np.float32)  # 9.6 MB, three portions
    case = Case(
        {
            "CT": Volume(values.transpose(2, 0, 1)[::-1], Grid((300, 40, 200), np.eye(4))),
            "MR": Volume(values[:2], Grid((2, 200, 300), np.eye(4))),
        }
    )
    asked = []
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    parts = writing_case(case, tmp_path / "parts", lambda: asked.append(1))
    count = 0
    try:
        while True:
            next(parts)
            count += 1
            assert len(asked) == count
    except StopIteration as end:
        message = end.value
    assert count == 3 + 1
    assert message == write_case(case, tmp_path / "whole")
    for name in ("input-0.raw", "input-1.raw"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    back = read_case(over_the_wire(message), tmp_path / "parts")
    np.testing.assert_array_equal(back.volumes["CT"].array, case.volumes["CT"].array)


def test_voxels_that_are_no_numbers_are_refused(tmp_path):
    array = np.zeros((2, 2, 2), np.complex64)
    with pytest.raises(UsageError, match="complex64"):
        write_case(Case({"MR": Volume(array, Grid((2, 2, 2), np.eye(4)))}), tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full, the disk that is always full, is Linux only")
def test_a_full_disk_is_one_sentence(tmp_path):
    (tmp_path / "input-0.raw").symlink_to("/dev/full")
    with pytest.raises(ResourceError) as caught:
        write_case(make_case(), tmp_path)
    assert caught.value.code == "worker.disk"
    assert "No space left" in caught.value.message


def test_the_room_asked_for_holds_inputs_and_result():
    case = make_case()
    inputs = 4 * 4 * 40**3
    assert needed_bytes(case, RunOptions()) == inputs + 2 * 40**3
    assert needed_bytes(case, RunOptions(keep_probabilities=True)) > inputs + 3 * 4 * 40**3


def test_doubt_crosses_unchanged(tmp_path):
    doubt = Doubt((Place("ET", "disagreement", (-12.34, 8.0, 6.5), 1.2345, 0.375),), {"ET": 1.5}, 8, "Eight looks.", 3)
    message = over_the_wire(write_result(replace(a_result(), doubt=doubt), tmp_path, with_probabilities=False))
    assert read_result(message, tmp_path).doubt == doubt
