"""Lines of the protocol: what is read, what is refused, and the sentence for unequal versions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from MedSegAILib.core.errors import InputError, WorkerError
from MedSegAILib.version import VERSION
from MedSegAILib.worker.protocol import (
    PROTOCOL,
    Ask,
    CancelJob,
    Failed,
    Finished,
    Hello,
    Progressed,
    Provisional,
    Segment,
    Taken,
    check_hello,
    decode,
    decode_error,
    encode,
)

MESSAGES = [
    Hello(PROTOCOL, VERSION, 42),
    Segment(1, "brain-tumor", ("/a b", "/é"), {"preset": "fast"}, "/tmp/x", {"name": "case", "volumes": []}, True),
    Ask(2, "export", "/tmp/x", {"output": "/tmp/y"}),
    CancelJob(7),
    Taken(7),
    Progressed(7, "predict", 3, 8),
    Provisional(7, {"labels": None}),
    Finished(7, {"labels": None}),
    Failed(7, InputError("grid.shape", "Not 3D.", "Give a volume.", shape=[1, 2]).to_json()),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_kind_of_message_survives_its_line(message):
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "not JSON"),
        (b"Traceback (most recent call last):", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "no known kind"),
        (b'{"kind":"party"}', "no known kind"),
        (b'{"kind":["hello"]}', "no known kind"),
        (b'{"kind":"cancel"}', "'job'"),
        (b'{"kind":"cancel","job":"1"}', "'job'"),
        (b'{"kind":"cancel","job":true}', "'job'"),
        (b'{"kind":"progress","job":1,"stage":"predict","done":1.5,"total":2}', "'done'"),
        (b'{"kind":"error","job":1,"error":"bad"}', "'error'"),
        (b'{"kind":"segment","job":1,"task":"t","packages":[1],"options":{},"folder":"","case":{}}', "'packages'"),
    ],
)
def test_a_line_that_is_no_message_is_one_clear_error(line, says):
    with pytest.raises(WorkerError) as caught:
        decode(line)
    assert caught.value.code == "worker.protocol"
    assert says in caught.value.message
    assert len(caught.value.message) < 400


def test_fields_of_a_later_version_are_passed_over():
    assert decode(b'{"kind":"cancel","job":1,"mood":"good"}') == CancelJob(1)


def test_values_that_json_does_not_know_become_plain_ones():
    error = {"details": {"count": np.int64(3), "mean": np.float32(0.5), "path": Path("a")}}
    assert decode(encode(Failed(1, error))) == Failed(1, {"details": {"count": 3, "mean": 0.5, "path": "a"}})


def test_text_in_any_language_is_one_line_of_ascii():
    line = encode(Progressed(1, "é 脳 \u2028 \n \ud800", 0, 0))
    assert line.isascii()
    assert decode(line) == Progressed(1, "é 脳 \u2028 \n \ud800", 0, 0)


def test_unequal_versions_are_one_sentence_with_both():
    with pytest.raises(WorkerError) as caught:
        check_hello(Hello(99, "9.9.9", 1))
    assert caught.value.code == "worker.version"
    assert f"MedSegAI 9.9.9 (protocol 99), this program is MedSegAI {VERSION} (protocol {PROTOCOL})." in str(
        caught.value
    )
    with pytest.raises(WorkerError, match=r"9\.9\.9"):
        check_hello(Hello(PROTOCOL, "9.9.9", 1))
    check_hello(Hello(PROTOCOL, VERSION, 1))


def test_an_error_that_names_a_field_twice_is_a_broken_protocol():
    data = {**InputError("a.b", "No.").to_json(), "details": {"code": "x"}}
    with pytest.raises(WorkerError) as caught:
        decode_error(json.loads(json.dumps(data)))
    assert caught.value.code == "worker.protocol"
