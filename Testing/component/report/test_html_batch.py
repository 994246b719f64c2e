"""The page of a batch and of a study: numbers are those of the table, nothing is fetched, nothing foreign is run."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from MedSegAILib.core.doubt import Doubt, Place
from MedSegAILib.core.result import Notice
from MedSegAILib.report.batch_tables import FailedLine, ResultLine, results_csv, worst_first, worst_first_csv
from MedSegAILib.report.html_batch import write_batch_page
from MedSegAILib.report.html_page import ml_words
from MedSegAILib.report.html_study import study_page
from MedSegAILib.report.preview import preview_jpeg
from MedSegAILib.report.study_row import attention, row_of
from Testing.makers.phantoms import aligned_grid, make_case, make_labels
from Testing.makers.results import make_result

NASTY = '<script>alert("x")</script>'


class Page(HTMLParser):
    """What a reader of the page sees that matters here: numbers by study, addresses, tags."""

    def __init__(self, text):
        super().__init__()
        self.numbers, self.shown, self.addresses, self.tags, self.order = {}, {}, [], [], []
        self._study, self._value = "", None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "data", "poster")]
        if tag == "article":
            self._study = given["data-study"]
            self.order.append(self._study)
        if tag == "data":
            self._value = (self._study, given["data-region"])
            self.numbers[self._value] = given["value"]

    def handle_data(self, data):
        if self._value:
            self.shown[self._value] = data.strip()
            self._value = None


def line(name, size=40, *notices, places=(), is_empty=False):
    labels = make_labels(aligned_grid(80 / size, size))
    labels.array[...] *= not is_empty
    result = make_result(labels, *notices)
    result = replace(result, doubt=Doubt(places=places))
    return ResultLine(name, f"studies/{name}", {**row_of(result, "Brain tumor"), "seconds": 1.5})


@pytest.fixture(scope="module")
def lines():
    place = Place("WT", "disagreement", (1.0, 2.0, 3.0), 6.0, 0.3)
    return [
        line("calm", 40),
        line("doubtful", 32, places=(place,)),
        line("warned", 28, Notice("case.missing_role", f"T1 {NASTY} is missing.", "Add it.")),
        line("empty", 24, is_empty=True),
    ]


@pytest.fixture(scope="module")
def page(lines, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("page")
    failed = [FailedLine("broken", "file.too_short", f"The file {NASTY} is cut off.", "Copy it again.")]
    for entry in lines:
        folder = tmp_path / entry.folder
        folder.mkdir(parents=True)
        result = make_result(make_labels(aligned_grid()))
        (folder / "preview.jpg").write_bytes(preview_jpeg(result, make_case().volumes["T1"]))
    path = write_batch_page(tmp_path / "report.html", lines, failed, 5, "preview.jpg")
    return path.read_text(encoding="utf-8")


def test_numbers_of_the_page_are_those_of_the_table(page, lines):
    parsed = Page(page)
    table = {row["study"]: row for row in csv.DictReader(io.StringIO(results_csv(lines).decode()))}
    assert len(parsed.numbers) == len(lines) * 3
    for (study, region), value in parsed.numbers.items():
        assert value == table[study][f"{region}_ml"]
        assert parsed.shown[study, region] == ml_words(float(value))


def test_order_of_the_page_is_worst_first(page, lines):
    table = [row["study"] for row in csv.DictReader(io.StringIO(worst_first_csv(lines).decode()))]
    assert Page(page).order == table
    assert table == ["empty", "doubtful", "warned", "calm"]
    assert {entry.line.study: entry.attention for entry in worst_first(lines)}["calm"] == 0.0


def test_attention_is_the_share_in_doubt_and_a_quarter_a_warning(lines):
    by_name = {entry.study: entry.row for entry in lines}
    whole_ml = by_name["doubtful"]["volumes_ml"]["WT"]
    assert attention(by_name["doubtful"]) == pytest.approx(6.0 / whole_ml, abs=1e-4)
    assert attention(by_name["warned"]) == 0.25
    assert attention(by_name["empty"]) == 1.0


def test_page_asks_nobody_for_anything_and_runs_nothing(page, lines):
    for text in (page, study_page(lines[2], b"\x89PNG").decode()):
        parsed = Page(text)
        assert not {"script", "link", "iframe", "object", "form"} & set(parsed.tags)
        for address in parsed.addresses:
            assert address.startswith("data:image/") or re.fullmatch(r"[\w./%-]+", address), address
        assert "@import" not in text
        assert "url(" not in text


def test_what_comes_from_a_study_is_escaped(page, lines):
    assert NASTY not in page
    assert NASTY not in study_page(lines[2], b"").decode()
    assert "&lt;script&gt;" in page


def test_failed_study_is_told_with_its_next_step(page):
    assert 'data-study="broken" data-code="file.too_short"' in page
    assert "Copy it again." in page


def test_study_page_has_the_volumes_of_the_row(lines):
    parsed = Page(study_page(lines[0], b"").decode())
    volumes = lines[0].row["volumes_ml"]
    assert {region: float(value) for (_, region), value in parsed.numbers.items()} == volumes


def test_pages_and_picture_are_the_same_every_time(lines):
    assert study_page(lines[0], b"x") == study_page(lines[0], b"x")
    result, image = make_result(make_labels(aligned_grid())), make_case().volumes["T1"]
    assert preview_jpeg(result, image) == preview_jpeg(result, image)


def test_batch_without_any_result_has_a_page_too(tmp_path):
    failed = [FailedLine("broken", "file.empty", "Empty.", "Copy it again.")]
    text = write_batch_page(tmp_path / "report.html", [], failed, 1, "preview.jpg").read_text(encoding="utf-8")
    assert "broken" in text
