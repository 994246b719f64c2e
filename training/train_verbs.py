"""The verbs that train and look at training: train, check, smoke, rank, curves. Parsing and telling only.

Beside the library (training).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAILib.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from .devices import Hardware
    from .recipes.recipe import Recipe

RUNS = Path(__file__).resolve().parents[1] / "runs"


def add_train_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs."""
    train = verbs.add_parser("train", help="train a recipe, or a package from a folder; or go on with its run")
    _add_recipe(train, "a recipe of ours; or give --data", nargs="?")
    train.add_argument("--minutes", type=float, help="time budget of the whole run; without it the recipe's steps")
    train.add_argument("--steps", type=int, help="number of steps instead of the recipe's")
    train.add_argument("--folder", type=Path, help="run folder; default runs/<recipe>")
    train.add_argument("--fold", type=int, help="with --set: train one fold of cross-validate, in runs/<recipe>-folds")
    train.add_argument("--set", dest="set_name", help="with --fold: the set whose studies are held out in turn")
    train.add_argument("--data", type=Path, help="folder of images and labels that becomes a task of your own")
    train.add_argument("--output", type=Path, help="with --data: folder of the package; default packages/<name>")
    train.add_argument("--name", default="", help="with --data: name of the task; default the folder's")
    train.add_argument("--check", action="store_true", help="with --data: only look at the studies, train nothing")
    _add_hardware(train)
    train.set_defaults(run=_train)
    check = verbs.add_parser("check", help="look at labeled studies first; pictures of what is off")
    check.add_argument("data", type=Path, nargs="?", help="folder of images and labels")
    check.add_argument("--set", dest="set_name", help="instead of a folder: key of training.datasets.SETS, part train")
    check.add_argument("--output", type=Path, help="folder of page and pictures; default data-check")
    check.set_defaults(run=_check)
    smoke = verbs.add_parser("smoke", help="minutes before days: does a step fit, does the loss fall")
    _add_recipe(smoke, "a recipe of ours")
    smoke.add_argument("--steps", type=int, default=40)
    smoke.add_argument("--folder", type=Path, help="run folder; default runs/<recipe>-smoke")
    _add_hardware(smoke)
    smoke.set_defaults(run=_smoke)
    rank = verbs.add_parser("rank", help="studies that a finished run learned worst, as CSV for --leave-out")
    _add_recipe(rank, "a recipe of ours")
    rank.add_argument("--folder", type=Path, help="run folder; default runs/<recipe>")
    rank.set_defaults(run=_rank)
    curves = verbs.add_parser("curves", help="draw the learning curves of a run folder")
    curves.add_argument("folder", type=Path)
    curves.set_defaults(run=_curves)


def _add_recipe(parser: argparse.ArgumentParser, words: str, nargs: str | None = None) -> None:
    parser.add_argument("recipe", nargs=nargs, help=words)
    parser.add_argument("--full", action="store_true", help="a published recipe unreduced, as the source has it")
    parser.add_argument("--init", metavar="PACKAGE", help="begin with the weights of a package (task or folder)")
    parser.add_argument("--leave-out", type=Path, help="file of studies that do not train (rank writes one)")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of the run folders; default runs")


def _add_hardware(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--precision", default="auto", help="auto (mixed on a GPU), 32-true, 16-mixed, bf16-mixed")
    parser.add_argument("--devices", type=int, default=0, help="GPUs of a machine; default all")
    parser.add_argument("--nodes", type=int, default=1, help="machines")
    parser.add_argument("--workers", type=int, default=-1, help="processes that draw batches")
    parser.add_argument("--deterministic", action="store_true", help="the same bits in every run, where a GPU can")


def hardware_of(options: argparse.Namespace) -> Hardware:
    """Give the hardware that the options ask for."""
    from .devices import Hardware

    return Hardware(
        devices=options.devices,
        nodes=options.nodes,
        precision=options.precision,
        workers=options.workers,
        deterministic=options.deterministic,
    )


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Give the recipe that the options ask for.

    Raises:
        UsageError: "training.recipe".
    """
    from .cleaning import read_left_out
    from .recipes import find_recipe

    recipe = find_recipe(options.recipe)
    if options.full:
        recipe = recipe.unreduced()
    if options.init:
        recipe = replace(recipe, start_from=options.init)
    if options.leave_out:
        recipe = replace(recipe, left_out=read_left_out(options.leave_out.read_text(encoding="utf-8")))
    return recipe


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

    wanted = FolderOptions(
        options.data, options.output, options.name, options.minutes, options.steps, options.init or ""
    )
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
    from .cross_validate import Validation, run_fold
    from .curves import write_curves
    from .loop import RunSettings, train

    recipe = recipe_of(options)
    if options.fold is not None:
        plan = Validation(
            options.set_name or recipe.set_names[0], options.runs / f"{recipe.name}-folds", steps=options.steps
        )
        run_fold(recipe, plan, options.fold, hardware_of(options))
        write_curves(plan.folder / f"fold-{options.fold}")
        return
    samples, held_out = load_training(recipe)
    budget_s = None if options.minutes is None else options.minutes * 60.0
    folder = options.folder or options.runs / recipe.name
    train(recipe, samples, held_out, RunSettings(folder, options.steps, budget_s, hardware=hardware_of(options)))
    write_curves(folder)


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


def _smoke(options: argparse.Namespace) -> None:
    from .cache import load_training
    from .smoke import smoke

    recipe = recipe_of(options)
    samples, _ = load_training(recipe)
    folder = options.folder or options.runs / f"{recipe.name}-smoke"
    found = smoke(recipe, samples, folder, options.steps, hardware_of(options))
    for before, after in zip(recipe.crops, found.recipe.crops, strict=True):
        if before != after:
            sys.stdout.write(
                f"crop cut to fit: {before.count} of {_size(before.size_zyx)} -> {after.count} of "
                f"{_size(after.size_zyx)}\n"
            )
    sys.stdout.write(
        f"{recipe.name}: {options.steps} steps in {found.seconds:.0f} s, loss {found.first:.3f} -> {found.last:.3f}; "
        f"the largest step takes {found.step_bytes >> 20} MiB, {found.free_bytes >> 20} MiB were free\n"
    )
    if not found.falls:
        raise InputError(
            "training.no_learning",
            f"The loss did not fall in {options.steps} steps ({found.first:.3f} -> {found.last:.3f}).",
            "Look at the data (medsegai train --data FOLDER --check), the learning rate, or give more --steps.",
        )


def _size(size: tuple[int, int, int]) -> str:
    return "x".join(map(str, size))


def _rank(options: argparse.Namespace) -> None:
    from .cache import load_training
    from .cleaning import rank_cases, ranking_csv
    from .run import read_run

    recipe = recipe_of(options)
    samples, _ = load_training(recipe)
    run = read_run(recipe, options.folder or options.runs / recipe.name)
    sys.stdout.write(ranking_csv(rank_cases(run, samples)))


def _curves(options: argparse.Namespace) -> None:
    from .curves import write_curves

    for path in write_curves(options.folder):
        sys.stdout.write(f"{path}\n")
