import json
import resource
import shutil
import threading
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
import toys
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from algoperf_lite import checkpoints
from algoperf_lite.checkpoints import Checkpoints
from algoperf_lite.errors import MachineError
from algoperf_lite.loaded import LoadedWorkload
from benchmarks import checkpoints as measuring

IDENTITY = {"seed": 7, "environment": {"host_threads": 2, "versions": {"jax": "1"}}}


def state(scale=1.0):
    """One leaf of every kind that a train state may hold."""
    return {
        "float": jnp.array([0.1, jnp.nan, -jnp.inf]) * scale,
        "half": jnp.arange(3, dtype=jnp.bfloat16) * scale,
        "tiny": jnp.array([0.5, 1.5], jnp.float8_e4m3fn),
        "flags": jnp.array([[True], [False]]),
        "empty": jnp.zeros((0, 3)),
        "scalar": (jnp.int32(5), jnp.uint8(200)),
        "complex": jnp.array([1 + 2j]),
        "key": jax.random.key(3),
        "keys": jax.random.split(jax.random.key(4, impl="rbg"), 2),
    }


def content(step):
    return {"step": step, "history": [0.1 + 0.2, float("nan"), float("-inf"), 1e-323], "text": "ä"}


def bits(tree):
    """Everything about the leaves of a state that going on depends on."""
    found = []
    for leaf in jax.tree.leaves(tree):
        key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        raw = np.asarray(jax.random.key_data(leaf) if key else leaf).tobytes()
        weak = not key and leaf.weak_type
        found.append((str(leaf.dtype), leaf.shape, weak, leaf.sharding, raw))
    return found


@pytest.fixture
def said():
    return []


@pytest.fixture
def kept(tmp_path, said):
    """Checkpoints with one at step 10."""
    made = Checkpoints(tmp_path / "checkpoint", IDENTITY, lambda event: said.append(event["doing"]))
    made.save(10, state(), content(10))
    return made


def test_state_and_content_come_back_to_the_bit(kept, said):
    restored, found = kept.restore(state(2.0))
    assert bits(restored) == bits(state())
    assert jax.tree.structure(restored) == jax.tree.structure(state())
    assert json.dumps(found) == json.dumps(content(10))
    assert said == ["going on from step 10"]


def test_the_newest_is_kept_and_nothing_else(kept, tmp_path):
    kept.save(20, state(2.0), content(20))
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["20"]
    restored, found = kept.restore(state())
    assert bits(restored) == bits(state(2.0))
    assert found["step"] == 20


def test_nothing_of_a_save_goes_on_after_it_or_is_printed(kept, capfd):
    before = set(threading.enumerate())
    kept.save(20, state(), content(20))
    assert set(threading.enumerate()) == before
    assert capfd.readouterr() == ("", "")


def test_placement_is_that_of_the_program(kept, tmp_path):
    mesh = NamedSharding(Mesh(np.asarray(jax.devices()[:2]), ("batch",)), PartitionSpec())
    placed = jax.device_put(state(), mesh)
    kept.save(20, placed, {})
    restored, _ = kept.restore(placed)
    assert bits(restored) == bits(placed)
    assert {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(restored)} == {2}


def test_a_restored_state_may_be_donated(kept):
    step = jax.jit(lambda s: jax.tree.map(lambda x: x + 1, s), donate_argnums=0)
    like = {"w": jnp.zeros(64)}
    kept.save(20, {"w": jnp.ones(64)}, {})
    stepped = step(kept.restore(like)[0])
    assert (np.asarray(stepped["w"]) == 2).all()
    assert (np.asarray(kept.restore(like)[0]["w"]) == 1).all()


def test_without_a_checkpoint_there_is_nothing_to_say(tmp_path, said):
    none = Checkpoints(tmp_path / "checkpoint", IDENTITY, said.append)
    assert none.restore(state()) is None
    assert said == []
    none.remove()


FOREIGN = {
    "seed": ({"seed": 8}, {}),
    "host_threads": ({"environment": {**IDENTITY["environment"], "host_threads": 4}}, {}),
    "environment": ({"environment": None}, {}),
    "structure": ({}, {"more": jnp.zeros(1)}),
}


@pytest.mark.parametrize("differs", FOREIGN)
def test_a_checkpoint_of_something_else_is_refused_and_removed(kept, said, tmp_path, differs):
    identity, leaves = FOREIGN[differs]
    other = Checkpoints(
        tmp_path / "checkpoint", IDENTITY | identity, lambda event: said.append(event["doing"])
    )
    assert other.restore(state() | leaves) is None
    assert said[-1].startswith("starting over: checkpoint ")
    assert said[-1].endswith(
        f"differs from this trial in {'environment' if differs == 'host_threads' else differs}"
    )
    assert not (tmp_path / "checkpoint").exists()


def test_types_and_shapes_are_part_of_the_structure(kept):
    assert kept.restore(state() | {"scalar": (jnp.int32(5), jnp.int8(1))}) is None


def damage(checkpoint, pattern, how):
    (path,) = checkpoint.glob(pattern)
    size = path.stat().st_size
    with path.open("r+b") as file:
        if how == "cut":
            file.truncate(size // 2)
        elif how == "emptied":
            file.truncate(0)
        else:
            file.write(bytes(size))
    if how == "gone":
        path.unlink()


FILES = ("manifest.ocdbt", "d/*", "_METADATA", "_CHECKPOINT_METADATA")


@pytest.mark.parametrize("how", ["cut", "emptied", "zeroed", "gone"])
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_checkpoint_is_not_used(kept, said, tmp_path, file, how):
    damage(tmp_path / "checkpoint" / "10", file, how)
    assert kept.restore(state()) is None
    assert "10 is damaged (" in said[-1]
    assert not (tmp_path / "checkpoint").exists()


def test_what_can_be_read_but_was_changed_is_damaged(kept, said, tmp_path):
    path = tmp_path / "checkpoint" / "10" / "_CHECKPOINT_METADATA"
    path.write_text(path.read_text().replace('"step": 10', '"step": 20'))
    assert kept.restore(state()) is None
    assert said[-1].endswith("is damaged (ValueError: its digest is another)")


def test_a_crash_while_deleting_the_older_one_loses_nothing(kept, tmp_path, monkeypatch):
    older = tmp_path / "older"
    shutil.copytree(tmp_path / "checkpoint" / "10", older)
    kept.save(20, state(2.0), content(20))
    shutil.copytree(older, tmp_path / "checkpoint" / "10")
    (tmp_path / "checkpoint" / "30.orbax-checkpoint-tmp").mkdir()
    assert kept.restore(state())[1]["step"] == 20
    damage(tmp_path / "checkpoint" / "20", "_METADATA", "cut")
    assert kept.restore(state())[1]["step"] == 10
    kept.save(30, state(), content(30))
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["30"]


def test_a_step_is_written_again_over_a_damaged_one(kept, tmp_path):
    shutil.copytree(tmp_path / "checkpoint" / "10", tmp_path / "checkpoint" / "20")
    damage(tmp_path / "checkpoint" / "20", "_METADATA", "cut")
    assert kept.restore(state())[1]["step"] == 10
    kept.save(20, state(), content(20))
    assert kept.restore(state())[1]["step"] == 20


@pytest.mark.parametrize("most_bytes", [0, 100, 400])
def test_a_full_disk_is_a_machine_error_and_the_older_one_stays(kept, tmp_path, most_bytes):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        with pytest.raises(MachineError, match=rf"cannot write {tmp_path}/checkpoint/20: "):
            kept.save(20, state(), content(20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert kept.restore(state())[1]["step"] == 10
    kept.save(20, state(), content(20))
    assert kept.restore(state())[1]["step"] == 20


def test_a_directory_that_cannot_be_made_is_a_machine_error(tmp_path):
    (tmp_path / "checkpoint").write_text("")
    with pytest.raises(MachineError, match="cannot write"):
        Checkpoints(tmp_path / "checkpoint", IDENTITY).save(10, state(), {})


def test_all_is_on_the_disk_before_the_older_one_goes(kept, monkeypatch):
    done = []
    fsync, rmtree = checkpoints.os.fsync, checkpoints.shutil.rmtree

    def noted_fsync(descriptor):
        done.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        fsync(descriptor)

    def noted_rmtree(path):
        done.append(f"rmtree {path.name}")
        rmtree(path)

    monkeypatch.setattr(checkpoints.os, "fsync", noted_fsync)
    monkeypatch.setattr(checkpoints.shutil, "rmtree", noted_rmtree)
    kept.save(20, state(), content(20))
    files = {path.name for path in Path(kept._directory).rglob("*")}
    assert files | {"checkpoint"} <= set(done)
    assert done[-1] == "rmtree 10"


def test_what_checkpoints_cost_is_measured(tiny_splits, tmp_path):
    loaded = LoadedWorkload(tiny.workload, tiny_splits, jax.devices()[:1])
    found = measuring.compare(loaded, toys.sgd, 2, tmp_path / "checkpoint")
    assert found["ratio_range"][0] <= found["ratio"] <= found["ratio_range"][1]
    for name in ("save_seconds", "restore_seconds", "with_s_per_step", "without_s_per_step"):
        assert found[name] > 0
    # 4 x 8 + 8 x 2 weights and 8 + 2 biases; step and sum, and the key's two numbers
    assert found["state_bytes"] == 4 * (58 + 2 + 2)
