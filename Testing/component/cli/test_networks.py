"""``medsegai networks`` and the page made of the same numbers."""

from __future__ import annotations

import json

import pytest

from MedSegAILib.cli.app import main
from MedSegAILib.cli.networks import choose, facts_of, row
from MedSegAILib.networks.catalog import CATALOG
from Testing.makers.source_facts import CHECKOUT
from Testing.makers.write_networks_page import page, table_row

# Of every family, without MONAI; the others are measured by `make docs`, their counts by test_system_networks.
MEASURED_HERE = (
    "pancreas-2d-unet-se",
    "pancreas-3d-unet",
    "tissue-2d-resunet",
    "prostate-3d-unet",
    "hand-multiscale-sum",
)


def told(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["networks", *arguments])
    return ended.value.code, capsys.readouterr().out


def test_table_shows_count_field_memory_and_operations(capsys):
    code, out = told(capsys, "prostate-3d-unet")
    assert code == 0
    head, line = out.splitlines()[:2]
    assert head.split()[:3] == ["network", "parameters", "field"]
    assert line.split()[:4] == ["prostate-3d-unet", "1,605,381", "(total)", "110"]
    assert "Keras total" in out


def test_json_tells_the_field_after_every_convolution(capsys):
    code, out = told(capsys, "hand-multiscale-concat-single", "--json")
    assert code == 0
    answer = json.loads(out)
    (network,) = answer["networks"]
    assert network["parameters"] == network["trainable"] == 408_944
    assert [field[0] for field in network["fields_by_layer"]][:7] == [3, 5, 9, 13, 21, 29, 45]
    assert network["field"] == [73, 73, 73]
    assert set(answer["rules"]) == {"trainable", "total"}


def test_unknown_beginning_is_refused(capsys):
    code, out = told(capsys, "nothing", "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "network.name"


def test_beginnings_choose_in_the_order_of_the_catalog():
    chosen = choose(["tissue", "brats2020-unet"])
    assert chosen == [name for name in CATALOG if name.startswith(("tissue", "brats2020-unet"))]
    assert choose([]) == list(CATALOG)


def test_page_is_what_the_verb_measures():
    """Every network has its row; the rows measured here are as written; run `make docs` when this fails."""
    text = (CHECKOUT / "docs" / "reference" / "networks.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == list(CATALOG)
    for facts in facts_of(list(MEASURED_HERE)):
        assert table_row(facts) in rows
    assert text.startswith(page([]).split("| network")[0])


def test_row_marks_fields_that_norms_widen():
    facts = {
        "name": "n",
        "rule": "trainable",
        "parameters": 1,
        "weights_mib": 0.0,
        "activations_mib": 0.0,
        "gflops": 1.0,
    }
    assert row({**facts, "field": [3, 5, 5], "sees_all": True, "shape": [1, 4, 4, 4]})[2] == "3x5x5+"
    assert row({**facts, "field": [5, 5], "sees_all": False, "shape": [1, 4, 4]})[2] == "5"
