"""Messages survive the wire: any case, result, text and number."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.labels import Code, Label, LabelScheme, Region, Terminology
from MedSegAILib.core.result import Notice, Passport, Result
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.worker.protocol import Failed, Finished, Segment, decode, decode_error, encode
from MedSegAILib.worker.transfer import read_case, read_result, write_case, write_result

TEXT = st.text(st.characters(), max_size=20)  # surrogates and control characters included
NUMBER = st.floats(allow_nan=True, allow_infinity=True)
DTYPES = st.sampled_from(["u1", "<i2", ">i2", "<u2", "<i4", "<f4", ">f4", "<f8", "?"])
SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def same(left: Any, right: Any) -> bool:
    """Compare with NaN equal to NaN and -0.0 unlike 0.0."""
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or (
            left == right and math.copysign(1, left) == math.copysign(1, right)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return type(left) is type(right) and left == right


@st.composite
def grids(draw, shape):
    entries = draw(st.lists(st.floats(-500, 500), min_size=12, max_size=12))
    matrix = np.eye(4)
    matrix[:3] = np.reshape(entries, (3, 4))
    # Far from singular, whatever was drawn.
    matrix[:3, :3] = np.clip(matrix[:3, :3], -1, 1) + 3.0 * np.eye(3)[list(draw(st.permutations(range(3))))]
    return Grid(shape, matrix)


@st.composite
def cases(draw):
    volumes = {}
    for role in draw(st.lists(TEXT.filter(bool), min_size=1, max_size=3, unique=True)):
        array = draw(hnp.arrays(draw(DTYPES), draw(SHAPES)))
        volumes[role] = Volume(array, draw(grids(array.shape)), name=draw(TEXT))
    reference = draw(st.sampled_from(["", *volumes]))
    return Case(volumes, reference=reference, name=draw(TEXT))


COLORS = st.tuples(*[st.floats(0, 1)] * 3)
CODES = st.builds(Code, TEXT, TEXT, TEXT)
TERMINOLOGIES = st.none() | st.builds(Terminology, CODES, CODES, st.none() | CODES)


@st.composite
def results(draw):
    array = draw(hnp.arrays(draw(st.sampled_from(["u1", "<u2"])), draw(SHAPES), elements=st.integers(0, 3)))
    labels = tuple(Label(value, draw(TEXT), draw(TEXT), draw(COLORS), draw(TERMINOLOGIES)) for value in (1, 2, 3))
    regions = (Region("R", draw(TEXT), tuple(draw(st.sets(st.sampled_from([1, 2, 3])))), draw(COLORS)),)
    table = st.dictionaries(TEXT, PLAIN, max_size=3)
    passport = Passport(
        task=draw(TEXT),
        package=draw(table),
        library=draw(TEXT),
        engine=draw(table),
        options=draw(table),
        inputs=draw(table),
        repairs=tuple(draw(st.lists(TEXT, max_size=2))),
        seconds=draw(st.dictionaries(TEXT, NUMBER, max_size=3)),
        peak_memory_mb=draw(NUMBER),
    )
    notices = tuple(draw(st.lists(st.builds(Notice, TEXT, TEXT, TEXT), max_size=2)))
    volume = Volume(array, draw(grids(array.shape)), name=draw(TEXT))
    return Result(volume, LabelScheme(labels, regions), passport, notices)


def bits(array: np.ndarray) -> tuple[Any, ...]:
    return array.dtype.str, array.shape, array.tobytes()


@settings(max_examples=60, deadline=None)
@given(case=cases(), options=st.dictionaries(TEXT, PLAIN, max_size=4), task=TEXT, first_look=st.booleans())
def test_a_case_with_its_options_survives_the_wire(case, options, task, first_look):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sent = Segment(1, task, ("/a", "/é"), options, name, write_case(case, folder), first_look)
        heard = decode(encode(sent))
        back = read_case(heard.case, folder)
        assert (heard.task, heard.packages, heard.first_look) == (task, ("/a", "/é"), first_look)
        assert same(heard.options, options)
        assert (back.name, back.reference, list(back.volumes)) == (case.name, case.reference, list(case.volumes))
        for role, volume in case.volumes.items():
            assert bits(back.volumes[role].array) == bits(volume.array)
            assert bits(back.volumes[role].grid.ijk_to_ras) == bits(volume.grid.ijk_to_ras)
            assert back.volumes[role].name == volume.name


@settings(max_examples=60, deadline=None)
@given(result=results())
def test_a_result_survives_the_wire(result):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        heard = decode(encode(Finished(1, write_result(result, folder, with_probabilities=True))))
        back = read_result(heard.result, folder)
    assert bits(back.labels.array) == bits(result.labels.array)
    assert bits(back.labels.grid.ijk_to_ras) == bits(result.labels.grid.ijk_to_ras)
    assert (back.labels.name, back.scheme, back.notices) == (result.labels.name, result.scheme, result.notices)
    assert same(back.passport.to_json(), result.passport.to_json())
    assert back.volumes_ml() == result.volumes_ml()


@settings(max_examples=100, deadline=None)
@given(code=TEXT, message=TEXT, hint=TEXT, shape=PLAIN)
def test_an_error_says_the_same_on_the_other_side(code, message, hint, shape):
    error = InputError(code, message, hint, shape=shape)
    back = decode_error(decode(encode(Failed(1, error.to_json()))).error)
    assert type(back) is InputError
    assert (back.code, back.message, back.hint, str(back)) == (code, message, hint, str(error))
    assert same(back.details, {"shape": json.loads(json.dumps(shape))})
