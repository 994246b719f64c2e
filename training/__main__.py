"""The door of training: ``python -m training train|check|...``. Parsing and telling only."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from MedSegAILib.core.errors import InputError, MedSegAIError, UsageError

RUNS = Path(__file__).resolve().parents[1] / "runs"


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; the exit code is that of the error's class."""
    try:
        run(arguments)
    except MedSegAIError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def run(arguments: list[str] | None = None, prog: str = "python -m training") -> None:
    """Run one verb.

    Args:
        arguments: what follows the program's name; None takes the process's own.
        prog: name of the program for its help.

    Raises:
        MedSegAIError: whatever the verb could not do.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    options = _parser(prog).parse_args(arguments)
    options.run(options)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Train and make MedSegAI packages.")
    verbs = parser.add_subparsers(required=True)
    _add_train(verbs)
    _add_check(verbs)
    export = verbs.add_parser("export", help="make the package of a task from the averaged weights of its runs")
    export.add_argument("task")
    export.add_argument("--runs", type=Path, default=RUNS, help="folder of the run folders; default runs")
    export.add_argument("--output", type=Path, required=True, help="folder of the package")
    export.add_argument("--scores", type=Path, nargs="*", default=[], help="files that evaluate --json wrote")
    export.set_defaults(run=_export)
    evaluate = verbs.add_parser("evaluate", help="Dice of an installed package on labeled studies")
    evaluate.add_argument("task")
    evaluate.add_argument("--set", dest="set_name", required=True, help="key of training.datasets.SETS, or phantom")
    evaluate.add_argument("--part", default="test", help="train or test; test is looked at once for a package")
    evaluate.add_argument("--preset", default="balanced")
    evaluate.add_argument("--limit", type=int, help="only the first studies")
    evaluate.add_argument("--project", type=Path, help="run folder of a training of your own; its package is beside it")
    evaluate.add_argument("--json", type=Path, dest="json_file", help="also write the table as JSON")
    evaluate.add_argument("--output", type=Path, help="folder for scores.json, scores.csv and a page with pictures")
    evaluate.set_defaults(run=_evaluate)
    _add_cross_validate(verbs)
    package = verbs.add_parser("package", help="train, export, measure and export with the numbers, in one go")
    package.add_argument("task")
    package.add_argument("--runs", type=Path, default=RUNS, help="folder of the run folders; default runs")
    package.add_argument("--output", type=Path, required=True, help="folder of the package")
    package.set_defaults(run=_package)
    phantom = verbs.add_parser("phantom", help="draw the sample study of a task")
    phantom.add_argument("--task", default="brain-tumor")
    phantom.add_argument("--seed", type=int, help="another study than the one that ships")
    phantom.add_argument("--output", type=Path, required=True, help="folder for <input>.nii.gz and seg.nii.gz")
    phantom.set_defaults(run=_phantom)
    return parser


def _add_train(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = verbs.add_parser("train", help="train a recipe, or a package from a folder; or go on with its run")
    train.add_argument("recipe", nargs="?", help="a recipe of ours; or give --data")
    train.add_argument("--minutes", type=float, help="time budget of the whole run; without it the recipe's steps")
    train.add_argument("--steps", type=int, help="number of steps instead of the recipe's")
    train.add_argument("--folder", type=Path, help="run folder; default runs/<recipe>")
    train.add_argument("--full", action="store_true", help="a published recipe unreduced, as the source has it")
    train.add_argument("--data", type=Path, help="folder of images and labels that becomes a task of your own")
    train.add_argument("--output", type=Path, help="with --data: folder of the package; default packages/<name>")
    train.add_argument("--name", default="", help="with --data: name of the task; default the folder's")
    train.add_argument("--check", action="store_true", help="with --data: only look at the studies, train nothing")
    train.set_defaults(run=_train)


def _add_cross_validate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    validate = verbs.add_parser("cross-validate", help="hold every train study out once; Dice by study")
    validate.add_argument("recipe")
    validate.add_argument("--set", dest="set_name", required=True, help="the set whose studies are held out in turn")
    validate.add_argument("--folds", type=int, default=5, help="default 5; at most one a patient")
    validate.add_argument("--steps", type=int, help="of each training; default the recipe's")
    validate.add_argument("--folder", type=Path, help="default runs/<recipe>-folds")
    validate.add_argument("--json", type=Path, dest="json_file", help="also write the table as JSON")
    validate.set_defaults(run=_cross_validate)


def _add_check(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = verbs.add_parser("check", help="look at labeled studies first; pictures of what is off")
    check.add_argument("data", type=Path, nargs="?", help="folder of images and labels")
    check.add_argument("--set", dest="set_name", help="instead of a folder: key of training.datasets.SETS, part train")
    check.add_argument("--output", type=Path, help="folder of page and pictures; default data-check")
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> None:
    from .data_check import check_folder, check_set, write_check

    if options.set_name is not None:
        found = check_set(options.set_name)
    elif options.data is not None:
        found = check_folder(options.data)
    else:
        raise UsageError("training.what", "There is nothing to check.", "Give a folder, or --set NAME.")
    place = options.output or Path("data-check")
    write_check(found, place)
    sys.stdout.write(f"{found.facts.name}: {len(found.listed)} studies, {len(found.findings)} findings\n")
    for finding in found.findings:
        sys.stdout.write(f"  {finding.study} {finding.sentence}. {finding.next_step}\n")
    sys.stdout.write(f"pictures: {place / 'check.html'}\n")
    if found.faulty():
        raise InputError(
            "data.defects",
            f"{len(found.faulty())} of {len(found.listed)} studies may not train as they are.",
            f"Look at {place / 'check.html'}; each finding says what to do next.",
        )


def _train(options: argparse.Namespace) -> None:
    if options.data is not None and options.check:
        options.set_name = None
        _check(options)
    elif options.data is not None:
        _train_folder(options)
    elif options.recipe is not None:
        _train_recipe(options)
    else:
        raise UsageError(
            "training.what",
            "There is neither a recipe nor a folder to train on.",
            "Give a recipe's name, or --data FOLDER --minutes 10 --output PACKAGE.",
        )


def _train_folder(options: argparse.Namespace) -> None:
    from .from_folder import FolderOptions, train_folder

    wanted = FolderOptions(options.data, options.output, options.name, options.minutes, options.steps)
    package = train_folder(wanted)
    dice = "; ".join(
        f"{region} {value:.3f}"
        for one in package.manifest["expected"]["dice"].values()
        for region, value in one.items()
    )
    place = wanted.package_folder
    sys.stdout.write(
        f"{place}: the package {package.task}. Dice of studies that never trained: {dice}.\n"
        f"Use it: medsegai models install {place}, then medsegai segment --task {package.task} "
        f"--input {package.roles[0]}=IMAGE --output RESULT\n"
    )


def _train_recipe(options: argparse.Namespace) -> None:
    from .cache import load_training
    from .loop import RunSettings, train
    from .recipes import find_recipe

    recipe = find_recipe(options.recipe)
    if options.full:
        recipe = recipe.unreduced()
    samples, held_out = load_training(recipe)
    budget_s = None if options.minutes is None else options.minutes * 60.0
    settings = RunSettings(options.folder or RUNS / recipe.name, steps=options.steps, budget_s=budget_s)
    train(recipe, samples, held_out, settings)


def _export(options: argparse.Namespace) -> None:
    from .export import export_task
    from .scores import read_json
    from .tasks import find_task

    export_task(find_task(options.task), options.runs, options.output, [read_json(path) for path in options.scores])


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluate import evaluate_set, pictures
    from .score_tables import table, to_csv, to_page
    from .scores import write_json

    packages = [] if options.project is None else [_open_project(options.project)]
    scores = evaluate_set(options.task, options.set_name, options.part, options.preset, options.limit, packages)
    sys.stdout.write(table(scores))
    if options.json_file is not None:
        write_json(scores, options.json_file)
    if options.output is not None:
        write_json(scores, options.output / "scores.json")
        (options.output / "scores.csv").write_text(to_csv(scores), encoding="utf-8")
        page = to_page(scores, pictures(scores, packages))
        (options.output / "scores.html").write_text(page, encoding="utf-8")


def _open_project(folder: Path) -> Path:
    """Make a training of somebody's own known; give the folder of its package."""
    from .from_folder import package_beside
    from .project import make_known, read_project

    make_known(read_project(folder))
    return package_beside(folder)


def _cross_validate(options: argparse.Namespace) -> None:
    from .cross_validate import Validation, cross_validate
    from .evaluate import table, write_json
    from .recipes import find_recipe

    recipe = find_recipe(options.recipe)
    folder = options.folder or RUNS / f"{recipe.name}-folds"
    scores = cross_validate(recipe, Validation(options.set_name, folder, options.folds, options.steps))
    sys.stdout.write(table(scores))
    if options.json_file is not None:
        write_json(scores, options.json_file)


def _package(options: argparse.Namespace) -> None:
    from .campaign import make_package
    from .tasks import find_task

    make_package(find_task(options.task), options.runs, options.output)


def _phantom(options: argparse.Namespace) -> None:
    from .phantoms.sample import write_sample

    for path in write_sample(options.task, options.output, options.seed):
        sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
