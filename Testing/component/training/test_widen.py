"""A widened network gives what the narrow one gave, and its copies of a channel learn apart."""

from __future__ import annotations

import pytest
import torch

from MedSegAILib import networks
from MedSegAILib.core.errors import InputError
from training.start import load_start
from training.widen import wider_weights

SHAPE = (1, 4, 16, 24, 16)


def plain(width: int, norm: str, **ends: int) -> torch.nn.Module:
    torch.manual_seed(width)
    return networks.build("brats2020.EquiUnet", width=width, norm=norm, **ends)


@pytest.mark.parametrize(
    ("norm", "factor"), [("instance", 2), ("instance", 3), ("group", 2), ("group8", 3), ("none", 2)]
)
def test_a_wider_network_gives_the_same_logits(norm: str, factor: int) -> None:
    narrow, wide = plain(8, norm), plain(8 * factor, norm)
    image = torch.randn(SHAPE)
    with torch.no_grad():
        before = wide(image)
        wide.load_state_dict(
            {**wide.state_dict(), **wider_weights(narrow.state_dict(), wide.state_dict()), **_ends(narrow)}
        )
        assert torch.allclose(wide(image), narrow(image), atol=1e-4)
        assert not torch.allclose(before, narrow(image), atol=1e-1)


def _ends(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Give what keeps its shape: the bias of the output."""
    return {"outconv.bias": network.state_dict()["outconv.bias"]}


def test_the_copies_of_a_channel_get_gradients_of_their_own() -> None:
    narrow, wide = plain(8, "instance"), plain(16, "instance")
    wide.load_state_dict({**wide.state_dict(), **wider_weights(narrow.state_dict(), wide.state_dict())})
    wide(torch.randn(SHAPE)).square().mean().backward()
    gradient = wide.get_parameter("decoder1.ConvBnRelu1.conv.weight").grad
    assert gradient is not None
    twins = gradient.reshape(8, 2, -1)
    differ = (twins[:, 0] - twins[:, 1]).norm(dim=1) / gradient.reshape(16, -1).norm(dim=1).reshape(8, 2).amax(dim=1)
    assert bool((differ > 1e-3).all())  # equal shares would leave 0


def test_a_run_may_begin_with_a_member_half_as_wide_and_with_no_other() -> None:
    narrow, wide = plain(8, "group"), plain(16, "group")
    load_start(narrow, "brain-tumor/a1.safetensors")
    load_start(wide, "brain-tumor/a1.safetensors")
    image = torch.randn(SHAPE)
    with torch.no_grad():
        assert torch.allclose(wide(image), narrow(image), atol=1e-3)
    for other in (plain(12, "instance"), plain(16, "group", in_channels=8)):
        with pytest.raises(InputError, match="does not fit"):
            load_start(other, "brain-tumor/a1.safetensors")
    with pytest.raises(InputError, match="does not fit"):
        load_start(torch.nn.Conv3d(4, 16, 3), "brain-tumor/a1.safetensors")


def test_a_wider_network_for_other_regions_has_a_last_layer_of_its_own() -> None:
    wide = plain(16, "group", out_channels=6)  # twice as many regions are not the same ones twice
    last = wide.state_dict()["outconv.weight"].clone()
    load_start(wide, "brain-tumor/a1.safetensors")
    assert torch.equal(wide.state_dict()["outconv.weight"], last)
