"""``medsegai view``: a study, a result or a saved scene in the browser viewer. Ring 8.

The viewer is a process of its own, beside the library: it is started by name and never imported here. It serves this
computer only. What to open goes through its stdin, because names of files may name a patient.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from MedSegAILib.core.errors import InputError, SetupError, WorkerError

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.io.study_images import StudyImage
    from MedSegAILib.tasks.package import Package

VIEWER = "MedSegAISlicer.web"
SCENE_SUFFIXES = (".mrb", ".mrml")
NEEDS = ("trame_slicer", "slicer", "vtk")
IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
RESULT_FILES = ("passport.json", "segmentation.seg.nrrd")
CLOSE_PATIENCE_S = 5.0
_DEFAULT_TASK = "brain-tumor"


def view(
    what: Annotated[
        Path, typer.Argument(help="Folder or archive of a study, folder of a result, or a saved .mrb or .mrml.")
    ],
    study: Annotated[Path | None, typer.Option(help="Beside a result: the study that it was made from.")] = None,
    task: Annotated[str, typer.Option(help="What to segment; empty takes the task that fits the study best.")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this computer, 0 = a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the web browser.")] = True,
) -> None:
    """Show a study or a result in the web browser: segment, review, correct, export. Serves this computer only."""
    check_viewer()
    with ExitStack() as stack:
        opening: dict[str, Any] = {"task": task, "port": port}
        if what.is_file() and what.suffix.lower() in SCENE_SUFFIXES:
            opening["scene"] = str(what.absolute())
        elif is_result(what):
            opening["result"] = str(what.absolute())
            if study is not None:
                task = task or str(json.loads((what / RESULT_FILES[0]).read_text(encoding="utf-8")).get("task", ""))
                opening.update(stack.enter_context(images_of(study, task)))
            else:
                screen.remark("note: without --study FOLDER the result is shown without its images")
        else:
            opening.update(stack.enter_context(images_of(what, task)))
        serve(opening, browser=browser)


def check_viewer() -> None:
    """Refuse when the viewer cannot run here.

    Raises:
        SetupError: "setup.web_missing" with what to install.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing or viewer_folder() is None:
        raise SetupError(
            "setup.web_missing",
            f"The browser viewer is not installed (missing: {', '.join(missing) or VIEWER}).",
            "Install it with: pip install 'medsegai[web]'",
        )


def viewer_folder() -> Path | None:
    """Give the folder from which the viewer is imported: installed, or beside the library in a checkout."""
    package = VIEWER.partition(".")[0]
    found = find_spec(package)
    if found is not None and found.origin is not None:
        return Path(found.origin).parent.parent
    beside = Path(__file__).resolve().parents[2] / "MedSegAI"
    return beside if (beside / package).is_dir() else None


def is_result(folder: Path) -> bool:
    """Tell whether a folder holds a result, of the verb ``segment`` or of an export."""
    return all((folder / name).is_file() for name in RESULT_FILES)


@contextmanager
def images_of(study: Path, task: str) -> Iterator[dict[str, Any]]:
    """Give what to open of a study: its images with their roles, and the task.

    Args:
        study: folder, archive (unpacked for as long as this lasts), or one image file.
        task: empty takes the one that fits best.

    Raises:
        InputError: "study.missing", "study.archive", "view.no_image".
        PackageError: there is no such task.
    """
    from MedSegAILib.io.dicom_study import list_series, open_study
    from MedSegAILib.io.study_images import images_in

    if study.is_file() and study.name.lower().endswith(IMAGE_SUFFIXES):
        yield {"images": [{"files": [str(study.absolute())], "name": _stem(study)}], "task": task}
        return
    with open_study(study) as folder:
        listed = list_series(folder)
        packages = _packages(task)
        images = {package.task: images_in(folder, package.roles, listed) for package in packages}
        if not packages:
            images = {"": images_in(folder, (), listed)}
        found = {name: _assigned(entries, packages, name) for name, entries in images.items()}
        best = max(found, key=lambda name: (len(found[name]), name == _DEFAULT_TASK))
        usable = [image for image in images[best] if _is_input(image)]
        if not usable:
            raise InputError(
                "view.no_image",
                f"There is no image in {study.name} that can be shown.",
                "Give a folder with DICOM series or files .nii.gz, .nrrd, .mha.",
            )
        yield {"images": [_entry(image, found[best]) for image in usable], "task": best if found[best] else task}


def serve(opening: dict[str, Any], *, browser: bool) -> None:
    """Start the viewer, tell its address, and wait until it ends (Ctrl-C).

    Raises:
        WorkerError: "view.died" when it ended by itself.
    """
    is_verbose = logging.getLogger("MedSegAILib").isEnabledFor(logging.DEBUG)
    path = os.pathsep.join(filter(None, [str(viewer_folder()), str(_library()), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(
        [sys.executable, "-m", VIEWER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if is_verbose else subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        encoding="utf-8",
    )
    try:
        address = _start(process, opening)
        screen.say(f"MedSegAI viewer (research use): {address}")
        screen.say("Serves this computer only. Ctrl-C ends it.")
        sys.stdout.flush()
        if browser:
            import webbrowser

            webbrowser.open(address)
        process.wait()
    except KeyboardInterrupt:
        return  # the way to end it
    finally:
        _end(process)
    if process.returncode:
        raise _died()


def _start(process: subprocess.Popen[str], opening: dict[str, Any]) -> str:
    """Hand over what to open and wait for the address."""
    if process.stdin is None or process.stdout is None:
        raise _died()
    try:
        process.stdin.write(json.dumps(opening) + "\n")
        process.stdin.flush()
    except OSError as error:
        raise _died() from error
    for line in process.stdout:
        try:
            return str(json.loads(line)["address"])
        except (ValueError, KeyError, TypeError):
            continue  # a library that greets
    raise _died()


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(CLOSE_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _died() -> WorkerError:
    return WorkerError(
        "view.died",
        "The viewer ended before it could be used.",
        "Run `medsegai --verbose view ...` to see why; another --port helps when the port is taken.",
    )


def _library() -> Path:
    return Path(__file__).resolve().parents[2]


def _packages(task: str) -> list[Package]:
    from MedSegAILib.tasks.store import find_package, list_packages

    return [find_package(task)] if task else list_packages()[0]


def _assigned(images: list[StudyImage], packages: list[Package], task: str) -> dict[str, str]:
    """Give role by key of the image, by names and headers alone; none where they do not make up a case of the task."""
    from MedSegAILib.core.roles import assign

    package = next((package for package in packages if package.task == task), None)
    if package is None:
        return {}
    found = assign([image.candidate for image in images], package.roles).by_role
    is_case = len(found) == len(package.roles) or frozenset(found) in package.subsets
    return {guess.key: role for role, guess in found.items()} if is_case or len(packages) == 1 else {}


def _is_input(image: StudyImage) -> bool:
    from MedSegAILib.core.role_words import OTHER, is_result

    is_volume = image.series is None or image.series.problem is None
    return is_volume and not (image.candidate.claim.role == OTHER and is_result(_stem(Path(image.candidate.key))))


def _entry(image: StudyImage, roles: dict[str, str]) -> dict[str, Any]:
    series = image.series
    files = series.files if series is not None else (Path(image.candidate.key),)
    return {
        "files": [str(path.absolute()) for path in files],
        "name": series.name if series is not None else _stem(files[0]),
        "role": roles.get(image.candidate.key, ""),
        "modality": series.modality if series is not None else "",
    }


def _stem(path: Path) -> str:
    """Give the name of an image file without its ending."""
    lower = path.name.lower()
    return next(
        (path.name[: -len(end)] for end in sorted(IMAGE_SUFFIXES, key=len)[::-1] if lower.endswith(end)), path.name
    )
