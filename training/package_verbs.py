"""The verbs that make and measure packages: export, evaluate, cross-validate, package, phantom. Parsing and telling.

Beside the library (training).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .train_verbs import RUNS


def add_package_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs."""
    export = verbs.add_parser("export", help="make the package of a task from the averaged weights of its runs")
    export.add_argument("task")
    export.add_argument("--runs", type=Path, default=RUNS, help="folder of the run folders; default runs")
    export.add_argument("--output", type=Path, required=True, help="folder of the package")
    export.add_argument("--scores", type=Path, nargs="*", default=[], help="files that evaluate --json wrote")
    export.set_defaults(run=_export)
    _add_evaluate(verbs)
    crossed = verbs.add_parser("cross-validate", help="hold every train study out once; Dice by study")
    crossed.add_argument("recipe")
    crossed.add_argument("partner", nargs="?", help="a second recipe; both are merged")
    crossed.add_argument(
        "--merge", choices=("table-1", "mean"), default="table-1", help="default: labels, by the paper's Table 1"
    )
    crossed.add_argument("--set", dest="set_name", required=True, help="the set whose studies are held out in turn")
    crossed.add_argument("--folds", type=int, default=5, help="default 5; at most one a patient")
    crossed.add_argument("--steps", type=int, help="of each training; default the recipe's")
    crossed.add_argument("--folder", type=Path, help="default runs/<recipe>-folds")
    crossed.add_argument("--json", type=Path, dest="json_file", help="also write the table as JSON")
    crossed.set_defaults(run=_cross_validate)
    package = verbs.add_parser("package", help="train, export, measure and export with the numbers, in one go")
    package.add_argument("task")
    package.add_argument("--runs", type=Path, default=RUNS, help="folder of the run folders; default runs")
    package.add_argument("--output", type=Path, required=True, help="folder of the package")
    package.add_argument("--calibrate", action="store_true", help="choose thresholds on held-out train studies")
    package.set_defaults(run=_package)
    phantom = verbs.add_parser("phantom", help="draw the sample study of a task")
    phantom.add_argument("--task", default="brain-tumor")
    phantom.add_argument("--seed", type=int, help="another study than the one that ships")
    phantom.add_argument("--output", type=Path, required=True, help="folder for <input>.nii.gz and seg.nii.gz")
    phantom.set_defaults(run=_phantom)


def _add_evaluate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = verbs.add_parser("evaluate", help="Dice of an installed package on labeled studies")
    evaluate.add_argument("task")
    evaluate.add_argument("--set", dest="set_name", required=True, help="key of training.datasets.SETS, or phantom")
    evaluate.add_argument("--part", default="test", help="train or test; test is looked at once for a package")
    evaluate.add_argument("--inputs", default="", help="show only these inputs of each study, such as T1ce,FLAIR")
    evaluate.add_argument("--preset", default="balanced")
    evaluate.add_argument("--limit", type=int, help="only the first studies")
    evaluate.add_argument("--project", type=Path, help="run folder of a training of your own; its package is beside it")
    evaluate.add_argument("--json", type=Path, dest="json_file", help="also write the table as JSON")
    evaluate.add_argument("--output", type=Path, help="folder for scores.json, scores.csv and a page with pictures")
    evaluate.set_defaults(run=_evaluate)


def _export(options: argparse.Namespace) -> None:
    from .export import export_task
    from .scores import read_json
    from .tasks import find_task

    export_task(find_task(options.task), options.runs, options.output, [read_json(path) for path in options.scores])


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluate import Measured, evaluate_set, write_report
    from .score_tables import table
    from .scores import write_json

    packages = [] if options.project is None else [_open_project(options.project)]
    inputs = tuple(role for role in options.inputs.split(",") if role)
    what = Measured(options.set_name, options.part, options.limit, inputs)
    scores = evaluate_set(options.task, what, options.preset, packages)
    sys.stdout.write(table(scores))
    if options.json_file is not None:
        write_json(scores, options.json_file)
    if options.output is not None:
        write_report(scores, options.output, packages)


def _open_project(folder: Path) -> Path:
    """Make a training of somebody's own known; give the folder of its package."""
    from .from_folder import package_beside
    from .project import make_known, read_project

    make_known(read_project(folder))
    return package_beside(folder)


def _cross_validate(options: argparse.Namespace) -> None:
    from .cross_validate import Validation, beside_the_paper, cross_validate
    from .recipes import find_recipe
    from .score_tables import table
    from .scores import write_json

    recipe = find_recipe(options.recipe)
    folder = options.folder or RUNS / f"{recipe.name}-folds"
    partner = None
    if options.partner is not None:
        partner = (find_recipe(options.partner), folder.with_name(f"{options.partner}-folds"))
    plan = Validation(options.set_name, folder, options.folds, options.steps, options.merge)
    scores = cross_validate(recipe, plan, partner)
    sys.stdout.write(table(scores))
    if recipe.task == "brain-tumor":
        sys.stdout.write("\n" + beside_the_paper([scores]))
    if options.json_file is not None:
        write_json(scores, options.json_file)


def _package(options: argparse.Namespace) -> None:
    from .campaign import Campaign, make_package
    from .tasks import find_task

    make_package(find_task(options.task), Campaign(options.runs, options.output, calibrate=options.calibrate))


def _phantom(options: argparse.Namespace) -> None:
    from .phantoms.sample import write_sample

    for path in write_sample(options.task, options.output, options.seed):
        sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")
