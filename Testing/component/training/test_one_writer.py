"""A run folder belongs to one training at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from MedSegAILib.core.errors import UsageError
from training.one_writer import one_writer

HOLD = "import sys; from pathlib import Path; from training.one_writer import one_writer\n"
HOLD += "with one_writer(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


def test_a_second_training_of_the_same_folder_is_refused_and_leaves_it_alone(tmp_path: Path) -> None:
    busy = pytest.raises(UsageError, match="Another training")
    with one_writer(tmp_path / "run"), busy as caught, one_writer(tmp_path / "run"):
        pass
    assert caught.value.code == "training.run_busy"


def test_a_killed_training_lets_its_folder_go(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdin is not None
    with other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError), one_writer(tmp_path):
            pass
        other.kill()
        other.wait()
    with one_writer(tmp_path):
        pass
