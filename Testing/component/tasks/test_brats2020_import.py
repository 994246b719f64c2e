"""Checkpoints of the published BraTS 2020 code become packages, and the packages give the published logits."""

from __future__ import annotations

import functools
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAILib.core.errors import PackageError, SetupError, UsageError
from MedSegAILib.engine.backend import BACKENDS, Device, NetworkSpec, load_backend
from MedSegAILib.tasks.importers import IMPORTERS, load_importer
from MedSegAILib.tasks.importers.brats2020_checkpoint import read_run
from MedSegAILib.tasks.importers.brats2020_package import import_runs
from MedSegAILib.tasks.importers.brats2020_task import TABLE_1
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment
from Testing.makers.brats2020_fixture import CASES, SAMPLES, fixture_input
from Testing.makers.brats2020_run import (
    fixture_tensors,
    write_fixture_run,
    write_random_run,
    write_run,
    write_yaml,
)
from Testing.makers.phantoms import make_case

CHECKPOINT = "model_best.pth.tar"
TINY = {"arch": "EquiUnet", "width": 2, "norm_layer": "group"}


@functools.cache
def wanted_logits(tag):
    path = Path(__file__).parents[1] / "networks" / "brats2020_forward_samples.npz"
    with np.load(path) as stored:
        return stored[f"{tag}__main_s357"][0]


def logits_of(package, backend, tag):
    """Logits of the only member of a package, by the package's own graph and arguments."""
    ensemble = package.stages[0].ensembles[0]
    spec = NetworkSpec(ensemble.network, ensemble.arguments, package.graph(ensemble))
    array = fixture_input(CASES[tag][3])
    loaded = load_backend(backend).load(spec, package.weights(ensemble.members[0]), array.shape, Device(), 2)
    try:
        return loaded.run(array)[SAMPLES]
    finally:
        loaded.close()


@pytest.fixture
def tiny_run(tmp_path):
    return write_random_run(tmp_path / "run", "EquiUnet", 2, "group", 1)


def refusal(folder, kind=PackageError):
    with pytest.raises(kind) as caught:
        read_run(folder)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("tag", CASES)
def test_imported_fixture_gives_the_published_logits(tag, backend, tmp_path):
    """Written with heads and with the prefix of several GPUs, as the first variants of the file are."""
    run = write_fixture_run(tmp_path / "run", tag, prefix="module.")
    package = import_runs([run], tmp_path / "imported").package
    np.testing.assert_allclose(logits_of(package, backend, tag), wanted_logits(tag), rtol=0, atol=1e-3)


@pytest.mark.parametrize("heads", [True, False], ids=["heads", "no_heads"])
@pytest.mark.parametrize("prefix", ["", "module."], ids=["plain", "prefixed"])
@pytest.mark.parametrize("tag", ["equi_w8_group", "att_w8_group", "equi_w8_instance"])
def test_heads_and_prefix_change_nothing_in_the_package(tag, prefix, heads, tmp_path):
    name, width, norm, _ = CASES[tag]
    run = write_fixture_run(tmp_path / "run", tag, heads=heads, prefix=prefix)
    imported = import_runs([run], tmp_path / "imported")
    ensemble = imported.package.stages[0].ensembles[0]
    assert (ensemble.network, ensemble.arguments) == (f"brats2020.{name}", {"width": width, "norm": norm})
    assert imported.members[0]["heads_left_out"] is heads
    found = imported.package.weights("a0.safetensors")
    wanted = fixture_tensors(tag, heads=False)
    assert set(found) == set(wanted)
    assert all(np.array_equal(found[key], wanted[key]) and found[key].shape == wanted[key].shape for key in wanted)


def test_zero_sized_tensors_are_kept(tmp_path):
    run = write_fixture_run(tmp_path / "run", "att_w8_group")
    weights = import_runs([run], tmp_path / "imported").package.weights("a0.safetensors")
    assert weights["encoder1.CBAM.ChannelGate.mlp.1.weight"].shape == (0, 8)
    assert weights["encoder1.CBAM.ChannelGate.mlp.3.weight"].shape == (8, 0)


def test_half_precision_halves_the_file_and_stays_near(tmp_path):
    run = write_fixture_run(tmp_path / "run", "equi_w8_group")
    sizes = {}
    for precision in ("fp32", "fp16"):
        package = import_runs([run], tmp_path / precision, precision).package
        sizes[precision] = (package.folder / "a0.safetensors").stat().st_size
        np.testing.assert_allclose(
            logits_of(package, "torch", "equi_w8_group"), wanted_logits("equi_w8_group"), rtol=0, atol=0.05
        )
    assert 1.9 < sizes["fp32"] / sizes["fp16"] < 2.1


@pytest.mark.shared
def test_every_listed_network_of_the_published_code_is_recognized(shared_dir, tmp_path):
    table = json.loads((shared_dir / "reference" / "brats2020_checkpoint_tensors.json").read_text())
    checked = 0
    for number, entry in enumerate(entry for entry in table["networks"] if entry["width"] == 8):
        tensors = {name: np.zeros(shape, np.float32) for name, shape in entry["tensors"]}
        for norm in entry["norm_layer"]:
            fields = {"arch": entry["arch"], "width": 8, "norm_layer": norm}
            run = read_run(write_run(tmp_path / f"{number}{norm}", tensors, fields))
            assert run.network == f"brats2020.{entry['arch'].replace('Att_', 'Att')}"
            assert run.arguments == {"width": 8, "norm": norm}
            assert run.parameter_count == entry["parameters_without_deep_sup"]
            assert run.has_heads
            checked += 1
    assert checked == 8


@pytest.mark.shared
def test_imported_table_1_is_the_papers(shared_dir):
    table = json.loads((shared_dir / "reference" / "brats2020_tables.json").read_text())["tables"][0]
    assert (table["table"], [int(value) for value in table["columns"]]) == (1, TABLE_1["values"])
    assert [table["rows"][str(value)] for value in TABLE_1["values"]] == TABLE_1["cells"]


@pytest.mark.parametrize(
    ("written", "norm"),
    [("group", "group"), ("group4", "group4"), ("inorm", "instance"), ("instance", "instance"), ("'group'", "group")],
)
def test_norm_is_what_the_yaml_says(written, norm, tiny_run):
    write_yaml(tiny_run, {**TINY, "norm_layer": written})
    assert read_run(tiny_run).arguments["norm"] == norm


def test_network_without_norm_is_told_by_its_tensors(tmp_path):
    run = write_random_run(tmp_path / "run", "Unet", 4, "none", 1)
    for path in run.glob("*.yaml"):
        path.unlink()
    assert read_run(run).arguments == {"width": 4, "norm": "none"}


def test_missing_yaml_means_the_published_defaults_and_is_said(tmp_path, tiny_run):
    next(tiny_run.glob("*.yaml")).unlink()
    imported = import_runs([tiny_run], tmp_path / "imported")
    assert [notice.code for notice in imported.notices] == ["import.assumed"]
    assert "run has no yaml: group norm and min-max scaling were assumed" in imported.notices[0].message
    assert imported.notices[0].message in (imported.package.folder / "card.md").read_text()
    ensemble = imported.package.stages[0].ensembles[0]
    assert ensemble.name == "A"
    assert ensemble.arguments["norm"] == "group"


def test_yaml_without_norm_is_said_and_its_normalization_taken(tmp_path, tiny_run):
    next(tiny_run.glob("*.yaml")).write_text("# of a run\nnormalisation: zscore  # by hand\nwidth: 2\n")
    imported = import_runs([tiny_run], tmp_path / "imported")
    assert "group norm was assumed" in imported.notices[0].message
    assert imported.package.stages[0].ensembles[0].name == "B"


@pytest.mark.parametrize(
    ("normalization", "name", "step"),
    [
        ("minmax", "A", {"step": "scale_percentiles", "lower": 1, "upper": 99}),
        ("zscore", "B", {"step": "zscore_nonzero"}),
    ],
)
def test_normalization_gives_the_pipeline_on_the_native_grid(normalization, name, step, tmp_path):
    run = write_random_run(tmp_path / "run", "EquiUnet", 2, "instance", 1, normalisation=normalization)
    stage = import_runs([run], tmp_path / "imported").package.stages[0]
    assert [ensemble.name for ensemble in stage.ensembles] == [name]
    assert list(stage.ensembles[0].prepare) == [
        {"step": "orient", "axes": "LPS"},
        {"step": "crop_nonzero"},
        step,
        {"step": "pad", "multiple": 8},
    ]


def test_imported_package_runs_from_the_manifest_alone(tmp_path, tiny_run):
    folder = import_runs([tiny_run], tmp_path / "my-networks").package.folder
    package = read_package(folder)
    result = segment(make_case(), package)
    assert result.passport.task == "my-networks"
    assert set(np.unique(result.labels.array)) <= {0, 1, 2, 4}
    ours, theirs = result.labels.array, segment(make_case(), package).labels.array
    assert np.array_equal(ours, theirs)


def test_labels_regions_and_codes_are_those_of_the_task_that_training_exports(tmp_path, tiny_run):
    from training.tasks import BRAIN_TUMOR

    manifest = import_runs([tiny_run], tmp_path / "imported").package.manifest
    for field in ("inputs", "reference", "labels", "regions"):
        assert manifest[field] == BRAIN_TUMOR.table[field]
    threshold, paint = manifest["stages"][0]["decide"]
    assert threshold == {"step": "threshold", "above": 0.5}, "the paper's; that of the shipped package is its own"
    assert paint == BRAIN_TUMOR.stages[0].decide[-1]
    assert manifest["presets"]["best"] == {"views": "brats2020"}


def test_pickle_with_foreign_objects_is_refused_and_not_run(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "was_run"),)

    (tmp_path / "run").mkdir()
    torch.save({"state_dict": {}, "epoch": Hostile()}, tmp_path / "run" / CHECKPOINT)
    error = refusal(tmp_path / "run")
    assert error.code == "import.unsafe"
    assert "mkdir" in error.message
    (tmp_path / "run" / CHECKPOINT).write_bytes(pickle.dumps(Hostile()))  # not even a file of torch.save
    assert refusal(tmp_path / "run").code in {"import.unsafe", "import.unreadable"}
    assert not (tmp_path / "was_run").exists()


def test_damaged_and_foreign_files_are_refused(tiny_run):
    path = tiny_run / CHECKPOINT
    whole = path.read_bytes()
    for content in (b"", b"not a checkpoint", whole[: len(whole) // 2], whole[:-30], pickle.dumps([1, 2])):
        path.write_bytes(content)
        assert refusal(tiny_run).code == "import.unreadable", content[:20]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("picture.png", b"0")
    assert refusal(tiny_run).code == "import.unreadable"
    path.unlink()
    assert refusal(tiny_run).code == "import.missing"


def edited(run, change):
    """The run again with another content of its file."""
    content = torch.load(run / CHECKPOINT, weights_only=True)
    changed = change(content)
    torch.save(changed if isinstance(changed, dict) else content, run / CHECKPOINT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.pop("state_dict") and None, "no state_dict"),
        (lambda content: content["state_dict"].update(extra=3), "'extra' is no tensor"),
        (lambda content: content["state_dict"].update({"head.weight": torch.zeros(2)}), "head.weight"),
        (lambda content: content["state_dict"].pop("outconv.bias"), "lacks outconv.bias"),
        (lambda content: content["state_dict"].pop("deep2.0.bias"), "lacks deep2.0.bias"),
        (lambda content: content["state_dict"].update({"outconv.bias": torch.zeros(4)}), "wanted [3]"),
        (lambda content: content["state_dict"].update({"outconv.bias": torch.zeros(3, dtype=torch.int32)}), "int32"),
        (lambda content: content["state_dict"].update({"outconv.bias": torch.full((3,), torch.nan)}), "not numbers"),
        (lambda content: {"state_dict": {"conv.weight": torch.zeros(3)}}, "encoder1"),
    ],
)
def test_other_networks_are_refused_by_what_is_off(change, words, tiny_run):
    edited(tiny_run, change)
    error = refusal(tiny_run)
    assert error.code == "import.tensors"
    assert words in error.message


@pytest.mark.parametrize(
    "fields",
    [
        {"arch": "Att_EquiUnet"},
        {"width": 48},
        {"width": "wide"},
        {"norm_layer": "none"},
        {"norm_layer": "groups"},
        {"normalisation": "nyul"},
    ],
    ids=str,
)
def test_yaml_that_does_not_fit_is_refused(fields, tiny_run):
    write_yaml(tiny_run, {**TINY, **fields})
    assert refusal(tiny_run).code == "import.settings"


def test_several_yamls_are_told_apart_by_the_name_of_the_folder(tiny_run):
    (tiny_run / "other.yaml").write_text("norm_layer: none\n")
    assert read_run(tiny_run).arguments["norm"] == "group"
    (tiny_run / "run.yaml").rename(tiny_run / "copy.yaml")
    assert refusal(tiny_run).code == "import.settings"
    (tiny_run / "copy.yaml").unlink()
    (tiny_run / "other.yaml").write_bytes(b"\xff\xfe\x00\x01")
    assert refusal(tiny_run).code == "import.settings"


def test_weight_too_large_for_half_precision_is_named_and_nothing_is_left(tmp_path, tiny_run):
    edited(tiny_run, lambda content: content["state_dict"]["outconv.bias"].fill_(1e6))
    with pytest.raises(PackageError) as caught:
        import_runs([tiny_run], tmp_path / "imported", "fp16")
    assert caught.value.code == "import.overflow"
    assert "outconv.bias of run" in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_one_run_never_counts_twice(tmp_path, tiny_run):
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / CHECKPOINT).write_bytes((tiny_run / CHECKPOINT).read_bytes())
    for sources in ([tiny_run, tiny_run], [tiny_run, copy], []):
        with pytest.raises(UsageError) as caught:
            import_runs(sources, tmp_path / "imported")
        assert caught.value.code == "import.sources"


def test_output_that_cannot_be_a_package_is_refused(tmp_path, tiny_run):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for output, code in (
        (tmp_path / "full", "output.exists"),
        (tmp_path / "full" / "file", "output.not_a_folder"),
        (tmp_path / "my package", "import.name"),
    ):
        with pytest.raises(UsageError) as caught:
            import_runs([tiny_run], output)
        assert caught.value.code == code


def test_table_of_importers_names_what_is_missing(monkeypatch):
    with pytest.raises(UsageError) as caught:
        load_importer("tape")
    assert caught.value.code == "import.kind"
    monkeypatch.setitem(IMPORTERS, "brats2020", "no_such_file:nothing")
    with pytest.raises(SetupError) as missing:
        load_importer("brats2020")
    assert missing.value.code == "setup.torch_missing"
