import jax
import jax.numpy as jnp
import tiny

from algoperf_lite.parameters import KINDS, param_kinds


def test_kinds_of_a_model_with_everything():
    net = tiny.Net(batch_norm=True, convolution=True)
    params = net.init(jax.random.key(0), jnp.zeros((2, 4), jnp.int8))["params"]
    kinds = param_kinds(params)
    assert kinds["Conv_0"] == {"kernel": "conv_weight", "bias": "bias"}
    assert kinds["Dense_0"] == {"kernel": "weight", "bias": "bias"}
    assert kinds["BatchNorm_0"] == {"scale": "norm_scale", "bias": "norm_bias"}


def test_embeddings_and_unknown_names():
    kinds = param_kinds({"Embed_0": {"embedding": jnp.zeros((3, 2))}, "temperature": jnp.ones(())})
    assert kinds == {"Embed_0": {"embedding": "embedding"}, "temperature": "other"}
    assert set(jax.tree.leaves(kinds)) <= set(KINDS)
