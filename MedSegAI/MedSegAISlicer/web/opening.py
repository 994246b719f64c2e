"""What the viewer shall open, as the shell hands it over, and bringing it into the scene. Ring 10 (web)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import MedSegAIError, UsageError
from MedSegAISlicer.scene.load import ImageFiles, loadImage, loadResult, openScene, taskOfResult
from MedSegAISlicer.scene.parameters import DEFAULT_TASK
from MedSegAISlicer.scene.tasks import taskChoices
from MedSegAISlicer.scene.volumes import checkVolumeNode

from .desk import Desk


@dataclass(frozen=True)
class Opening:
    """What to open.

    Args:
        images: of the study, in the order of the list.
        result: folder of a result; None opens the images alone.
        scene: saved scene (``.mrb`` or ``.mrml``); None opens the images.
        task: name of the task; empty lets the viewer choose the first one that fits.
        packages: further folders in which packages are looked for.
        port: to listen to; 0 takes a free one.
    """

    images: tuple[ImageFiles, ...] = ()
    result: Path | None = None
    scene: Path | None = None
    task: str = ""
    packages: tuple[Path, ...] = ()
    port: int = 0

    @classmethod
    def fromJson(cls, text: str) -> Opening:
        """Read what the verb ``view`` wrote.

        Raises:
            UsageError: "view.opening" for any other text.
        """
        try:
            data: Mapping[str, Any] = json.loads(text)
            images = tuple(
                ImageFiles(
                    tuple(map(Path, image["files"])), image["name"], image.get("role", ""), image.get("modality", "")
                )
                for image in data.get("images", ())
            )
            return cls(
                images,
                Path(data["result"]) if data.get("result") else None,
                Path(data["scene"]) if data.get("scene") else None,
                str(data.get("task", "")),
                tuple(map(Path, data.get("packages", ()))),
                int(data.get("port", 0)),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                "view.opening", "What to open could not be understood.", "Start the viewer with `medsegai view`."
            ) from error


def bringIn(desk: Desk, opening: Opening) -> Sequence[str]:
    """Load what shall be opened.

    Returns:
        Sentences about images that could not be loaded; the others are there.

    Raises:
        MedSegAIError: the scene or the result cannot be opened.
    """
    if opening.scene is not None:
        openScene(desk.scene, opening.scene)
        return ()
    problems, volumes = [], []
    parameters = desk.logic.parameters()
    for image in opening.images:
        try:
            node = loadImage(image)
            checkVolumeNode(node, image.name)
        except MedSegAIError as error:
            problems.append(str(error))
            continue
        volumes.append(node)
        if image.role:
            parameters.setInput(image.role, node)
    task = opening.task or (taskOfResult(opening.result) if opening.result is not None else "")
    parameters.task = task or _firstThatFits(desk)
    if opening.result is not None:
        scheme = desk.logic.package(parameters.task).scheme
        parameters.result = loadResult(opening.result, scheme, volumes)
    return problems


def _firstThatFits(desk: Desk) -> str:
    """Give the first task that what is loaded may be; the default one where none does."""
    fitting = [choice.task for choice in taskChoices(desk.logic.packages) if not choice.whyNot]
    return DEFAULT_TASK if DEFAULT_TASK in fitting or not fitting else fitting[0]
