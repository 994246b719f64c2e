"""``medsegai segment``: a study from files to files. Ring 8."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.errors import ResourceError, UsageError
from MedSegAILib.core.run import BACKENDS, DEFAULT_REPAIRS, DEVICES, PRESETS, REPAIRS, Cancel, RunOptions

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.core.case import Case
    from MedSegAILib.core.result import Notice, Result
    from MedSegAILib.io.dicom_source import Source
    from MedSegAILib.tasks.expected import Expectation

TOP_PLACES = 5  # what fits under the volumes; the file has them all

# Options that the verb ``batch`` has too.
AllowedRepairs = Annotated[
    list[str] | None, typer.Option("--repair", metavar="NAME", help=f"Allow a repair: {', '.join(REPAIRS)}.")
]
RefusedRepairs = Annotated[
    list[str] | None, typer.Option("--no-repair", metavar="NAME", help="Refuse a repair, repeated; or all.")
]


def segment(  # noqa: PLR0913 - an option of the shell is a parameter here
    task: Annotated[str, typer.Option(help="What to segment; see `medsegai models list`.")],
    output: Annotated[Path, typer.Option(help="Folder for the results; it must be empty or new.")],
    inputs: Annotated[
        list[str] | None, typer.Option("--input", metavar="ROLE=FILE", help="One input, repeated: --input T1=t1.nii.gz")
    ] = None,
    study: Annotated[Path | None, typer.Option(help="Folder or archive in which the inputs are found.")] = None,
    preset: Annotated[str, typer.Option(help=f"{', '.join(PRESETS)}: time against quality.")] = "balanced",
    device: Annotated[str, typer.Option(help=f"{', '.join(DEVICES)} or cuda:<n>.")] = "auto",
    backend: Annotated[str, typer.Option(help=", ".join(BACKENDS))] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads, 0 = all cores.")] = 0,
    memory: Annotated[int, typer.Option(metavar="MB", help="Memory that the run may take, 0 = what is free.")] = 0,
    reference: Annotated[str, typer.Option(help="Input whose grid the result lies on.")] = "",
    repairs: AllowedRepairs = None,
    no_repairs: RefusedRepairs = None,
    boxes: Annotated[
        list[str] | None,
        typer.Option("--box", metavar="STAGE=R,A,S,DX,DY,DZ", help="Box of a stage: center and size in RAS mm."),
    ] = None,
    with_dicom_seg: Annotated[
        bool, typer.Option("--dicom-seg", help="Also write a DICOM segmentation; the reference must be a series.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Segment a study: label map, segmentation for 3D Slicer, volumes in mL, places in doubt, picture, passport."""
    repair = chosen_repairs(repairs or (), no_repairs or ())
    options = RunOptions(
        preset=preset,  # type: ignore[arg-type]  # the options name the values there are
        device=device,
        backend=backend,  # type: ignore[arg-type]
        threads=threads,
        memory_mb=memory,
        repair=repair,
        boxes=tuple(_box(entry) for entry in boxes or ()),
    )
    check_output(output, overwrite=overwrite)
    case, notices, roles, source = _read(task, inputs or [], study, _Wanted(reference, with_dicom_seg))
    expectation = _expect(case, task, options)
    result, seconds = _run(case, task, options)
    result = replace(result, notices=(*notices, *result.notices))
    from MedSegAILib.report.outputs import write_outputs
    from MedSegAILib.tasks.history import remember

    more: dict[str, bytes] = {}
    if source is not None:
        from MedSegAILib.report.dicom_export import add_dicom_seg

        result, more = add_dicom_seg(result, source)
    files = write_outputs(result, case, output, more)
    remember(result.passport)
    if as_json:
        screen.give_json({**_answer(result, files, seconds), "expected": expectation.to_json(), "roles": roles})
    else:
        _print(result, files, seconds)


def chosen_repairs(allowed: Sequence[str], refused: Sequence[str]) -> tuple[str, ...]:
    """Give the repairs of a run: the default ones and the allowed ones, less the refused ones.

    Raises:
        UsageError: "options.repair" for a name that there is not.
    """
    for name in (*allowed, *refused):
        if name not in REPAIRS and not (name == "all" and name in refused):
            raise UsageError("options.repair", f"There is no repair {name!r}.", f"Choose one of {', '.join(REPAIRS)}.")
    wanted = {*DEFAULT_REPAIRS, *allowed} - set(REPAIRS if "all" in refused else refused)
    return tuple(name for name in REPAIRS if name in wanted)


def check_output(output: Path, *, overwrite: bool) -> None:
    """Refuse an output folder before minutes are spent, and leave nothing there.

    Raises:
        UsageError: "output.exists" when it holds files and ``overwrite`` is off; "output.not_a_folder".
        ResourceError: "output.not_writable" when nothing can be written there.
    """
    if output.exists() and not output.is_dir():
        raise UsageError("output.not_a_folder", f"{output} is a file, not a folder.", "Give a folder with --output.")
    if not overwrite and output.is_dir() and any(output.iterdir()):
        raise UsageError(
            "output.exists", f"The folder {output} is not empty.", "Give another folder, or add --overwrite."
        )
    place = next(folder for folder in (output, *output.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=place, prefix=".medsegai-"):
            pass
    except OSError as error:
        raise ResourceError(
            "output.not_writable",
            f"Nothing can be written to {output} ({error.strerror}).",
            "Give a folder in which you may write.",
        ) from error


class _Wanted(NamedTuple):
    """What is asked of the reference input: its role, and whether a DICOM object must be able to refer to it."""

    reference: str
    dicom_seg: bool


def _read(
    task: str, inputs: list[str], study: Path | None, wanted: _Wanted
) -> tuple[Case, tuple[Notice, ...], list[dict[str, Any]], Source | None]:
    """Read the inputs and tell how their roles were found.

    The series of the reference is checked first when a DICOM segmentation is asked for.
    """
    from MedSegAILib.io.case_files import read_case_with_notices
    from MedSegAILib.io.dicom_study import open_study
    from MedSegAILib.io.study_folder import find_study
    from MedSegAILib.tasks.store import find_package

    package = find_package(task)
    if not inputs and study is None:
        raise UsageError(
            "cli.inputs",
            "No input is given.",
            f"Give --study FOLDER, or --input for {', '.join(package.roles)}, or both: --input names what is unclear.",
        )
    paths = _paths(inputs)
    notices: tuple[Notice, ...] = ()
    roles: list[dict[str, Any]] = []
    with open_study(study) if study is not None else nullcontext() as folder:
        if folder is not None:
            found = find_study(folder, package.roles, paths)
            # A role that the task does not know stays, for the check to name it.
            paths = {**found.paths, **{role: path for role, path in paths.items() if role not in found.paths}}
            notices, roles = found.notices, found.to_json()
            _tell_roles(roles, notices)
        # Named here, so that the picture shows the input that the package prefers and not just the first one.
        preferred = (role for role in package.reference if role in paths)
        reference = wanted.reference or next(preferred, next(iter(paths)))
        source = _dicom_source(paths[reference]) if wanted.dicom_seg and reference in paths else None
        case, warnings = read_case_with_notices(paths, reference)
    return case, (*notices, *warnings), roles, source


def _dicom_source(path: Path) -> Source:
    """Check before minutes are spent that a DICOM segmentation can refer to the reference input."""
    from MedSegAILib.io.dicom_seg import check_writer
    from MedSegAILib.io.dicom_source import read_source

    check_writer()
    return read_source(path)


def _tell_roles(roles: list[dict[str, Any]], notices: Sequence[Notice]) -> None:
    """Tell it before the run: what was left aside may be why a check refuses the study."""
    for entry in roles:
        if entry["role"]:
            screen.tell_watcher(f"{entry['role']}: {entry['image']} ({entry['confidence']:.0%}). {entry['reason']}")
    for notice in notices:
        screen.tell_watcher(f"note: {notice.message}")


def _paths(inputs: list[str]) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for entry in inputs:
        role, found, path = entry.partition("=")
        if not (role and found and path):
            raise UsageError("cli.input", f"The input {entry!r} is not of the form ROLE=FILE.", "Give --input T1=FILE.")
        if role in paths:
            raise UsageError("cli.input", f"The input {role} is given twice.", "Give each role once.")
        paths[role] = Path(path)
    return paths


def _box(entry: str) -> StageBox:
    stage, _, numbers = entry.partition("=")
    try:
        right, anterior, superior, width, height, depth = (float(number) for number in numbers.split(","))
    except ValueError as error:
        raise UsageError(
            "cli.box",
            f"The box {entry!r} is not of the form STAGE=R,A,S,DX,DY,DZ.",
            "Give --box tumor=10,-5,30,80,80,60: center and size in RAS mm, as the passport lists them.",
        ) from error
    return StageBox(stage, (right, anterior, superior), (width, height, depth))


def _expect(case: Case, task: str, options: RunOptions) -> Expectation:
    """Say what the run will take and be worth, before it starts."""
    from MedSegAILib.tasks.expected import expect
    from MedSegAILib.tasks.history import read_history
    from MedSegAILib.tasks.store import find_package

    expectation = expect(find_package(task), options, read_history(), case)
    screen.tell_watcher(f"expected: {expectation.words()}. {expectation.note}".strip())
    return expectation


def _run(case: Case, task: str, options: RunOptions) -> tuple[Result, float]:
    from MedSegAILib.api import segment as segment_case

    cancel = Cancel()
    with screen.Bar() as bar, stopped_by_ctrl_c(cancel):
        result = segment_case(case, task, options=options, progress=bar.update, cancel=cancel)
    cancel.check()  # Ctrl-C after the last pass still means: write nothing
    return result, bar.seconds


@contextmanager
def stopped_by_ctrl_c(cancel: Cancel) -> Iterator[None]:
    """Let the first Ctrl-C stop at the next check, the second one at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.is_set:
            raise KeyboardInterrupt
        cancel.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _answer(result: Result, files: dict[str, Path], seconds: float) -> dict[str, Any]:
    return {
        "task": result.passport.task,
        "volumes_ml": result.volumes_ml(),
        "notices": [vars(notice) for notice in result.notices],
        "doubt": result.doubt and result.doubt.to_json(),
        "boxes": [box.to_json() for box in result.boxes],
        "files": {name: str(path) for name, path in files.items()},
        "seconds": round(seconds, 3),
        "passport": result.passport.to_json(),
    }


def _print_doubt(result: Result) -> None:
    places = result.doubt.places if result.doubt else ()
    if not places:
        return
    rows: list[tuple[str, ...]] = [("look at", "mL at stake", "R, A, S in mm", "")]
    for place in places[:TOP_PLACES]:
        right, anterior, superior = place.position_ras_mm
        point = f"{right:.0f}, {anterior:.0f}, {superior:.0f}"
        rows.append((place.region, f"{place.at_stake_ml:.2f}", point, place.words))
    for line in screen.table(rows):
        screen.say(line)
    if len(places) > TOP_PLACES:
        screen.say(f"... {len(places) - TOP_PLACES} more places in doubt.csv")


def _print(result: Result, files: dict[str, Path], seconds: float) -> None:
    volumes = result.volumes_ml()
    for line in screen.table(
        [(region.title, region.name, f"{volumes[region.name]:9.2f} mL") for region in result.scheme.regions]
    ):
        screen.say(line)
    _print_doubt(result)
    for box in result.boxes:
        center, size = (", ".join(f"{value:.0f}" for value in part) for part in (box.center_ras_mm, box.size_mm))
        screen.say(f"stage {box.stage} looked in the box around {center} (R, A, S in mm), {size} mm long")
    for notice in result.notices:
        screen.say(f"note: {notice.message} {notice.hint}".rstrip())
    engine, package = result.passport.engine, result.passport.package
    screen.say(
        f"{package.get('name', result.passport.task)} {package.get('version', '')} on "
        f"{engine.get('device', '')} ({engine.get('backend', '')}), {seconds:.1f} s. {result.passport.use}"
    )
    for path in files.values():
        screen.say(f"wrote {path}")
