"""The networks of the four other systems: counts by rule, output shapes, gradients, the variants' facts."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from MedSegAILib.core.errors import SetupError, UsageError
from MedSegAILib.networks import NETWORKS, build
from MedSegAILib.networks.catalog import CATALOG

# Rule "trainable": elements of all parameters (weights, biases, scales, shifts, slopes).
TRAINABLE = {
    "pancreas-2d-unet": 13_394_177,
    "pancreas-2d-unet-se": 13_482_297,
    "pancreas-2d-pspnet-resnet34": 27_522_086,
    "pancreas-2d-unet-resnet34": 26_174_417,
    "pancreas-3d-unet": 1_781_192,
    "pancreas-3d-unet-unshared": 2_368_712,
    "pancreas-3d-unet-se": 1_782_687,
    "pancreas-3d-unet-spatial": 1_787_004,
    "pancreas-3d-fpn": 1_343_545,
    "tissue-2d-unet": 3_918_692,
    "tissue-2d-unet-norm": 3_920_676,
    "tissue-2d-resunet": 9_895_364,
    "tissue-2d-denseunet": 15_479_972,
    "tissue-3d-unet": 2_938_836,
    "prostate-3d-unet": 1_604_707,
    "prostate-2d-deeplab": 41_053_153,
    "prostate-3d-tiramisu-p4a": 49_382_353,
    "prostate-3d-tiramisu-p3a": 22_962_289,
    "prostate-3d-tiramisu-p3b": 23_487_169,
    "hand-multiscale-concat": 409_424,
    "hand-multiscale-concat-single": 408_944,
    "hand-multiscale-sum": 336_848,
    "hand-multiscale-sum-single": 336_368,
    "hand-multiscale-no-skips": 336_848,
    "brats2015-multiscale-concat": 410_072,
    "brats2015-multiscale-concat-single": 409_592,
    "brats2015-multiscale-sum": 337_496,
    "brats2015-multiscale-sum-single": 337_016,
}
# Rule "total": the same and running means and variances, what Keras prints.
TOTAL = {"prostate-3d-unet": 1_605_381, "prostate-2d-deeplab": 41_255_953, "pancreas-2d-unet": 13_402_113}

# Narrow versions that run and learn within a test: arguments and the shape of an input.
NARROW = {
    "pancreas.Unet2d": ({"width": 2}, (1, 32, 32)),
    "pancreas.PspNet": ({"width": 4}, (1, 64, 64)),
    "pancreas.EncoderUnet": ({"width": 4}, (1, 64, 128)),
    "pancreas.Unet3d": ({"width": 2}, (1, 32, 32, 32)),
    "pancreas.Fpn3d": ({"width": 2}, (1, 32, 32, 32)),
    "tissue.Unet": ({"width": 2}, (1, 32, 32)),
    "tissue.ResUnet": ({"width": 2}, (1, 32, 32)),
    "tissue.DenseUnet": ({"width": 2}, (1, 32, 32)),
    "prostate.Unet3d": ({"width": 2}, (1, 8, 16, 16)),
    "prostate.DeepLab": ({"width": 4, "middle_blocks": 1}, (13, 32, 32)),
    "prostate.Tiramisu": ({"layers": (2, 2, 2), "growth": 2}, (1, 8, 8, 8)),
    "multiscale.MultiScale": ({"width": 2}, (1, 16, 16, 16)),
}


def on_meta(name, **arguments):
    with torch.device("meta"):
        return build(name, **arguments)


@pytest.mark.parametrize("name", TRAINABLE)
def test_trainable_parameters_are_the_counted_ones(name):
    network = on_meta(CATALOG[name].network, **CATALOG[name].arguments)
    assert sum(p.numel() for p in network.parameters()) == TRAINABLE[name]


@pytest.mark.parametrize("name", TOTAL)
def test_total_parameters_are_those_that_keras_counts(name):
    network = on_meta(CATALOG[name].network, **CATALOG[name].arguments)
    running = [tensor for key, tensor in network.named_buffers() if key.endswith(("running_mean", "running_var"))]
    assert sum(tensor.numel() for tensor in (*network.parameters(), *running)) == TOTAL[name]


@pytest.mark.parametrize(
    ("name", "arguments", "wanted"),
    [
        ("prostate.DeepLab", {"in_channels": 3, "out_channels": 21}, 41_055_413),
        ("pancreas.Unet2d", {"out_channels": 3}, 13_394_307),
        ("pancreas.Fpn3d", {}, 1_931_065),
        ("tissue.Unet", {"axes": 3, "width": 32, "norm": "none"}, 11_752_868),
    ],
)
def test_further_counts_of_the_pages_hold(name, arguments, wanted):
    assert sum(p.numel() for p in on_meta(name, **arguments).parameters()) == wanted


def test_every_network_of_the_issue_is_in_the_catalog():
    assert {entry.network for entry in CATALOG.values()} == set(NETWORKS)
    assert len(CATALOG) == 40


@pytest.mark.parametrize("name", NARROW)
def test_narrow_version_gives_full_size_and_learns_with_every_parameter(name):
    arguments, shape = NARROW[name]
    torch.manual_seed(0)
    network = build(name, **arguments)
    image = torch.rand((2, *shape))
    output = network(image)
    assert output.shape[2:] == image.shape[2:]
    output.square().mean().backward()
    missing = [key for key, parameter in network.named_parameters() if parameter.grad is None]
    assert missing == []


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("encoder", ["resnet34", "resnet50", "densenet121"])
def test_encoders_exist_in_both_forms(encoder, axes):
    network = on_meta("pancreas.EncoderUnet", encoder=encoder, axes=axes, width=8).eval()
    shape = (1, 1, *(64,) * axes)
    assert network(torch.empty(shape, device="meta")).shape == shape


def test_deep_heads_give_three_more_maps_of_full_size():
    network = build("pancreas.Unet2d", width=2, deep_heads=True)
    main, heads = network(torch.rand(2, 1, 32, 48))
    assert [tuple(head.shape) for head in (main, *heads)] == [(2, 1, 32, 48)] * 4


@pytest.mark.parametrize("gate", ["se", "se_published", "spatial", "spatial_published"])
def test_published_gates_keep_the_skip_out_and_ours_let_it_in(gate):
    """With the gated decoder map in the skip's place, the skip acts through the weights alone."""
    from MedSegAILib.networks.gates import make_gate

    torch.manual_seed(0)
    level = make_gate(gate, 3, 8).eval()
    skip, decoder = torch.rand(1, 8, 4, 4, 4), torch.zeros(1, 8, 4, 4, 4)
    passed = level(decoder, skip)
    assert bool((passed == 0).all()) == gate.endswith("_published")


def test_shared_residual_pairs_use_one_convolution_twice():
    shared, own = (build("pancreas.Unet3d", width=2, shared_residual=flag) for flag in (True, False))
    assert len(own.state_dict()) == len(shared.state_dict()) + 4
    pair = own.encoder.level3[1].eval()
    pair.second.load_state_dict(pair.first.state_dict())
    twin = shared.encoder.level3[1].eval()
    twin.first.load_state_dict(pair.first.state_dict())
    image = torch.rand(1, 8, 6, 6, 6)
    torch.testing.assert_close(pair(image), twin(image))


def test_missing_skips_leave_the_fine_levels_unread():
    """Without long skips nothing of level 1 reaches the output but through the bottom."""
    torch.manual_seed(0)
    network = build("multiscale.MultiScale", width=2, skips="none", norm="none").eval()
    shapes = {}
    network.merge1[0].register_forward_hook(lambda _m, inputs, _o: shapes.update(joined=inputs[0].shape[1]))
    network(torch.rand(1, 1, 8, 8, 8))
    assert shapes["joined"] == 2  # the rising map alone


def test_short_sum_fills_missing_channels_with_zeros():
    network = build("multiscale.MultiScale", width=2, norm="none").eval()
    seen = {}
    network.conv2.register_forward_hook(lambda _m, _i, out: seen.update(h1=out))
    network.conv3.register_forward_hook(lambda _m, _i, out: seen.update(third=out))
    network.act3.register_forward_hook(lambda _m, inputs, _o: seen.update(total=inputs[0]))
    network(torch.rand(1, 1, 8, 8, 8))
    torch.testing.assert_close(seen["total"][:, :2], seen["third"][:, :2] + seen["h1"])
    torch.testing.assert_close(seen["total"][:, 2:], seen["third"][:, 2:])


def test_multi_scale_starts_as_the_page_says():
    torch.manual_seed(0)
    network = build("multiscale.MultiScale")
    assert network.conv7.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert {layer.weight[0].item() for layer in network.modules() if isinstance(layer, nn.PReLU)} == {0.25}


def test_true_residual_sum_is_offered():
    network = build("tissue.ResUnet", width=2, residual="sum", norm="none").eval()
    assert network(torch.rand(1, 1, 32, 32)).shape == (1, 4, 32, 32)
    assert network.encoders[1].project.weight.shape == (4, 2, 1, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("pancreas.Unet3d", {"gate": "cbam"}, "network.gate"),
        ("pancreas.EncoderUnet", {"encoder": "vgg"}, "network.encoder"),
        ("tissue.Unet", {"norm": "layer"}, "network.norm"),
        ("tissue.Unet", {"axes": 4}, "network.axes"),
        ("tissue.ResUnet", {"residual": "product"}, "network.residual"),
        ("prostate.Tiramisu", {"layers": "p5"}, "network.layers"),
        ("prostate.Tiramisu", {"layers": (1, 2, 3, 4)}, "network.layers"),
        ("prostate.DeepLab", {"output_stride": 32}, "network.stride"),
        ("multiscale.MultiScale", {"skips": "some"}, "network.skips"),
    ],
)
def test_unknown_choice_is_refused_by_code(name, arguments, code):
    with pytest.raises(UsageError) as caught:
        build(name, **arguments)
    assert caught.value.code == code


def test_missing_monai_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "monai.networks.nets.resnet", None)
    with pytest.raises(SetupError) as caught:
        build("pancreas.PspNet", width=4)
    assert caught.value.code == "setup.monai_missing"
