"""Scores: the statistics against a second computation, tables that lose nothing, pictures of best, average, worst."""

from __future__ import annotations

import csv
import io
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from MedSegAILib import networks
from MedSegAILib.image.metrics import RegionScore
from training.__main__ import main
from training.datasets import DATA_VARIABLE
from training.evaluate import Measured, evaluate_set
from training.export import Run, export_runs
from training.recipes import find_recipe
from training.score_tables import by_region, table, to_csv, to_page
from training.scores import SetScore, read_json, study_score, summarize
from training.tasks import find_task


def scored(name: str, et: float, wt: float, hd95: float | None = 4.0) -> object:
    regions = [
        RegionScore("ET", et, 1.0, 2.0, 0.5, 0.25, 0.999, None, 0.5, 9.0, hd95, 1.0),
        RegionScore("WT", wt, 10.0, 8.0, 0.6, 0.75, 0.99, 0.9, 0.25, 8.0, 3.0, 1.0),
    ]
    return study_score(name, ("FLAIR",), regions)


STUDIES = (scored("a", 1.0, 0.9), scored("b", 0.0, 0.5, None), scored("c", 0.5, 0.7))
SCORE = SetScore("brain-tumor", "more", "train", "balanced", STUDIES)


def test_the_statistics_are_those_of_a_second_computation() -> None:
    values = [0.2, 0.5, 0.9, 0.4, 0.8, 0.85]
    summary = summarize(values)
    assert (summary.mean, summary.sd, summary.median) == pytest.approx(
        (statistics.fmean(values), statistics.stdev(values), statistics.median(values))
    )
    # The interval of the mean of six values, by the normal approximation with their own deviation.
    half = 1.96 * statistics.pstdev(values) / np.sqrt(6)
    assert (summary.low, summary.high) == pytest.approx((summary.mean - half, summary.mean + half), abs=0.02)


def test_studies_can_be_scored_by_a_part_of_their_inputs() -> None:
    one = Measured("phantom", "test", limit=1)
    with_all = evaluate_set("brain-tumor", one, "fast")
    by_flair = evaluate_set("brain-tumor", replace(one, inputs=("FLAIR",)), "fast")
    assert [study.roles for study in (*with_all.studies, *by_flair.studies)] == [
        ("T1", "T1ce", "T2", "FLAIR"),
        ("FLAIR",),
    ]
    assert with_all.means() != by_flair.means()
    assert "--inputs FLAIR" in by_flair.command
    assert evaluate_set("brain-tumor", replace(one, inputs=("CT",)), "fast").studies == ()


def test_one_study_has_no_spread_and_an_interval_of_no_width() -> None:
    assert summarize([0.7]) == summarize([0.7]).__class__(1, 0.7, 0.0, 0.7, 0.7, 0.7)


def test_a_measure_that_is_not_defined_leaves_its_study_out() -> None:
    summary = SCORE.summary("ET", "hausdorff95_mm")
    assert summary is not None
    assert (summary.count, summary.mean) == (2, 4.0)
    assert SCORE.summary("ET", "precision") is None


def test_best_average_and_worst_are_three_studies() -> None:
    assert {word: one.study for word, one in SCORE.ranked().items()} == {"best": "a", "average": "c", "worst": "b"}


def test_the_table_by_region_has_all_measures_of_the_challenge() -> None:
    lines = by_region(SCORE).splitlines()
    assert lines[0].startswith(
        "| region | studies | Dice | sd | median | 95 % of the mean | sensitivity | specificity |"
    )
    assert lines[3].startswith("| ET | 3 | 0.500 | 0.500 | 0.500 |")
    assert lines[2].endswith("| 0.750 | 0.9900 | 0.900 | 3.0 | 0.250 |")
    assert by_region(SCORE) in table(SCORE)


def test_the_csv_has_a_line_for_each_study_and_region_and_leaves_the_undefined_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(SCORE))))
    assert [(row["study"], row["region"]) for row in rows][:2] == [("a", "ET"), ("a", "WT")]
    assert rows[2]["hausdorff95_mm"] == ""
    assert float(rows[1]["dice"]) == 0.9


def test_the_page_escapes_what_comes_from_a_study() -> None:
    hostile = SetScore("brain-tumor", "more", "train", "balanced", (scored("<script>", 1.0, 1.0),))
    page = to_page(hostile, {"best: <script>": b"x"})
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_evaluate_writes_table_csv_json_and_a_page_with_pictures(
    drawn_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = find_recipe("brain-tumor-small")
    network = networks.build(recipe.network, **{**recipe.arguments, "width": 4})
    coarse = tuple({**step, "spacing_mm": 8.0, "at_least_zyx": (8, 8, 8)} if "spacing_mm" in step else step
                   for step in recipe.prepare)  # fmt: skip
    recipe = replace(recipe, arguments={**recipe.arguments, "width": 4}, prepare=coarse)
    run = Run(recipe, network.state_dict(), 1, 0.1)
    export_runs(find_task("brain-tumor"), lambda _: run, tmp_path / "packages" / "brain-tumor")
    monkeypatch.setenv(DATA_VARIABLE, str(drawn_sets))
    monkeypatch.setenv("MEDSEGAI_PACKAGES", str(tmp_path / "packages"))
    out = tmp_path / "out"
    assert main(["evaluate", "brain-tumor", "--set", "more", "--part", "train", "--preset", "fast", "--output",
                 str(out)]) == 0  # fmt: skip
    score = read_json(out / "scores.json")
    assert {one.study for one in score.studies} == {"one", "two"}
    assert all(set(one.sensitivity) == {"ET", "TC", "WT"} for one in score.studies)
    assert len((out / "scores.csv").read_text(encoding="utf-8").splitlines()) == 1 + 2 * 3
    page = (out / "scores.html").read_text(encoding="utf-8")
    assert page.count("<img") == 2  # two studies have a best and a worst
    assert "best: " in page
    assert "worst: " in page
