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
