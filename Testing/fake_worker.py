"""A worker whose tasks behave badly on purpose: the real server, protocol and transfer around a fake computation.

Start it with ``WorkerClient(entry=FAKE_ENTRY)``; the task names the behavior. The labels are no segmentation: voxels
of the first input above 0.5.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.labels import Label, LabelScheme, Region
from MedSegAILib.core.result import Notice, Passport, Probabilities, Result
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback, RunOptions
from MedSegAILib.core.volume import Volume
from MedSegAILib.worker import server
from MedSegAILib.worker.protocol import Hello, encode

FAKE_ENTRY = (str(Path(__file__).resolve()),)
STEPS, STEP_S = 400, 0.02  # a run of 8 s, which no test waits for

SCHEME = LabelScheme(
    (Label(1, "ONE", "First thing", (1.0, 0.0, 0.0)), Label(2, "TWO", "Second thing", (0.0, 1.0, 0.0))),
    (Region("ALL", "Both things", (1, 2), (0.0, 0.0, 1.0)), Region("TWO", "Second thing", (2,), (0.0, 1.0, 0.0))),
)


def threshold(case: Case, task: str, options: RunOptions) -> Result:
    """Give a result on the reference grid: 1 above 0.5, 2 above 0.9."""
    grid = case.reference_grid()
    array = case.volumes[case.reference or next(iter(case.volumes))].array
    labels = (array > 0.5).astype(np.uint8) + (array > 0.9).astype(np.uint8)
    passport = Passport(
        task=task,
        package={"name": task, "version": "0", "sha256": {}},
        library="fake",
        engine={"pid": os.getpid(), "files": "é"},
        options=options.to_json(),
        inputs={role: {"shape_zyx": list(volume.array.shape)} for role, volume in case.volumes.items()},
        repairs=("none", "really"),
    )
    probabilities = Probabilities(
        np.stack([array, 1 - array]).astype(np.float32), ("ALL", "TWO"), np.array(grid.ijk_to_ras)
    )
    notices = (Notice("fake.notice", "A thing to know.", "Do nothing."),)
    return Result(Volume(labels, grid, name="labels"), SCHEME, passport, notices, probabilities)


def friendly(progress: ProgressCallback, cancel: Cancel) -> None:
    for step in range(STEPS):
        cancel.check()
        progress(Progress("predict", step, STEPS))
        time.sleep(STEP_S)


def deaf(progress: ProgressCallback, cancel: Cancel) -> None:
    """Sit in compiled code that neither looks at the flag nor comes back."""
    progress(Progress("predict", 0, 1))
    if sys.platform == "win32":
        ctypes.windll.kernel32.Sleep(60_000)
    else:
        ctypes.CDLL(None).usleep(60_000_000)


def refuse(progress: ProgressCallback, cancel: Cancel) -> None:
    raise InputError("fake.input", "The image is 2D, not 3D.", "Give a volume.", shape=[4, 5], role="T1 é")


def defect(progress: ProgressCallback, cancel: Cancel) -> None:
    raise RuntimeError("no such kernel")


def missing(progress: ProgressCallback, cancel: Cancel) -> None:
    import no_such_library_of_ours.inner  # noqa: F401


def flood(progress: ProgressCallback, cancel: Cancel) -> None:
    """Print what looks like messages, by every road to standard output; read standard input, too."""
    for _ in range(200):
        print('{"kind":"error","job":1,"error":{}}' * 20)  # noqa: T201 - the point of it
        os.write(1, b'{"kind":"result","job":1,"result":{}}\n' * 20)
    subprocess.run([sys.executable, "-c", 'print(\'{"kind":"hello"}\')'], check=True)
    ctypes.CDLL(None).puts(b'{"kind":"error"}')
    if sys.stdin.read() or sys.stdin.buffer.read():
        raise RuntimeError("the messages can be read by anyone")
    progress(Progress("flood", 1, 1))


def killed(progress: ProgressCallback, cancel: Cancel) -> None:
    progress(Progress("predict", 3, 8))
    os.kill(os.getpid(), signal.SIGKILL)


def crash(progress: ProgressCallback, cancel: Cancel) -> None:
    os.abort()


def leave(progress: ProgressCallback, cancel: Cancel) -> None:
    sys.exit(3)


def memory(progress: ProgressCallback, cancel: Cancel) -> None:
    """Allocate until nothing is left of an allowance that is set first, so that no machine suffers."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 64 * 2**20, before[1]))
    try:
        blocks = []
        while True:
            blocks.append(bytearray(2**20))
    finally:
        del blocks
        resource.setrlimit(resource.RLIMIT_AS, before)


def change_input(progress: ProgressCallback, cancel: Cancel) -> None:
    """Nothing here: the computation below writes into its input."""


def family(progress: ProgressCallback, cancel: Cancel) -> None:
    """Start a child of its own, tell its number, and wait."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    progress(Progress("child", child.pid, 0))
    deaf(lambda step: None, cancel)


def log(progress: ProgressCallback, cancel: Cancel) -> None:
    logging.getLogger("MedSegAILib.fake").info("one line é 脳")


TASKS: dict[str, Callable[[ProgressCallback, Cancel], None]] = {
    "quick": lambda progress, cancel: progress(Progress("predict", 1, 1)),
    "friendly": friendly,
    "deaf": deaf,
    "refuse": refuse,
    "defect": defect,
    "missing": missing,
    "flood": flood,
    "killed": killed,
    "crash": crash,
    "leave": leave,
    "memory": memory,
    "change-input": change_input,
    "family": family,
    "log": log,
}


def segment(
    case: Case, task: str, packages: Sequence[Path], options: RunOptions, progress: ProgressCallback, cancel: Cancel
) -> Result:
    """Do what the task names, then threshold."""
    TASKS[task](progress, cancel)
    if task == "change-input":
        next(iter(case.volumes.values())).array[:] = 0
    return threshold(case, task, options)


def swallow(marks: Path) -> None:
    """Greet, let a job vanish in the pipe, and die, as often as there are marks (files) left in a folder."""
    mark = next(marks.iterdir(), None)
    if mark is None:
        return
    mark.unlink()
    os.write(1, encode(Hello(server.PROTOCOL, server.VERSION, os.getpid())))
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)


def first_look(case: Case, task: str, packages: Sequence[Path], options: RunOptions, cancel: Cancel) -> Result | None:
    """Give only what lies above 0.9; a task named so refuses to look, or finds that it gains nothing."""
    if task == "refuse":
        raise InputError("fake.input", "The image is 2D, not 3D.", "Give a volume.")
    if task == "coarse":
        return None
    result = threshold(case, task, options)
    return Result(Volume(result.labels.array // 2, result.labels.grid), SCHEME, result.passport)


if __name__ == "__main__":
    if "--noisy-start" in sys.argv:
        print("a launcher says hello", flush=True)  # noqa: T201 - the point of it
    if "--other-version" in sys.argv:
        server.PROTOCOL, server.VERSION = 99, "9.9.9"
    if "--no-library" in sys.argv:
        import no_such_library_of_ours  # noqa: F401
    if "--garbage" in sys.argv:
        os.write(1, b'{"kind":"hello","protocol":"one"}\n')
        sys.stdin.read()
    if "--mute" in sys.argv:
        sys.stdin.read()
    if "--swallow" in sys.argv:
        swallow(Path(sys.argv[-1]))
    server.main(segment, first_look)
