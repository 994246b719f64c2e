"""Fits the rule of the learned corrector: simulated readers click on automatic results of train studies.

    python Testing/benchmarks/interaction_fit.py collect --task hippocampus --round 0
    python Testing/benchmarks/interaction_fit.py fit --out MedSegAILib/interaction/click_rule.npz

Only studies of the development half (``interaction_units``), none that ``interaction.py`` measures. A round collects
the clues and truths of voxels around the clicks. From the second round on the rule of the last one corrects the
results, so that it learns from the states that it makes itself (Ross, Gordon, Bagnell: AISTATS 2011). Half of the
readers are human ones, a quarter of the runs goes without probabilities. Rows are kept in .cache/interaction/rows.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "MedSegAI")]

from MedSegAILib.core.correction import Correction  # noqa: E402 - after the path is set
from MedSegAILib.core.volume import Volume  # noqa: E402
from MedSegAILib.interaction.clues import NAMES  # noqa: E402
from MedSegAILib.interaction.learned import RULE_FILE, Rule, answered, read_rule, write_rule  # noqa: E402
from MedSegAILib.interaction.session import correct  # noqa: E402
from Testing.benchmarks.interaction_reader import Reader  # noqa: E402
from Testing.benchmarks.interaction_units import CACHE, SETS, subjects  # noqa: E402

ROWS = CACHE / "rows"
STUDIES = {"hippocampus": 24, "brain-tumor": 12, "brain-tissue": 3}
UNITS = {"hippocampus": 36, "brain-tumor": 24, "brain-tissue": 9}
REGIONS = {"brain-tissue": ("CSF", "GM", "WM")}  # the whole brain has no error worth a click
CLICKS, ROWS_A_CLICK = 7, 450
HUMAN, WITH_PROBABILITIES = 0.5, 0.75
HIDDEN, EPOCHS, BATCH, RATE, DECAY = (24, 12), 8, 2048, 4e-3, 1e-2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("collect", "fit"))
    parser.add_argument("--task", choices=sorted(SETS), action="append")
    parser.add_argument("--round", type=int, default=0)
    parser.add_argument("--without", choices=sorted(SETS), help="leave a task out of the fit")
    parser.add_argument("--out", type=Path, default=RULE_FILE)
    given = parser.parse_args()
    ROWS.mkdir(parents=True, exist_ok=True)
    if given.verb == "collect":
        for task in given.task or list(SETS):
            rows, truths, weights = _collected(task, given.round)
            np.savez(ROWS / f"{task}-{given.round}.npz", rows=rows, truths=truths, weights=weights)
            print(
                f"{task}: {len(rows)} rows, {truths.mean():.3f} of them wrong, {time.process_time():.0f} s", flush=True
            )
        return
    kept = [np.load(path) for path in sorted(ROWS.glob("*.npz")) if not path.name.startswith(given.without or "-")]
    write_rule(
        _fitted(*(np.concatenate([one[name] for one in kept]) for name in ("rows", "truths", "weights"))), given.out
    )


def _collected(task: str, turn: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(100 * turn + len(task))
    rule = read_rule(RULE_FILE) if turn else _ball
    units = [
        (subject, region)
        for subject in subjects(task, STUDIES[task], is_development=True)
        for region in REGIONS.get(task, subject.known)
    ]
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for index in chance.permutation(len(units))[: UNITS[task]]:
        _course(*units[index], rule, chance, found)
    rows, truths, weights = zip(*found, strict=True)
    return np.concatenate(rows), np.concatenate(truths), np.concatenate(weights)


def _ball(rows: np.ndarray) -> np.ndarray:
    """Give the odds of a corrector that fills a ball of twice the depth of the click."""
    return 2.0 - 4.0 * rows[:, NAMES.index("distance by depth")]


def _course(subject, region, rule, chance, found) -> None:
    reader = Reader(bool(chance.random() < HUMAN), int(chance.integers(1 << 20)))
    probabilities = subject.probabilities if chance.random() < WITH_PROBABILITIES else None
    truth, grid = subject.scheme.mask(subject.truth, region), subject.labels.grid
    labels, clicks = subject.labels.array.copy(), []

    def corrector(local):
        def ask(clues):
            start = np.linalg.solve(grid.ijk_to_ras, local.evidence.grid.ijk_to_ras[:, 3])[:3]
            box = tuple(
                slice(round(at), round(at) + count) for at, count in zip(start[::-1], local.mask.shape, strict=True)
            )
            is_wrong = truth[box][clues.candidates] == local.is_include
            taken = chance.permutation(len(is_wrong))[:ROWS_A_CLICK]
            # A click with many candidates weighs more than one with few, but not in proportion.
            weight = np.full(len(taken), np.sqrt(len(is_wrong)) / max(len(taken), 1), np.float32)
            found.append((clues.rows[taken], is_wrong[taken], weight))
            return rule(clues.rows)

        return answered(local, ask)

    for _ in range(CLICKS):
        click = reader.next_click(subject.scheme.mask(labels, region), truth, grid)
        if click is None:
            break
        clicks.append(click)
        asked = Correction(
            Volume(labels, grid), subject.scheme, region, tuple(clicks), subject.images, (), probabilities
        )
        answer = correct(asked, corrector)
        labels = labels.copy()
        labels[tuple(slice(o, o + n) for o, n in zip(answer.offset_zyx, answer.labels.array.shape, strict=True))] = (
            answer.labels.array
        )


def _fitted(rows: np.ndarray, truths: np.ndarray, weights: np.ndarray) -> Rule:
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    inputs = torch.from_numpy((rows - middle) / spread)
    wanted, weight = torch.from_numpy(truths.astype(np.float32)), torch.from_numpy(weights / weights.mean())
    sizes = [rows.shape[1], *HIDDEN, 1]
    linear = [torch.nn.Linear(first, second) for first, second in pairwise(sizes)]
    network = torch.nn.Sequential(*[part for layer in linear for part in (layer, torch.nn.ReLU())][:-1])
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    steps = -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=EPOCHS * steps)
    for _ in range(EPOCHS):
        total = 0.0
        for part in torch.randperm(len(inputs)).split(BATCH):
            losses = torch.nn.functional.binary_cross_entropy_with_logits(
                network(inputs[part])[:, 0], wanted[part], weight[part]
            )
            optimizer.zero_grad()
            losses.backward()
            optimizer.step()
            schedule.step()
            total += losses.item()
    print(f"{len(rows)} rows, loss {total / steps:.4f} after {EPOCHS} epochs, {time.process_time():.0f} s", flush=True)
    layers = tuple((one.weight.detach().numpy().T.copy(), one.bias.detach().numpy().copy()) for one in linear)
    return Rule(middle.astype(np.float32), spread.astype(np.float32), layers)


if __name__ == "__main__":
    main()
