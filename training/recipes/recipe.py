"""The nouns of a recipe: network, preparation, sampling, augmentation, optimizer. Beside the library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .phase import Phase


@dataclass(frozen=True)
class PublishedChanges:
    """Changes of whole channels, background too, each with a chance of its own.

    Args:
        rescale_chance, rescale: each channel times U(1 - rescale, 1 + rescale).
        shift_chance, shift: each channel plus U(-shift, shift).
        noise_chance, noise: plus Gaussian noise of that standard deviation.
        blank_chance: one random channel becomes 0.
    """

    rescale_chance: float = 0.0
    rescale: float = 0.1
    shift_chance: float = 0.0
    shift: float = 0.1
    noise_chance: float = 0.0
    noise: float = 0.1
    blank_chance: float = 0.0


@dataclass(frozen=True)
class Augmentation:
    """How far a training crop may leave the study; ``*_chance`` are probabilities.

    Args:
        flip_chances_zyx: mirror along each axis.
        affine_chance: rotate and scale at all; else the crop keeps the voxels.
        rotation_degrees: largest angle about each axis.
        scaling: largest relative change of size.
        lowest, highest: intensities that the changes below see as 0 and 1; what lies beyond is clipped.
        gamma, gain: largest absolute exponent of the random power and factor (exp(U(-a, a))).
        bias_chance, bias_size: uneven coil: chance, and largest exponent of its factor.
        noise_chance, noise_size: chance, and largest standard deviation, on intensities of 0 to 1.
        blur_chance, blur_voxels: thick slices: chance for each channel, and largest standard deviation.
        drop_chance: a study with more than one sequence loses some.
        lesion_chance: the inside of a tumor whose parts are unknown gets another look; see ``training.lesions``.
        published: the intensity changes of a paper, in place of gamma, gain, coil, blur and noise; None for ours.
    """

    flip_chances_zyx: tuple[float, float, float] = (0.25, 0.25, 0.5)
    affine_chance: float = 0.5
    rotation_degrees: float = 15.0
    scaling: float = 0.1
    lowest: float = 0.0
    highest: float = 1.0
    gamma: float = 0.35
    gain: float = 0.2
    bias_chance: float = 0.5
    bias_size: float = 0.3
    noise_chance: float = 0.4
    noise_size: float = 0.06
    blur_chance: float = 0.2
    blur_voxels: float = 1.3
    drop_chance: float = 0.4
    lesion_chance: float = 0.0
    published: PublishedChanges | None = None


@dataclass(frozen=True)
class PhantomShare:
    """Phantoms that train: how many, from which seeds, how many of them as whole heads."""

    count: int = 60
    first_seed: int = 100
    with_skull: int = 24


@dataclass(frozen=True)
class CropKind:
    """What the crops of a step are.

    Args:
        count: crops in the batch.
        size_zyx: voxels of a crop.
        mix: chance of each set to give a crop; "phantom" is one of them.
    """

    count: int
    size_zyx: tuple[int, int, int]
    mix: Mapping[str, float]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training.

    Args:
        name: of run folder and command line.
        task: key of ``training.tasks.TASKS``; its roles are the network's input channels.
        channels: regions of the network's output channels, in order.
        network: name in ``MedSegAILib.networks.NETWORKS``; ``arguments`` build it.
        prepare: steps of ``MedSegAILib.tasks.prepare``; they go into the manifest as they stand.
        crops: kinds of crops; the steps take them in turn.
        favored: chance factor of studies whose name starts so; the others have 1.
        held_out: train studies that only monitor.
        left_out: train studies that neither train nor monitor (cleaning; the user decides).
        tumor_chance: share of crops around a tumor voxel; the others lie anywhere.
        carve_chances: by set, share of its studies that get the tumor of another one as well; see ``training.carve``.
        augmentation: see there.
        phantoms: see there.
        learning_rate, weight_decay: of AdamW.
        warmup_steps: linear rise; then a cosine to 0.
        steps: length of the training, unless a time budget decides.
        average_decay: of the running mean of the weights, which is what ships.
        gradient_norm: gradients are clipped to it.
        squared_dice: soft Dice with squares in the denominator (pipeline A) or without (pipeline B).
        start_from: "task/member file" of an installed package whose weights begin the run; empty starts from chance.
        start_logit: of the output everywhere when a run begins from chance; 0 leaves the network's own start.
        seed: of weights, crops and augmentation.
        activation: "sigmoid" for regions that may overlap, "softmax" for labels that exclude each other; the network
            then has one more output, the background, as the first.
        loss: key of ``training.loss_table.LOSSES``; ``loss_settings`` are fields of its ``LossSettings``.
        window: for the manifest, when the network sees windows and not the whole box.
        box: where the stage looks, as in the manifest; a box "from" a region is that of the reference in training.
        box_shift_mm: such a box lies off by up to so much along each axis, other than in use.
        box_copies: shifted boxes of each study.
        slices: 0 for a 3D network; else the slices along z that a 2D network takes as channels, the middle one out.
        full: fields that the unreduced form changes; empty for a recipe that is no reduced form of a published one.
        phases: published trainings in epochs; empty is one phase of AdamW, warm-up and cosine, by steps or the clock.
        epoch_steps: steps of an epoch of the phases; 0 for as many as show every study once.
        deep_supervision: the loss on four further heads is added to that of the output.
        look_steps: steps between looks at the held-out studies; 0 looks by the clock.
        patience: looks without a better mean Dice until the run ends; 0 never ends it.
        keep: "last" ships the averaged weights of the end, "best" those of the best look.
        history: what a reader of the card must know of the run besides, one or two sentences.
    """

    name: str
    task: str
    channels: tuple[str, ...]
    network: str
    arguments: Mapping[str, Any]
    prepare: tuple[Mapping[str, Any], ...]
    crops: tuple[CropKind, ...]
    favored: Mapping[str, float] = field(default_factory=dict)
    held_out: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    tumor_chance: float = 0.5
    carve_chances: Mapping[str, float] = field(default_factory=dict)
    augmentation: Augmentation = Augmentation()
    phantoms: PhantomShare = PhantomShare()
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 150
    steps: int = 4000
    average_decay: float = 0.998
    gradient_norm: float = 2.0
    squared_dice: bool = True
    start_from: str = ""
    start_logit: float = 0.0
    seed: int = 20201121
    activation: str = "sigmoid"
    loss: str = "brats2020"
    loss_settings: Mapping[str, Any] = field(default_factory=dict)
    window: Mapping[str, Any] = field(default_factory=dict)
    box: Mapping[str, Any] = field(default_factory=dict)
    box_shift_mm: float = 0.0
    box_copies: int = 1
    slices: int = 0
    full: Mapping[str, Any] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    epoch_steps: int = 0
    deep_supervision: bool = False
    look_steps: int = 0
    patience: int = 0
    keep: str = "last"

    def unreduced(self) -> Recipe:
        """Give the recipe as the source has it, for machines and studies that allow it."""
        return replace(self, name=f"{self.name}-full", full={}, **self.full)

    history: str = ""

    @property
    def set_names(self) -> tuple[str, ...]:
        """The sets that train, in the order in which the crop kinds name them."""
        return tuple(dict.fromkeys(name for kind in self.crops for name in kind.mix))
