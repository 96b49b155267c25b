"""Trials on the machines of a Ray cluster (extra ``ray``): a slot per GPU, else one per machine.

A slot is an actor that stays on its machine and holds a supervised worker there (`ray_node.Node`),
so that isolation, limits and reasons are those of a run on this machine, and an actor is lost only
with its machine. No directory need be shared: records come back when a trial has ended, and are
written here.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType
from typing import Any

from algoperf_lite.environment import DEVICE_DATA_BYTES
from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.executors import HANG_SECONDS, Event, NodeLostError
from algoperf_lite.executors.ray_node import Node, code
from algoperf_lite.executors.ray_slot import Slot, close_duplicates, the_same

START_SECONDS = 60.0  # for the slots of a cluster to get free and start
CONNECT_SECONDS = 5.0  # in which a cluster must answer
OBJECT_STORE_BYTES = 100_000_000  # of a cluster started here: records are small
CARRIED = ("JAX_", "XLA_", DEVICE_DATA_BYTES)
"""Environment variables, or their prefixes, that workers are given as they are here."""


class RayExecutor:
    """Slots on the machines of a Ray cluster.

    What is asked of the executor itself, its first slot answers. All slots must describe
    workloads and submissions alike, and for timed trials the device.

    Args:
        address: of a cluster that this machine is part of, ``HOST:PORT`` or ``"auto"``; without,
            a cluster of this machine alone is started, and stopped again by `close`. Where Ray is
            connected to one already, that is used.
        devices: devices that a trial uses; None for all of a slot's.
        hang_after: seconds that a worker may say nothing before it is killed.
        memory_limit: bytes of host memory of a worker; by default a share of its machine's.

    Raises:
        MachineError: Ray is not installed, there is no such cluster, none of its machines is free,
            or one has other code.
    """

    def __init__(
        self,
        address: str | None = None,
        devices: int | None = None,
        hang_after: float = HANG_SECONDS,
        memory_limit: int | None = None,
    ):
        self._ray = _import_ray()
        self._owned = _connect(self._ray, address)
        self._slots: list[Slot] = []
        try:
            self._slots = _start(self._ray, devices, hang_after, memory_limit)
        except BaseException:
            self.close()
            raise

    @property
    def slots(self) -> Sequence[Slot]:
        """See `executors.Executor.slots`; those that were not lost or left out."""
        return tuple(slot for slot in self._slots if slot.is_open)

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> Any:
        """See `executors.Executor.call`.

        Raises:
            UsageError: slots describe workloads or submissions differently.
        """
        if method == "describe":
            described = self._ask_all(method, arguments)
            the_same(described, ("workloads", "submissions"), "make its files the same on both")
            return described[0][1]
        for slot in self.slots:
            try:
                return slot.call(method, arguments, on_event)
            except NodeLostError:
                slot.close()
        raise _none_left()

    @contextmanager
    def reserve(self, purpose: str) -> Iterator[None]:
        """See `executors.Executor.reserve`; of slots on one device, one is kept.

        Raises:
            UsageError: the devices differ, so that times could not be compared.
        """
        close_duplicates(self.slots)
        described = self._ask_all("describe", {"workloads": [], "submissions": []})
        the_same(described, ("environment",), "time on one kind of machine, or give --untimed")
        with ExitStack() as held:
            for slot in self.slots:
                try:
                    held.enter_context(slot.reserve(purpose))
                except NodeLostError:
                    slot.close()
            yield

    def _ask_all(self, method: str, arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Each slot's name and answer, asked at the same time; lost ones are left out."""

        def ask(slot: Slot) -> tuple[str, Any] | None:
            try:
                return slot.name, slot.call(method, arguments)
            except NodeLostError:
                return slot.close()

        with ThreadPoolExecutor(max(1, len(self.slots))) as threads:
            try:
                answers = [answer for answer in threads.map(ask, self.slots) if answer]
            except BaseException:
                for slot in self._slots:  # else its thread would be waited for
                    slot.close()
                raise
        if not answers:
            raise _none_left()
        return answers

    def close(self) -> None:
        """Let go of all slots, and stop the cluster if it was started here."""
        for slot in self._slots:
            slot.close()
        if self._owned:
            self._ray.shutdown()
            self._owned = False


def _none_left() -> MachineError:
    return MachineError("every machine that Ray had for this run was lost; start it again")


def _import_ray() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415
    except ImportError as error:
        raise MachineError(
            f"--executor ray needs Ray ({error}): pip install 'algoperf_lite[ray]'"
        ) from error
    return ray


def _connect(ray: ModuleType, address: str | None) -> bool:
    """Join a cluster or start one; whether that is ours to end."""
    if ray.is_initialized():
        return False
    if address is not None and "://" in address:
        raise UsageError(
            f"--ray-address {address}: give HOST:PORT, on a machine that is part of the cluster"
        )
    if address is not None and ":" in address:
        _refuse_unreachable(address)
    started = {} if address else {
        "include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES,
    }  # fmt: skip
    try:
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **started)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"join the Ray cluster at {address}" if address else "start Ray here"
        raise MachineError(f"cannot {where}: {error}") from error
    with suppress(AttributeError):
        ray._private.worker._worker_logs_enabled = False  # it would print logs to standard output
    return True


def _refuse_unreachable(address: str) -> None:
    """Ray itself would try for many minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise MachineError(
            f"no Ray cluster answers at {address} ({error}); give the HOST:PORT that `ray start"
            " --head` prints"
        ) from error


def _start(
    ray: ModuleType, devices: int | None, hang_after: float, memory_limit: int | None
) -> list[Slot]:
    """A slot for each GPU of the cluster, or each machine where there are none."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    variables = {k: v for k, v in os.environ.items() if k.startswith(CARRIED)}
    here = code()
    actor = ray.remote(Node)
    places = slots_of(ray.nodes())
    hosts = Counter(node["NodeManagerAddress"] for node, _ in places)
    slots = []
    for node, resources in places:
        strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        options = resources | {"max_concurrency": 4, "scheduling_strategy": strategy}
        sharing = hosts[node["NodeManagerAddress"]]
        handle = actor.options(**options).remote(
            devices, hang_after, memory_limit, sharing, variables
        )
        slots.append(Slot(ray, handle, node["NodeManagerHostname"]))
    return _free(ray, slots, here)


def slots_of(nodes: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Each slot's machine and what of it Ray is to keep for the slot.

    Args:
        nodes: what `ray.nodes` says.

    Example:
        >>> head = {"Alive": True, "Resources": {"CPU": 8.0}}
        >>> worker = {"Alive": True, "Resources": {"CPU": 4.0, "GPU": 2.0}}
        >>> [resources for _, resources in slots_of([head])]
        [{'num_cpus': 8.0}]
        >>> [resources for _, resources in slots_of([head, worker])]
        [{'num_cpus': 0, 'num_gpus': 1}, {'num_cpus': 0, 'num_gpus': 1}]
    """
    alive = [node for node in nodes if node["Alive"]]
    gpus = [
        (node, {"num_cpus": 0, "num_gpus": 1})
        for node in alive
        for _ in range(int(node["Resources"].get("GPU", 0)))
    ]
    cpus = [(n, {"num_cpus": n["Resources"]["CPU"]}) for n in alive if n["Resources"].get("CPU")]
    return gpus or cpus


def _free(ray: ModuleType, slots: list[Slot], here: Mapping[str, str]) -> list[Slot]:
    """The slots that start before long; others are left out, and named on standard error."""
    answers = [slot.introduce() for slot in slots]
    ready, _ = ray.wait(answers, num_returns=max(1, len(answers)), timeout=START_SECONDS)
    free = []
    for slot, answer in zip(slots, answers, strict=True):
        try:
            if answer not in ready:
                raise NodeLostError(f"{slot.name} is busy or slow to start")
            slot.meet(answer, here)
            free.append(slot)
        except NodeLostError as error:
            slot.close()
            logging.getLogger(__name__).warning("a slot is left out: %s", error)
    if not free:
        raise MachineError(
            f"no slot of the Ray cluster got free within {START_SECONDS:g} s: `ray status` says"
            " what holds them"
        )
    return free
