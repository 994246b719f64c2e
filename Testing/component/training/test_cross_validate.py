"""What cannot be cross-validated is refused before anything trains; the way itself: ``test_from_folder``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from MedSegAILib.core.errors import UsageError
from training.cross_validate import Validation, cross_validate
from training.recipes import find_recipe


def test_a_set_that_does_not_train_the_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not train on 'ibsr18'"):
        cross_validate(find_recipe("hippocampus"), Validation("ibsr18", tmp_path))


def test_one_recipe_of_a_cascade_is_no_package(tmp_path: Path) -> None:
    recipe = replace(find_recipe("pancreas-organ-small"), crops=find_recipe("hippocampus").crops)
    with pytest.raises(UsageError, match="2 stages"):
        cross_validate(recipe, Validation("hippocampus", tmp_path))
