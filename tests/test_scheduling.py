import threading
from collections import Counter

import pytest

from algoperf_lite.errors import MachineError
from algoperf_lite.executors import NodeLostError, WorkerLostError
from algoperf_lite.scheduling import MOST_RETURNS, Sharing

WAIT = 10  # seconds, for what must happen at once


class Slot:
    """Answers calls by a function of the piece of work; closed, it ends the calls under way."""

    def __init__(self, answer=lambda slot, piece: None):
        self.answer = answer
        self.closed = threading.Event()
        self.calls = []

    def call(self, method, arguments, on_event):
        self.calls.append(arguments["piece"])
        on_event({"piece": arguments["piece"], "thread": threading.get_ident()})
        return self.answer(self, arguments["piece"])

    def close(self):
        self.closed.set()


class Log:
    """What became of pieces of work, and in which thread was told of it."""

    def __init__(self):
        self.fates, self.told, self.threads = {}, [], set()

    def work(self, piece, slot, notify):
        try:
            slot.call("work", {"piece": piece}, notify)
        except WorkerLostError as error:
            self.fates[piece] = str(error)
        except KeyboardInterrupt:
            self.fates[piece] = "interrupted"
            raise
        else:
            self.fates[piece] = "done"

    def notify(self, event):
        self.told.append(event)
        self.threads.add(threading.get_ident())


@pytest.fixture
def log():
    return Log()


def lose_node(slot, piece):
    raise NodeLostError("node n is gone")


def until_closed(slot, piece):
    assert slot.closed.wait(WAIT)
    raise WorkerLostError("its process was killed")


def test_pieces_run_side_by_side_and_in_order(log):
    both = threading.Barrier(2, timeout=WAIT)
    slots = [Slot(lambda slot, piece: both.wait()) for _ in range(2)]
    Sharing(slots, log.work, log.notify).run(range(6))
    assert log.fates == dict.fromkeys(range(6), "done")
    assert [sorted(slot.calls) for slot in slots] == [slot.calls for slot in slots]
    assert log.threads == {threading.get_ident()}  # told here, done elsewhere
    assert threading.get_ident() not in {event["thread"] for event in log.told}


def test_a_lost_worker_harms_nothing_else(log):
    def answer(slot, piece):
        if piece == 1:
            raise WorkerLostError("killed")

    Sharing([Slot(answer), Slot(answer)], log.work, log.notify).run(range(4))
    assert log.fates == {0: "done", 1: "killed", 2: "done", 3: "done"}


def test_work_of_a_lost_node_is_done_by_another(log):
    lost = Slot(lose_node)
    good = Slot(lambda slot, piece: lost.closed.wait(WAIT))
    Sharing([lost, good], log.work, log.notify).run(range(4))
    assert log.fates == dict.fromkeys(range(4), "done")
    assert len(lost.calls) == 1 and lost.closed.is_set()
    assert good.calls == [1, 0, 2, 3]  # what was lost comes before what had not begun


def test_work_that_takes_every_node_down_is_given_up(log):
    def answer(slot, piece):
        if piece == "bad":
            lose_node(slot, piece)

    slots = [Slot(answer) for _ in range(MOST_RETURNS + 3)]
    Sharing(slots, log.work, log.notify).run(["good", "bad", "too"])
    assert log.fates["good"] == log.fates["too"] == "done"
    assert log.fates["bad"].startswith(f"it was started {MOST_RETURNS + 1} times")
    assert log.fates["bad"].endswith("node n is gone")
    assert Counter(piece for slot in slots for piece in slot.calls)["bad"] == MOST_RETURNS + 1


def test_with_no_node_left_it_says_what_to_do(log):
    with pytest.raises(MachineError, match=r"every machine .*node n is gone.* same command"):
        Sharing([Slot(lose_node), Slot(lose_node)], log.work, log.notify).run(range(3))
    assert log.fates == {}
    with pytest.raises(MachineError, match="every machine"):
        Sharing([], log.work, log.notify).run(range(3))


def test_a_full_disk_ends_all_and_is_told(log):
    started = threading.Event()

    def wait(slot, piece):
        started.set()
        until_closed(slot, piece)

    def fill(slot, piece):
        assert started.wait(WAIT)
        raise MachineError("cannot write: no space left")

    slots = [Slot(wait), Slot(fill)]
    with pytest.raises(MachineError, match="no space left"):
        Sharing(slots, log.work, log.notify).run(range(4))
    assert log.fates == {0: "interrupted"}


def test_an_interrupt_reaches_all_that_is_running(log):
    def interrupt(event):
        if event["piece"] == 2:
            raise KeyboardInterrupt

    slots = [Slot(until_closed) for _ in range(3)]
    with pytest.raises(KeyboardInterrupt):
        Sharing(slots, log.work, interrupt).run(range(5))
    assert log.fates == dict.fromkeys(range(3), "interrupted")
    assert all(slot.closed.is_set() for slot in slots)


def test_a_slot_that_is_just_starting_is_closed_until_it_has_ended(log):
    closes = []

    class Starting(Slot):
        def close(self):
            closes.append(1)
            if len(closes) > 2:
                super().close()

    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sharing([Starting(until_closed)], log.work, interrupt).run(range(2))
    assert log.fates == {0: "interrupted"} and len(closes) >= 3
