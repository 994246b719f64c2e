"""The cache of drawn studies follows the code that draws them, and no other."""

from pathlib import Path

import pytest

from training.phantoms import PHANTOMS, sources


def test_every_task_with_phantoms_names_the_module_that_draws_them() -> None:
    assert set(sources.MODULES) == set(PHANTOMS)


@pytest.mark.parametrize("task", sorted(sources.MODULES))
def test_the_sources_hold_the_generator_and_the_blocks_it_is_made_of(task: str) -> None:
    found = sources.sources(task)
    assert (sources.FOLDER / f"{sources.MODULES[task]}.py").read_text(encoding="utf-8") in found
    assert (sources.FOLDER / "fields.py").read_text(encoding="utf-8") in found
    assert (sources.FOLDER / "sample.py").read_text(encoding="utf-8") not in found


def test_another_tasks_anatomy_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in sources.FOLDER.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    before = sources.sources("hand-bones")
    monkeypatch.setattr(sources, "FOLDER", tmp_path)
    (tmp_path / "abdomen.py").write_text("# other", encoding="utf-8")
    assert sources.sources("hand-bones") == before
    (tmp_path / "fields.py").write_text("# other", encoding="utf-8")
    assert sources.sources("hand-bones") != before
