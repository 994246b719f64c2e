"""The measuring of networks against second computations: gradients, torch's counter of operations, table 7."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from MedSegAILib.core.errors import UsageError
from MedSegAILib.networks import build
from MedSegAILib.networks.measure import measure, measure_module

TABLE_7 = (3, 5, 9, 13, 21, 29, 45, 45, 53, 61, 61, 65, 69, 69, 71, 73, 73)  # with the three convolutions of 1


def seen_along_x(network, length):
    """For each convolution, how many voxels along x each of its voxels depends on; a list of positions."""
    network = network.double().eval()
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.1, 1.0)  # positive: nothing cancels, PReLU has a slope everywhere
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv3d)]
    outputs = []
    handles = [conv.register_forward_hook(lambda _m, _i, out: outputs.append(out)) for conv in convs]
    image = torch.ones((1, 1, 8, 8, length), dtype=torch.float64, requires_grad=True)
    network(image)
    for handle in handles:
        handle.remove()
    seen = []
    for output in outputs:
        # One period of all strides (8 voxels of the image) in the middle, where no border cuts the field.
        count = max(1, 8 * output.shape[-1] // length)
        middle = output.shape[-1] // 2
        sizes = []
        for place in range(middle, middle + count):
            (gradient,) = torch.autograd.grad(output[0, 0, 0, 0, place], image, retain_graph=True)
            sizes.append(int((gradient.abs().amax(dim=(0, 1, 2, 3)) > 0).sum()))
        seen.append(sizes)
    return seen


@pytest.mark.parametrize("skips", ["concat", "sum", "none"])
def test_fields_of_the_multi_scale_network_are_those_of_table_7(skips):
    told = measure("multiscale.MultiScale", {"width": 1, "skips": skips}, (1, 32, 32, 32))
    assert tuple(field[0] for field in told.fields_by_layer[:17]) == TABLE_7
    assert told.field == (73, 73, 73)
    assert told.sees_all  # its instance norms


def test_fields_are_those_that_gradients_show():
    """Nearest enlargement makes the support depend on the position by parity; its mean is what the arithmetic says."""
    network = build("multiscale.MultiScale", width=1, norm="none", combined=False)
    seen = seen_along_x(network, 144)
    assert [sum(sizes) / len(sizes) for sizes in seen] == list(TABLE_7)
    assert [len(set(sizes)) for sizes in seen[:8]] == [1] * 8  # exact at each voxel on the way down


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("prostate.Unet3d", {"width": 4}, (1, 16, 32, 24)),
        ("prostate.DeepLab", {"width": 8, "middle_blocks": 1}, (13, 64, 48)),
        ("tissue.ResUnet", {"width": 4}, (1, 32, 48)),
        ("brats2020.AttEquiUnet", {"width": 16}, (4, 16, 16, 24)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_operations_are_those_of_torchs_own_counter(name, arguments, shape):
    with torch.device("meta"):
        network = build(name, **arguments).eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.empty((1, *shape), device="meta"))
    assert measure_module(network, shape).operations == counter.get_total_flops()


def test_memory_counts_what_lives_at_once():
    class Chain(nn.Module):
        def forward(self, x):
            kept = x.exp()
            for _ in range(5):
                x = x.sin()  # two live while one becomes the next
            return x + kept

    told = measure_module(Chain(), (1, 8, 8))
    # The caller's patch, what is kept, and the old and the new link of the chain.
    assert told.peak_bytes == 4 * 64 * 4


def test_poolings_and_enlargements_enter_the_field():
    network = nn.Sequential(
        nn.MaxPool2d(2),
        nn.Conv2d(1, 1, 3, padding=2, dilation=2),
        nn.AvgPool2d(2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.ConvTranspose2d(1, 1, 3, 2, 1, 1),
    ).to("meta")
    # pool: 1 + 1; dilated: + 2 x 2 x 2; mean: + 2; bilinear: + 4; transposed: + 1 x 2
    assert measure_module(network, (1, 32, 32)).field == (18, 18)


def test_field_of_slices_and_planes_may_differ():
    network = nn.Conv3d(1, 1, (1, 3, 5), padding=(0, 1, 2)).to("meta")
    told = measure_module(network, (1, 8, 8, 8))
    assert told.field == (1, 3, 5)
    assert not told.sees_all


def test_patch_that_the_halvings_do_not_divide_is_refused():
    with pytest.raises(UsageError) as caught:
        measure("prostate.Unet3d", {"width": 2}, (1, 12, 16, 16))
    assert caught.value.code == "network.shape"
