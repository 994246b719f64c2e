"""The ledger loses nothing that it has said, whatever cuts it off."""

import pytest

from MedSegAILib.batch.ledger import DONE, FAILED, Ledger, read_entries


@pytest.fixture
def path(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in range(3):
        ledger.append(DONE, f"case-{number}", record={"row": number, "text": "Ünïcode\nline"})
    ledger.close()
    return tmp_path / "ledger.jsonl"


def test_lines_come_back_in_their_order(path):
    assert [(entry.study, entry.facts["record"]["row"]) for entry in read_entries(path)] == [
        ("case-0", 0),
        ("case-1", 1),
        ("case-2", 2),
    ]


def test_cut_at_any_byte_keeps_every_whole_line_and_goes_on(path):
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == 10]
    for length in range(0, len(whole), 23):
        path.write_bytes(whole[:length])
        ledger = Ledger(path)
        ledger.append(FAILED, "next", error={}, stamps={}, terms={})
        ledger.close()
        studies = [entry.study for entry in read_entries(path)]
        assert studies == [*(f"case-{number}" for number in range(sum(end <= length for end in ends))), "next"]


def test_line_with_a_wrong_byte_ends_the_ledger_there(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"case-1")] ^= 1
    path.write_bytes(bytes(content))
    assert [entry.study for entry in read_entries(path)] == ["case-0"]


def test_last_outcome_of_a_study_counts_and_begun_is_none(path):
    ledger = Ledger(path)
    ledger.append(FAILED, "case-1", error={}, stamps={}, terms={})
    ledger.append("begun", "case-9", why="new")
    outcomes = ledger.outcomes()
    ledger.close()
    assert outcomes["case-1"].event == FAILED
    assert set(outcomes) == {"case-0", "case-1", "case-2"}


def test_missing_ledger_is_an_empty_one(tmp_path):
    assert list(read_entries(tmp_path / "none")) == []
