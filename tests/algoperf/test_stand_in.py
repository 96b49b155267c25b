"""AlgoPerf's modules, stood in for: imports within and without, shardings, types, dropout."""

import importlib
import sys
from types import ModuleType

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.core import freeze

from algoperf_lite.algoperf import stand_in
from algoperf_lite.algoperf.stand_in import (
    jax_sharding_utils,
    jax_utils,
    param_utils,
    spec,
    standing_in,
)
from algoperf_lite.parameters import param_kinds
from algoperf_lite.referee.seal import Seal

P = jax.sharding.PartitionSpec


def imported():
    """All that is imported under AlgoPerf's name, and where Python looks for modules."""
    ours = {n: m for n, m in sys.modules.items() if n.partition(".")[0] == "algoperf"}
    return ours, list(sys.meta_path)


@pytest.fixture
def real(monkeypatch):
    """An AlgoPerf that is imported, by module name."""
    names = ("algoperf", "algoperf.spec", "algoperf.halton", "algoperf.workloads.mnist")
    modules = {name: ModuleType(name) for name in names}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules


FORMS = {
    "import algoperf.spec as found": spec,
    "from algoperf import spec as found": spec,
    "import algoperf; found = algoperf.spec": spec,
    "from algoperf.spec import ShapeTuple as found": spec.ShapeTuple,
    "from algoperf import jax_sharding_utils as found": jax_sharding_utils,
    "from algoperf import sharding_utils as found": jax_sharding_utils,
    "import algoperf.param_utils as found": param_utils,
    "from algoperf.jax_utils import Dropout as found": jax_utils.Dropout,
}


@pytest.mark.parametrize("form", FORMS)
def test_an_import_gives_our_modules(form):
    names = {}
    with standing_in():
        exec(form, names)
    assert names["found"] is FORMS[form]


def test_modules_import_by_name_and_are_gone_afterwards():
    before = imported()
    with standing_in():
        assert importlib.import_module("algoperf.spec") is spec
        assert importlib.util.find_spec("algoperf").name == "algoperf"
        assert imported() != before
    assert imported() == before


def test_a_real_one_is_hidden_and_comes_back(real):
    before = imported()
    with standing_in():
        assert importlib.import_module("algoperf.spec") is spec
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("algoperf.halton")
    assert imported() == before
    assert sys.modules["algoperf.halton"] is real["algoperf.halton"]


def test_an_exception_leaves_nothing_behind(real):
    before = imported()
    with pytest.raises(ZeroDivisionError), standing_in(jax.devices()[:2]):
        1 / 0  # noqa: B018
    assert imported() == before
    assert jax_sharding_utils.get_mesh().size == len(jax.devices())


def test_names_that_only_start_alike_are_left_alone(monkeypatch, real):
    neighbour = ModuleType("algoperf2")
    monkeypatch.setitem(sys.modules, "algoperf2", neighbour)
    with standing_in():
        assert sys.modules["algoperf2"] is neighbour
        sys.modules["algoperf.mine"] = ModuleType("algoperf.mine")
        assert sys.modules["algoperf_lite.algoperf.stand_in"] is stand_in
        assert importlib.import_module("algoperf_lite.errors") is not None
    assert sys.modules["algoperf2"] is neighbour


@pytest.mark.parametrize("meddled", [["algoperf"], ["algoperf", "algoperf.spec"], []])
def test_what_a_submission_does_to_the_modules_does_not_last(meddled, real):
    before = imported()
    with standing_in():
        for name in meddled:
            del sys.modules[name]
        sys.modules["algoperf.mine"] = ModuleType("algoperf.mine")
        with standing_in():  # as when its functions are called
            assert importlib.import_module("algoperf.spec") is spec
        sys.meta_path.clear()
        sys.meta_path.extend(before[1])
    assert imported() == before


def test_entering_again_changes_nothing_but_the_devices():
    two, one = jax.devices()[:2], jax.devices()[2:3]
    with standing_in(two):
        now = imported()
        with standing_in():
            assert jax_sharding_utils.get_mesh().devices.tolist() == two
        with standing_in(one):
            assert imported() == now
            assert jax_sharding_utils.get_mesh().devices.tolist() == one
        assert imported() == now
        assert jax_sharding_utils.get_mesh().devices.tolist() == two


REFUSED = {
    "import algoperf.pytorch_utils": "only JAX submissions run here",
    "from algoperf import pytorch_utils": "only JAX submissions run here",
    "from algoperf.pytorch_utils import pytorch_setup": "only JAX submissions run here",
    "import algoperf; algoperf.pytorch_utils.pytorch_setup()": "only JAX submissions run here",
    "from algoperf.workloads.wmt import bleu": "algoperf.workloads has no stand-in",
    "from algoperf import halton": "algoperf.halton has no stand-in",
}


@pytest.mark.parametrize("form", REFUSED)
def test_other_imports_say_what_stands_in(form):
    with standing_in(), pytest.raises(ModuleNotFoundError, match=REFUSED[form]) as refused:
        exec(form, {})
    assert "algoperf.jax_sharding_utils, algoperf.jax_utils" in str(refused.value)
    assert refused.value.name.startswith("algoperf.")


def test_the_package_shows_nothing_else():
    with standing_in():
        package = importlib.import_module("algoperf")
    assert not hasattr(package, "__wrapped__")
    assert not hasattr(package, "_private")
    public = {name for name in vars(package) if not name.startswith("_")}
    assert public == {*stand_in.MODULES, *stand_in.ALIASES}


def test_the_seal_sees_no_change():
    with standing_in():  # whatever is made once is made
        seal = Seal()
    with standing_in(jax.devices()[:2]):
        jax_sharding_utils.get_batch_dim_sharding()
        assert seal.broken() == []
    assert seal.broken() == []


def test_members_have_algoperfs_values():
    assert [m.name for m in spec.ForwardPassMode] == ["TRAIN", "EVAL"]
    assert {m.name: m.value for m in spec.LossType} == {
        "SOFTMAX_CROSS_ENTROPY": 0,
        "SIGMOID_CROSS_ENTROPY": 1,
        "MEAN_SQUARED_ERROR": 2,
        "CTC_LOSS": 3,
        "MEAN_ABSOLUTE_ERROR": 4,
    }
    types = {m.name: m.value for m in spec.ParameterType}
    assert sorted(types.values()) == list(range(15))
    assert (types["WEIGHT"], types["LAYER_NORM_BIAS"], types["ATTENTION_KV"]) == (0, 6, 13)


def test_a_shape_is_a_leaf_and_a_value():
    shapes = {"a": spec.ShapeTuple((2, 3)), "b": spec.ShapeTuple(())}
    zeros = jax.tree.map(lambda s: np.zeros(s.shape_tuple), shapes)
    assert (zeros["a"].shape, zeros["b"].shape) == ((2, 3), ())
    assert spec.ShapeTuple((2, 3)) == shapes["a"] != shapes["b"]
    assert shapes["a"] != (2, 3)
    assert {spec.ShapeTuple((2, 3)), shapes["a"]} == {shapes["a"]}
    assert repr(shapes["a"]) == "ShapeTuple((2, 3))"


def test_a_bare_workload_knows_nothing():
    workload = spec.Workload()
    for name in [n for n in vars(spec.Workload) if not n.startswith(("_", "metrics", "attach"))]:
        with pytest.raises(NotImplementedError, match=name):
            value = getattr(workload, name)
            value(*range(value.__func__.__code__.co_argcount - 1 - len(value.__defaults__ or ())))
    assert workload.metrics_logger is None
    workload.attach_metrics_logger("a logger")
    assert workload.metrics_logger == "a logger"


def test_shardings_are_the_same_objects_in_every_step():
    got = []
    for _ in range(2):
        with standing_in(jax.devices()[:2]):
            utils = jax_sharding_utils
            got.append((utils.get_replicate_sharding(), utils.get_batch_dim_sharding()))
    assert all(a is b for a, b in zip(*got, strict=True))
    assert [sharding.spec for sharding in got[0]] == [P(), P("batch")]
    assert got[0][0].mesh.axis_names == ("batch",)


def test_arrays_are_split_or_whole(capsys):
    with standing_in(jax.devices()[:2]):
        tree = {"x": np.arange(6.0).reshape(6, 1), "y": np.arange(2.0)}
        parts = jax_sharding_utils.shard_along_batch_dim(tree)
        whole = jax_sharding_utils.replicate(tree)
    assert [s.data.shape for s in parts["x"].addressable_shards] == [(3, 1)] * 2
    assert [s.data.shape for s in whole["x"].addressable_shards] == [(6, 1)] * 2
    jax_sharding_utils.display_shard_info(parts["y"])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_earlier_names_still_mean_the_same():
    utils = jax_sharding_utils
    with standing_in(jax.devices()[:2]):
        mesh = utils.get_mesh()
        whole, split = utils.get_replicate_sharding(), utils.get_batch_dim_sharding()
        assert utils.get_replicated_sharding(mesh) is utils.get_empty_sharding() is whole
        assert utils.get_naive_sharding_spec(mesh) is utils.get_batch_sharding() is split
        tree = {"even": np.zeros((4, 3)), "odd": np.zeros(3), "scalar": np.zeros(())}
        expected = {"even": split, "odd": whole, "scalar": whole}
        assert utils.get_sharding_tree(tree) == expected
        assert jax.tree.map(lambda x: x.sharding, utils.shard_params(tree, mesh)) == expected


TYPES = {
    "Dense_0/kernel": "WEIGHT",
    "Dense_0/bias": "BIAS",
    "Conv_init/kernel": "CONV_WEIGHT",
    "Conv_init/bias": "BIAS",
    "BatchNorm_0/scale": "BATCH_NORM_SCALE",
    "BatchNorm_0/bias": "BATCH_NORM_BIAS",
    "batch_norm/scale": "BATCH_NORM_SCALE",
    "bn1/scale": "BATCH_NORM_SCALE",
    "subnet/scale": "LAYER_NORM_SCALE",
    "LayerNorm_0/scale": "LAYER_NORM_SCALE",
    "LayerNorm_0/bias": "LAYER_NORM_BIAS",
    "known/scale": "BATCH_NORM_SCALE",
    "known/bias": "BATCH_NORM_BIAS",
    "Embed_0/embedding": "EMBEDDING",
    "pos_embedding": "EMBEDDING",
    "SelfAttention_0/query/kernel": "ATTENTION_Q",
    "SelfAttention_0/query/bias": "ATTENTION_BIAS",
    "SelfAttention_0/key/kernel": "ATTENTION_K",
    "SelfAttention_0/value/kernel": "ATTENTION_V",
    "SelfAttention_0/out/kernel": "ATTENTION_OUT",
    "attn/q_proj/kernel": "ATTENTION_Q",
    "attn/o_proj/kernel": "ATTENTION_OUT",
    "attn/qkv/kernel": "ATTENTION_QKV",
    "attn/kv/kernel": "ATTENTION_KV",
    "attn/other/kernel": "WEIGHT",
    "attention_block/norm/scale": "LAYER_NORM_SCALE",
    "attention_block/mlp/out/kernel": "WEIGHT",
    "mlp/out/kernel": "WEIGHT",
    "mlp/query/kernel": "WEIGHT",
    "temperature": "WEIGHT",
}


def nested(paths):
    tree = {}
    for path, value in paths.items():
        *above, leaf = path.split("/")
        inside = tree
        for name in above:
            inside = inside.setdefault(name, {})
        inside[leaf] = value
    return tree


def test_types_follow_flax_names():
    shapes = nested({path: spec.ShapeTuple((2, 2)) for path in TYPES})
    types = param_utils.jax_param_types(shapes, batch_norms={("known",)})
    assert types == nested({path: spec.ParameterType[name] for path, name in TYPES.items()})
    assert param_utils.jax_param_types(freeze(shapes), "", {("known",)}) == freeze(types)


def test_types_do_not_contradict_kinds():
    tree = nested({path: np.zeros((2, 2)) for path in TYPES})
    kinds, types = jax.tree.leaves(param_kinds(tree)), param_utils.jax_param_types(tree)
    allowed = {
        "weight": {"WEIGHT", *(n for n in TYPES.values() if n.startswith("ATTENTION"))},
        "bias": {"BIAS", "ATTENTION_BIAS"},
        "norm_scale": {"BATCH_NORM_SCALE", "LAYER_NORM_SCALE"},
        "norm_bias": {"BATCH_NORM_BIAS", "LAYER_NORM_BIAS"},
        "other": {"WEIGHT", "EMBEDDING"},
    }
    for kind, found in zip(kinds, jax.tree.leaves(types), strict=True):
        assert found.name in allowed.get(kind, {kind.upper()})


def test_a_part_of_a_model_is_typed_by_where_it_lies():
    part = {"kernel": spec.ShapeTuple((2, 2))}
    found = param_utils.jax_param_types(part, parent_name="/attention_0/query")
    assert found == {"kernel": spec.ParameterType.ATTENTION_Q}


def test_shapes_of_parameters():
    shapes = param_utils.jax_param_shapes({"W": np.zeros((2, 3)), "b": jnp.zeros(())})
    assert shapes == {"W": spec.ShapeTuple((2, 3)), "b": spec.ShapeTuple(())}


def drop(x, module=None, **call):
    module = module or jax_utils.Dropout(rate=0.25, deterministic=False)
    return module.apply({}, x, rngs={"dropout": jax.random.key(0)}, **call)


def test_dropout_takes_its_rate_when_called():
    x = jnp.ones((40, 50))
    half = drop(x, rate=0.5)
    assert set(np.unique(half)) == {0.0, 2.0}
    assert abs(float(half.mean()) - 1) < 0.1
    np.testing.assert_array_equal(jax.jit(lambda r: drop(x, rate=r))(0.5), half)
    np.testing.assert_array_equal(drop(x), drop(x, rate=0.25))


def test_dropout_at_the_ends_of_its_range():
    x = jnp.ones(8)
    assert jax_utils.Dropout(rate=0.0, deterministic=False).apply({}, x) is x
    assert jax_utils.Dropout(rate=0.5).apply({}, x, deterministic=True) is x
    np.testing.assert_array_equal(jax.jit(lambda r: drop(x, rate=r))(0.0), x)
    zeros, grads = jax.value_and_grad(lambda x: drop(x, rate=jnp.float32(1)).sum())(x)
    assert (float(zeros), float(abs(grads).max())) == (0, 0)


def test_dropout_shares_draws_along_axes():
    rows = drop(jnp.ones((30, 5)), jax_utils.Dropout(0.5, (-1,), False))
    assert (rows == rows[:, :1]).all()
    assert len(np.unique(rows)) == 2


def test_a_summary_is_printed(capsys):
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            return nn.Dense(3)(x)

    jax_utils.print_jax_model_summary(Net(), jnp.ones((1, 2)))
    assert "Dense_0" in capsys.readouterr().out


def test_types_of_chex_stand_in_where_it_is_not_installed(monkeypatch):
    monkeypatch.setattr(stand_in, "find_spec", lambda name: None)
    stand_in._modules.cache_clear()
    try:
        with standing_in():
            import chex

            assert isinstance(jnp.ones(2), chex.Array)
            with pytest.raises(AttributeError, match="install chex beside algoperf_lite"):
                _ = chex.assert_shape
        assert "chex" not in sys.modules
    finally:
        stand_in._modules.cache_clear()


def test_chex_itself_is_used_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(stand_in, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "chex", real := ModuleType("chex"))
    stand_in._modules.cache_clear()
    try:
        with standing_in():
            assert sys.modules["chex"] is real
        assert sys.modules["chex"] is real
    finally:
        stand_in._modules.cache_clear()
