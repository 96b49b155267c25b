import threading

import pytest

from algoperf_lite import environment
from algoperf_lite.environment import time_calibration_kernel  # as it is outside of tests


def test_the_device_is_as_fast_as_the_middle_one_of_some_times(monkeypatch):
    def seconds(repeats):
        return [0.5 + count for count in range(repeats)][::-1]

    monkeypatch.setattr(environment, "kernel_seconds", seconds)
    assert time_calibration_kernel() == 0.5 + environment.KERNEL_REPEATS // 2


def test_each_run_of_the_kernel_takes_time():
    found = environment.kernel_seconds(3)
    assert len(found) == 3
    assert min(found) > 0


def test_threads_that_wait_are_counted_and_this_one_may_be_left_out(tmp_path, monkeypatch):
    for thread, told in {"1": "5 3 1", str(threading.get_native_id()): "7 2 1"}.items():
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(told)
    monkeypatch.setattr(environment, "Path", lambda path: tmp_path)
    assert environment.waited_for_processor() == pytest.approx(5e-9)
    assert environment.waited_for_processor(True) == pytest.approx(-4e-9)  # 3, without its 7
