"""The two pipelines of Henry et al. as recipes: A, A with attention, and B. Beside the library.

Each stands here in a form that two cores can start: width 8, crops of 64^3, epochs of four steps; schedules, loss,
optimizer, cycles and augmentation are the paper's already. ``--full`` gives width 48, crops of 128^3 and epochs that
show every study once.

Source: arXiv 2011.01045, and where it is silent its code; every choice stands in the design page "brats2020", sections
2 to 5 and 7. What the paper leaves open is ours: B by epochs, noise of B 0.2, and of both pipelines the best look is
chosen by Dice where the paper takes the validation loss.
"""

from __future__ import annotations

from dataclasses import replace

from MedSegAILib.tasks.importers.brats2020_task import prepare_steps

from .phase import Phase
from .recipe import Augmentation, CropKind, PhantomShare, PublishedChanges, Recipe

STUDIES = {"four_sequences": 1.0}
MAIN = Phase(epochs=200, optimizer="ranger", learning_rate=1e-4, flat_epochs=100, period_epochs=100)
# The code's period is 40 for a cycle of 30; the paper gives no end value.
CYCLE = Phase(epochs=30, optimizer="adam", learning_rate=5e-5, flat_epochs=0, period_epochs=40, member_every=3)
WHOLE_OF_B = Phase(epochs=400, optimizer="adam", learning_rate=1e-4, flat_epochs=0, period_epochs=400)

_CHANGES_OF_A = PublishedChanges(rescale_chance=0.8, noise_chance=0.8, blank_chance=0.16)
_CHANGES_OF_B = PublishedChanges(rescale_chance=0.2, shift_chance=0.2, noise_chance=0.2)

BRATS2020_A = Recipe(
    name="brats2020-a",
    task="brain-tumor",
    channels=("ET", "TC", "WT"),
    network="brats2020.EquiUnet",
    arguments={"width": 8, "norm": "group"},
    prepare=tuple(prepare_steps("A")),
    crops=(CropKind(1, (64, 64, 64), STUDIES),),
    tumor_chance=0.0,
    augmentation=Augmentation(
        flip_chances_zyx=(0.8, 0.8, 0.8), affine_chance=0.0, drop_chance=0.0, published=_CHANGES_OF_A
    ),
    phantoms=PhantomShare(count=0, with_skull=0),
    loss="dice_squared",
    loss_settings={"smoothing": 1.0},
    deep_supervision=True,
    weight_decay=0.0,
    gradient_norm=0.0,
    phases=(MAIN, CYCLE, CYCLE, CYCLE, CYCLE, CYCLE),
    epoch_steps=4,
    full={
        "arguments": {"width": 48, "norm": "group"},
        "crops": (CropKind(1, (128, 128, 128), STUDIES),),
        "epoch_steps": 0,
    },
)
BRATS2020_A_ATTENTION = replace(BRATS2020_A, name="brats2020-a-attention", network="brats2020.AttEquiUnet")
BRATS2020_B = replace(
    BRATS2020_A,
    name="brats2020-b",
    arguments={"width": 8, "norm": "instance"},
    prepare=tuple(prepare_steps("B")),
    crops=(CropKind(3, (64, 64, 64), STUDIES),),
    augmentation=Augmentation(
        flip_chances_zyx=(0.5, 0.5, 0.5), affine_chance=0.0, drop_chance=0.0, published=_CHANGES_OF_B
    ),
    loss="dice",
    phases=(WHOLE_OF_B,),
    keep="best",
    full={
        "arguments": {"width": 48, "norm": "instance"},
        "crops": (CropKind(3, (128, 128, 128), STUDIES),),
        "epoch_steps": 0,
    },
)
BRATS2020: tuple[Recipe, ...] = (BRATS2020_A, BRATS2020_A_ATTENTION, BRATS2020_B)
