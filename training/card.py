"""The card of a package: what it is, what it saw, what it is worth, where it fails. Written by the run.

Beside the library (training).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .recipes.recipe import Recipe
from .run import Run
from .score_tables import table
from .scores import SetScore
from .tasks.task import Task

FAILED = 0.5  # mean Dice of a study below which nobody would correct the result instead of drawing anew
LOSS_WORDS = {
    "brats2020": "soft Dice plus cross-entropy",
    "cross_entropy_dice": "cross-entropy plus soft Dice",
    "jaccard": "soft Jaccard distance of every class",
}


def write_card(task: Task, runs: Sequence[Run], scores: Sequence[SetScore]) -> str:
    """Give the card as Markdown.

    Args:
        task: gives the words that no run knows; a warning stands in the first line.
        runs: the trainings of all members.
        scores: from ``evaluate``; each table stands under the command that prints it again.
    """
    card = task.card
    parts = [f"**{card.warning}**\n"] if card.warning else []
    parts += [f"# {task.name}: {task.table['title']}\n", "Research use only; not for clinical decisions. "
              f"License {task.table['license']}.\n"]  # fmt: skip
    parts.append(
        "\n".join(
            _wrapped(f"**{head}** {text}")
            for head, text in (
                ("What it takes.", card.takes),
                ("What it gives.", card.gives),
                ("What it is.", card.is_what),
            )
        )
        + "\n"
    )
    parts.append("## How it was trained\n")
    parts += [_training(task, run) for run in runs]
    parts.append("## What it is worth\n")
    if not scores:
        parts.append("Not measured yet.\n")
    for score in scores:
        parts.append(f"Dice (both empty 1, one empty 0), preset {score.preset}; printed by `{score.command}`:\n")
        parts.append(table(score))
        parts.append(_wrapped(_failures(score)) + "\n")
    parts.append("## Known limits\n")
    parts.append("\n".join(_item(line) for line in card.limits) + "\n")
    return "\n".join(parts)


def _training(task: Task, run: Run) -> str:
    recipe = run.recipe
    crops = "\n".join(
        f"- {kind.count} of {'x'.join(map(str, kind.size_zyx))} voxels: "
        + ", ".join(f"{name} {share:.0%}" for name, share in kind.mix.items())
        for kind in recipe.crops
    )
    steps_text = "; ".join(_words(step) for step in recipe.prepare)
    saw = "Sets: " + "; ".join(_set_words(task, recipe, name) for name in recipe.set_names) + ". "
    if recipe.held_out:
        saw += (
            f"{len(recipe.held_out)} further studies of the train parts never trained; they were watched. "
            "Studies of a test part neither trained nor chose anything: they were measured with the final weights. "
        )
    how = (
        f"`python -m training train {recipe.name}`: {run.steps} steps in {run.hours:.1f} hours on {run.machine}. "
        f"{f'It began with the weights {recipe.start_from}. ' if recipe.start_from else ''}"
        f"AdamW {recipe.learning_rate:g} with a cosine to 0; "
        f"{LOSS_WORDS.get(recipe.loss, recipe.loss)}, unknown regions masked; running mean of the weights. "
        f"Preparation: {steps_text}. Crops take turns:"
    )
    paragraphs = [_wrapped(how), crops, _wrapped(saw + recipe.history), _wrapped(_augmented(recipe))]
    return "\n\n".join(paragraphs) + "\n"


def _failures(score: SetScore) -> str:
    """Say which study came out worst, and how many failed; the first that a reader should look at."""
    worst = min(score.studies, key=lambda one: one.mean_dice)
    failed = sum(one.mean_dice < FAILED for one in score.studies)
    told = ", ".join(f"{name} {value:.3f}" for name, value in worst.dice.items())
    return (
        f"Known failures: {failed} of {len(score.studies)} studies have a mean Dice below {FAILED}; the worst is "
        f"{worst.study} ({told})."
    )


def _set_words(task: Task, recipe: Recipe, set_name: str) -> str:
    words = task.card.learned_on[set_name]
    return f"`phantom` {recipe.phantoms.count} {words}" if set_name == "phantom" else f"`{set_name}` {words}"


def _augmented(recipe: Recipe) -> str:
    options = recipe.augmentation
    flips = [axis for axis, chance in zip("zyx", options.flip_chances_zyx, strict=True) if chance]
    told = [f"flips along {', '.join(flips)}"] if flips else []
    told += ["rotation and scaling"] if options.affine_chance else []
    told += ["contrast"] if options.gamma or options.gain else []
    told += ["uneven coil"] if options.bias_chance else []
    told += ["thick slices"] if options.blur_chance else []
    told += ["noise"] if options.noise_chance else []
    told += ["hidden sequences (never FLAIR and T1ce together)"] if options.drop_chance else []
    if recipe.carve_chances:
        shares = (f"{chance:.0%} of `{name}`" for name, chance in recipe.carve_chances.items())
        told += [f"the tumor of another study of its kind in {', '.join(shares)}"]
    if options.lesion_chance:
        told += [f"another look of the inside of {options.lesion_chance:.0%} of the tumors whose parts are unknown"]
    return f"Augmentation: {', '.join(told)}." if told else "No augmentation."


def _item(text: str) -> str:
    return textwrap.fill(text, width=118, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _wrapped(text: str) -> str:
    return textwrap.fill(text.strip(), width=118, break_long_words=False, break_on_hyphens=False)


def _words(step: Mapping[str, Any]) -> str:
    """Give a preparation step as "name (parameter value, ...)"."""
    parameters = [f"{name} {value}" for name, value in step.items() if name != "step"]
    return f"{step['step']} ({', '.join(parameters)})" if parameters else str(step["step"])
