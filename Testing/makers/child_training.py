"""Trainings in processes of their own. They come from a server that is started clean: a fork of a test process, full of
the threads of other libraries, may hang or crash."""

from __future__ import annotations

import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from training.devices import Hardware
from training.loop import RunSettings, train
from training.recipes.recipe import Recipe

from .tiny_training import make_samples

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__])  # so that each child has its libraries at once


def start_training(recipe: Recipe, settings: RunSettings) -> BaseProcess:
    """Start a training of the drawn samples and give its process."""
    child = _SERVER.Process(target=_train, args=(recipe, settings))
    child.start()
    return child


def _train(recipe: Recipe, settings: RunSettings) -> None:
    torch.set_num_threads(1)
    train(recipe, make_samples(), [], settings)


def with_other_processes(folder: Path) -> RunSettings:
    """Give the settings of a run whose batches are drawn by another process."""
    return RunSettings(folder, hardware=Hardware(workers=1))
