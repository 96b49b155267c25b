import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from algoperf_lite.batches import BatchOrder


@given(rows=st.integers(1, 50), batch=st.integers(1, 60), seed=st.integers(0, 2**31 - 1))
def test_every_epoch_shows_every_example_once(rows, batch, seed):
    steps = -(-3 * rows // batch)
    stream = BatchOrder(rows, batch, seed).window(0, steps).ravel()[: 3 * rows]
    for epoch in stream.reshape(3, rows):
        assert sorted(epoch) == list(range(rows))


@given(cuts=st.lists(st.integers(1, 7), min_size=1, max_size=10))
def test_windows_do_not_depend_on_how_the_run_is_cut(cuts):
    whole = BatchOrder(23, 5, seed=1).window(0, sum(cuts))
    order, parts, start = BatchOrder(23, 5, seed=1), [], 0
    for steps in cuts:
        parts.append(order.window(start, steps))
        start += steps
    assert np.array_equal(np.concatenate(parts), whole)


def test_a_window_needs_no_replay():
    late = BatchOrder(23, 5, seed=1).window(40, 3)
    assert np.array_equal(late, BatchOrder(23, 5, seed=1).window(0, 43)[40:])


def test_order_depends_on_seed_and_epoch():
    order = BatchOrder(100, 100, seed=0).window(0, 2)
    assert not np.array_equal(order[0], order[1])
    assert not np.array_equal(order[0], BatchOrder(100, 100, seed=1).window(0, 1)[0])


def test_order_is_fixed_for_all_time():
    assert BatchOrder(8, 4, seed=7).window(0, 2).tolist() == [[0, 6, 7, 2], [4, 5, 1, 3]]
