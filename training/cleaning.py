"""Which studies a finished run has learned worst: candidates for a look, and for leaving out. The user decides.

Beside the library (training).

Source: the paper removed cases with a high loss at the end of earlier runs and gives no rule; design page "brats2020",
sections 2 and 7.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from io import StringIO

from MedSegAILib import networks

from .cache import Sample
from .monitor import score
from .run import Run


def rank_cases(run: Run, samples: Sequence[Sample]) -> list[tuple[float, Sample]]:
    """Give 1 - mean Dice of the run's weights on each study that trained, the worst first; phantoms are left out."""
    network = networks.build(run.recipe.network, **dict(run.recipe.arguments))
    network.load_state_dict({name: run.weights[name] for name in network.state_dict()})
    network.eval()
    ranked = []
    for sample in samples:
        if sample.set_name != "phantom":
            told = [value for value in score(network, sample, run.recipe) if not math.isnan(value)]
            ranked.append((1.0 - sum(told) / len(told) if told else 0.0, sample))
    return sorted(ranked, key=lambda pair: -pair[0])


def ranking_csv(ranked: Sequence[tuple[float, Sample]]) -> str:
    """Give the ranking as CSV; the first column can be given back with ``--leave-out``."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["study", "set", "loss"])
    writer.writerows([sample.name, sample.set_name, f"{loss:.4f}"] for loss, sample in ranked)
    return stream.getvalue()


def read_left_out(text: str) -> tuple[str, ...]:
    """Give the studies of a file: the first column of each line, a line "study" passed over."""
    names = (line.split(",")[0].strip() for line in text.splitlines())
    return tuple(name for name in names if name and name != "study")
