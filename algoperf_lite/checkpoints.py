"""Checkpoints of a running trial, kept with Orbax below the trial's directory.

    <trial>/checkpoint/<step>/

The arrays are kept end to end as bytes, so that they can be of any type; what goes with them, whose
they are and their digest are Orbax's metadata of the step. Orbax writes under a temporary name and
renames, so a checkpoint is there whole or not at all. The one before goes when the new one is on
the disk. Orbax is imported when it is needed, which takes a quarter of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from algoperf_lite.errors import MachineError, unwritable
from algoperf_lite.records import CHECKPOINTS, TRIAL_FILE, read_json
from algoperf_lite.spec import TrialSpec

THREADS_SECONDS = 1.0  # in which Orbax's threads have long ended; others that began may go on
_FORMAT = 1
Notify = Callable[[dict[str, Any]], None]


class Checkpoints:
    """The newest checkpoint of one trial.

    Args:
        directory: where it is, and nothing else.
        identity: JSON-ready; what a checkpoint must have been made by to be gone on from.
        notify: told, under ``doing``, what became of a checkpoint that was found.

    Example:
        >>> import tempfile, jax.numpy as jnp
        >>> kept = Checkpoints(Path(tempfile.mkdtemp()) / "checkpoint", {"seed": 1})
        >>> kept.save(10, {"w": jnp.ones(3)}, {"history": [0.5]})
        >>> kept.restore({"w": jnp.zeros(3)})
        ({'w': Array([1., 1., 1.], dtype=float32)}, {'history': [0.5]})
        >>> kept.remove()
    """

    def __init__(
        self,
        directory: Path,
        identity: Mapping[str, Any],
        notify: Notify = lambda event: None,
    ):
        self._directory = Path(directory).absolute()
        self._identity = json.loads(json.dumps(identity))
        self._notify = notify

    def save(self, step: int, state: Any, content: Mapping[str, Any]) -> None:
        """Keep `state` and `content`, and nothing older; all is on the disk when this returns.

        Args:
            step: higher than that of the checkpoint before.
            state: pytree of JAX arrays, among them typed keys; each replicated where it is on
                several devices.
            content: JSON-ready; numbers need not be finite.

        Raises:
            MachineError: they cannot be written.
        """
        packed = np.concatenate([_bytes(leaf) for leaf in jax.tree.leaves(state)])
        about = {
            "format": _FORMAT,
            "identity": self._identity,
            "structure": _structure(state),
            "content": dict(content),
        }
        about = {"sha256": _digest(packed, about), **about}
        path = self._directory / str(step)
        before = set(threading.enumerate())
        try:
            _write(path, packed, about)
            _sync(path)
            for other in self._directory.iterdir():
                if other != path:
                    shutil.rmtree(other)
        except MemoryError:
            raise
        except Exception as error:  # a full disk reaches us as whatever Orbax makes of it
            raise _cannot_write(path, error) from error
        finally:
            for thread in set(threading.enumerate()) - before:
                thread.join(THREADS_SECONDS)  # nothing of this may run when the clock goes on

    def restore(self, like: Any) -> tuple[Any, dict[str, Any]] | None:
        """What the newest usable checkpoint holds, or None.

        One that is damaged, or is not this trial's, is not used; if none is left, all are removed.

        Args:
            like: a state of the structure, types and placement to restore.

        Raises:
            MachineError: what is not used cannot be removed.
        """
        refused = []
        for step in sorted(self._steps(), reverse=True):
            path = self._directory / str(step)
            try:
                packed, about = _read(path)
            except MemoryError:
                raise
            except Exception as error:  # whatever Orbax makes of files that are not as they were
                refused.append(f"{path} is damaged ({type(error).__name__}: {error})"[:500])
                continue
            expected = {
                "format": _FORMAT,
                "identity": self._identity,
                "structure": _structure(like),
            }
            if differs := list(_differences(about, expected)):
                refused.append(f"{path} differs from this trial in {', '.join(differs)}")
                continue
            self._notify({"doing": f"going on from step {step}"})
            return _unpacked(packed, like), about["content"]
        if refused:
            self._notify({"doing": f"starting over: checkpoint {'; '.join(refused)}"})
        self.remove()
        return None

    def remove(self) -> None:
        """Delete all that there is.

        Raises:
            MachineError: it cannot be deleted.
        """
        try:
            if self._directory.exists():
                shutil.rmtree(self._directory)
        except OSError as error:
            raise unwritable(self._directory, error) from error

    def _steps(self) -> Iterator[int]:
        """Of the checkpoints that were written whole."""
        if self._directory.is_dir():
            for path in self._directory.iterdir():
                if path.name.isdecimal():
                    yield int(path.name)


def of_trial(spec: TrialSpec, identity: Mapping[str, Any], notify: Notify) -> Checkpoints | None:
    """The checkpoints of a trial that is about to run; None if it is to leave none.

    A trial whose record says how it ended starts over: it failed, and a state from which it did so
    may be at fault. So does one that is to leave no checkpoints. What they left is removed.

    Args:
        spec: the trial.
        identity: what its record says of it before it runs.
        notify: see `Checkpoints`.
    """
    checkpoints = Checkpoints(
        spec.directory / CHECKPOINTS, {**identity, "timed": spec.timed}, notify
    )
    record = read_json(spec.directory / TRIAL_FILE)
    ended = record is not None and record["status"] != "interrupted"
    if ended or not spec.checkpoint:
        checkpoints.remove()
    return checkpoints if spec.checkpoint else None


def _checkpointer() -> Any:
    """Orbax's, synchronous."""
    import orbax.checkpoint as ocp  # noqa: PLC0415

    return ocp.Checkpointer(ocp.PyTreeCheckpointHandler())


def _write(path: Path, packed: np.ndarray, about: dict[str, Any]) -> None:
    import orbax.checkpoint as ocp  # noqa: PLC0415

    with _checkpointer() as checkpointer:
        args = ocp.args.PyTreeSave({"state": packed})
        checkpointer.save(path, args=args, custom_metadata=about, force=True)


def _read(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """The bytes of a checkpoint's arrays and what it says of them, after comparing its digest."""
    import orbax.checkpoint as ocp  # noqa: PLC0415

    as_numpy = {"state": ocp.RestoreArgs(restore_type=np.ndarray)}
    with _checkpointer() as checkpointer:
        packed = checkpointer.restore(path, args=ocp.args.PyTreeRestore(restore_args=as_numpy))
        about = dict(checkpointer.metadata(path).custom_metadata)
    if about.pop("sha256", None) != _digest(packed["state"], about):
        raise ValueError("its digest is another")
    return packed["state"], about


def _digest(packed: np.ndarray, about: Mapping[str, Any]) -> str:
    found = hashlib.sha256(packed)
    found.update(json.dumps(about).encode())
    return found.hexdigest()


def _sync(directory: Path) -> None:
    """Wait until all below a directory, and its name, are on the disk."""
    for path in (directory.parent, directory, *directory.rglob("*")):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot_write(path: Path, error: Exception) -> MachineError:
    return unwritable(path, error if isinstance(error, OSError) else OSError(str(error)))


def _is_key(leaf: Any) -> bool:
    return jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _bytes(leaf: Any) -> np.ndarray:
    """Of an array or of a key's data, as uint8 ``[N]``: any type can be kept so."""
    array = np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _structure(state: Any) -> list[list[Any]]:
    """Path, type and shape of each leaf, JSON-ready."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return [[jax.tree_util.keystr(p), str(leaf.dtype), list(leaf.shape)] for p, leaf in leaves]


def _unpacked(packed: np.ndarray, like: Any) -> Any:
    """The arrays that `_bytes` made `packed` of, placed as those of `like`."""
    restored, start = [], 0
    for leaf in jax.tree.leaves(like):
        shape = jax.eval_shape(jax.random.key_data, leaf) if _is_key(leaf) else leaf
        end = start + shape.size * shape.dtype.itemsize
        array = packed[start:end].view(shape.dtype).reshape(shape.shape)
        start = end
        if _is_key(leaf):
            array = jax.random.wrap_key_data(array, impl=jax.random.key_impl(leaf))
        restored.append(jax.device_put(array, leaf.sharding, may_alias=False))
    return jax.block_until_ready(jax.tree.unflatten(jax.tree.structure(like), restored))


def _differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    """Names of what differs, of an identity's those within it."""
    for name, value in expected.items():
        other = found.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            yield from (key for key in value | other if value.get(key) != other.get(key))
        elif other != value:
            yield name
