import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads.dropout import dropout


class Drop(nn.Module):
    shape: tuple | None = None

    def __call__(self, x, rate):
        return dropout(self, x, rate, self.shape)


def drop(x, rate, shape=None, seed=0):
    return Drop(shape).apply({}, x, rate, rngs={"dropout": jax.random.key(seed)})


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_mean_is_kept_and_the_share_is_dropped(rate):
    found = jax.jit(drop)(jnp.ones(20_000), rate)  # traced
    assert set(np.unique(np.round(found, 4))) == {0.0, np.float32(round(1 / (1 - rate), 4))}
    assert abs(float((found == 0).mean()) - rate) < 0.01
    assert abs(float(found.mean()) - 1) < 0.02


def test_a_rate_of_zero_needs_no_stream():
    x = jnp.arange(3.0)
    assert Drop().apply({}, x, 0.0) is x


def test_entries_that_share_a_draw_fall_together():
    found = np.asarray(drop(jnp.ones((4, 50, 8)), 0.5, shape=(4, 1, 8)))
    assert (found == found[:, :1]).all()
    assert len(np.unique(found)) == 2
