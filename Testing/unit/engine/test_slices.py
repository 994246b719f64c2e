import numpy as np
import pytest

from MedSegAILib.engine.slices import Slices, cut_of


class Recording:
    """A network that gives the sum over its channels, and remembers what it saw."""

    def __init__(self, outputs=1):
        self.seen = []
        self.outputs = outputs

    def run(self, array):
        self.seen.append(array.shape)
        return np.stack([array.sum(axis=1)] * self.outputs, axis=1)

    def close(self):
        pass


LOOK = np.arange(2 * 7 * 2 * 3, dtype=np.float32).reshape(2, 7, 2, 3)


@pytest.mark.parametrize(("shape", "batch"), [((7, 5, 6), 3), ((16, 5, 6), 8), ((1, 4, 4), 8), ((100, 3, 3), 8)])
def test_shares_of_slices_sum_to_one(shape, batch):
    windows = Slices((batch, 3, 4), 0.5, "gaussian")
    total = np.zeros(shape)
    for box, shares in windows.lay(shape):
        assert box[0].stop - box[0].start == min(batch, shape[0])
        total[box] += shares
    assert np.allclose(total, 1.0, atol=1e-6)


def test_batches_of_slices_do_not_overlap_where_they_fit():
    starts = sorted({box[0].start for box, _ in Slices((8, 4, 4), 0.5).lay((24, 4, 4))})
    assert starts == [0, 8, 16]


def test_network_sees_slices_with_their_neighbors_as_channels():
    windows = Slices((4, 2, 3), slices=3)
    network = Recording()
    out = windows.run(network, LOOK, (slice(2, 6), slice(0, 2), slice(0, 3)))
    assert network.seen == [(4, 6, 2, 3)]
    assert out.shape == (1, 4, 2, 3)
    wanted = LOOK[:, 1:4].sum(axis=(0, 1))
    assert (out[0, 0] == wanted).all()
    assert windows.seen((2, 7, 2, 3)) == (6, 2, 3)


def test_end_slices_stand_for_those_beyond():
    out = Slices((7, 2, 3), slices=3).run(Recording(), LOOK, (slice(0, 7), slice(0, 2), slice(0, 3)))
    assert (out[0, 0] == (2 * LOOK[:, 0] + LOOK[:, 1]).sum(axis=0)).all()
    assert (out[0, 6] == (LOOK[:, 5] + 2 * LOOK[:, 6]).sum(axis=0)).all()


def test_slab_gives_all_its_slices_at_once():
    windows = Slices((3, 2, 3), slices=3, gives="slab")
    network = Recording(outputs=6)
    out = windows.run(network, LOOK, (slice(1, 4), slice(0, 2), slice(0, 3)))
    assert network.seen == [(1, 6, 2, 3)]
    assert out.shape == (2, 3, 2, 3)


def test_each_stack_is_normalized_by_itself():
    out = Slices((2, 2, 3), each="zscore").run(Recording(), LOOK[:1], (slice(0, 2), slice(0, 2), slice(0, 3)))
    assert np.allclose(out.mean(axis=(2, 3)), 0.0, atol=1e-6)
    assert np.allclose(out[0, 0], out[0, 1])


def test_windows_within_a_slice_turn_with_the_look():
    windows = Slices((8, 16, 32), slices=5)
    assert windows.turned(swaps_yx=True) == Slices((8, 32, 16), slices=5)


def test_what_a_manifest_leaves_open_is_the_extent():
    assert cut_of({}, (10, 20, 30)) is None
    assert cut_of({"slices": 13}, (10, 20, 30)) == Slices((8, 20, 30), 0.5, "gaussian", "", 13, "middle")
    assert cut_of({"slices": 5, "gives": "slab", "size": [16, 16]}, (10, 20, 30)).size_zyx == (5, 16, 16)
    assert not isinstance(cut_of({"size": [64, 64, 16]}, (10, 20, 30)), Slices)
