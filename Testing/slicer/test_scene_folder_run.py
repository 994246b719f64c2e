"""segmentFolder of the scene drives the shell's own batch in another process."""

import pytest

from MedSegAILib.batch.options import BATCH_RUN
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.run import RunOptions
from Testing.makers.study_roots import make_root, table


@pytest.fixture
def logic(scene, tiny_package):
    from MedSegAISlicer.scene.logic import SegmentationLogic

    return SegmentationLogic(packages=(tiny_package,))


@pytest.mark.parametrize(
    "options",
    [BATCH_RUN, RunOptions(preset="best", device="cpu", backend="torch", threads=2, memory_mb=900, repair=("strip",))],
)
def test_choices_reach_the_shell_as_they_are(options, monkeypatch, tmp_path):
    import typer.testing
    from MedSegAISlicer.scene.folder_run import batchArguments

    from MedSegAILib.cli import app, batch

    seen = []
    monkeypatch.setattr(batch, "_run", lambda source, output, task, given: seen.append(given) or _nothing(output))
    arguments = batchArguments(tmp_path, tmp_path / "out", "brain-tumor", options)
    done = typer.testing.CliRunner().invoke(app.app, ["batch", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    assert seen[0].run == options


def _nothing(output):
    from MedSegAILib.batch.summary import BatchResult

    return BatchResult(output, 1, 1, 0)


def test_folder_is_segmented_with_progress_and_tables(logic, tmp_path):
    root = make_root(tmp_path / "studies", 2, (1,), size=20)
    seen = []
    answer = logic.segmentFolder(root, tmp_path / "out", progress=seen.append)
    assert (answer["total"], answer["done"]) == (2, 1)
    assert answer["failed"][0]["code"] == "file.too_short"
    assert len(table(tmp_path / "out" / "results.csv")) == 1
    assert seen[-1]["state"] == "finished"


def test_error_comes_as_the_shell_tells_it(logic, tmp_path):
    with pytest.raises(PackageError) as caught:
        logic.segmentFolder(tmp_path, tmp_path / "out", "no-such-task")
    assert caught.value.code == "package.unknown"


def test_cancel_ends_the_process(logic, tmp_path):
    make_root(tmp_path / "studies", 1, size=20)
    run = logic.segmentFolderAsync(tmp_path / "studies", tmp_path / "out")
    run.cancel()
    run.poll()
    assert run.state == "cancelled"
