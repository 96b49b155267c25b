"""What a processor may use, and what slows it."""

from dataclasses import replace

import pytest

from algoperf_lite.doctor import processor
from tests.doctor.given import statuses, the, write


def test_a_plain_processor_is_ok():
    assert statuses(processor.judge(processor.Processor(threads=4, usable=4))) == ["ok"]


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"usable": 2}, "note", "2 of 4 hardware threads"),
        ({"quota": 1.5, "throttled": 7}, "warning", "1.5 cores' worth of 4 threads"),
        ({"governor": "powersave", "driver": "acpi-cpufreq"}, "warning", "governor powersave"),
        ({"on_battery": True}, "warning", "on battery"),
    ],
)
def test_what_slows_a_processor_is_told(change, status, told):
    facts = replace(processor.Processor(threads=4, usable=4), **change)
    assert told in the(processor.judge(facts), status).found


@pytest.mark.parametrize(
    "change",
    [{"quota": 4.0}, {"quota": 8.0}, {"governor": "powersave", "driver": "intel_pstate"},
     {"governor": "performance", "driver": "acpi-cpufreq", "turbo": True}, {"on_battery": False}],
)  # fmt: skip
def test_what_does_not_slow_it_is_ok(change):
    facts = replace(processor.Processor(threads=4, usable=4), **change)
    assert statuses(processor.judge(facts)) == ["ok"]


def test_quotas_of_control_groups_are_read_up_to_the_root(tmp_path):
    write(tmp_path, proc__self__cgroup="0::/a/b\n", sys__fs__cgroup__a__b__cpuDOTmax="max 100000\n",
          sys__fs__cgroup__a__cpuDOTmax="150000 100000\n",
          sys__fs__cgroup__a__cpuDOTstat="nr_periods 9\nnr_throttled 3\n",
          sys__devices__system__cpu__cpu0__cpufreq__scaling_governor="powersave\n",
          sys__devices__system__cpu__cpu0__cpufreq__scaling_driver="acpi-cpufreq\n",
          sys__devices__system__cpu__cpufreq__boost="1\n")  # fmt: skip
    facts = processor.gather(tmp_path)
    assert (facts.quota, facts.throttled) == (1.5, 3)
    assert (facts.governor, facts.driver, facts.turbo) == ("powersave", "acpi-cpufreq", True)


def test_quotas_of_version_1_are_read_and_none_is_none(tmp_path):
    write(tmp_path, proc__self__cgroup="3:cpuset:/\n1:cpu,cpuacct:/job\n0::/\n",
          sys__fs__cgroup__cpu__job__cpuDOTcfs_quota_us="50000\n",
          sys__fs__cgroup__cpu__job__cpuDOTcfs_period_us="100000\n",
          sys__fs__cgroup__cpu__cpuDOTcfs_quota_us="-1\n",
          sys__fs__cgroup__cpu__cpuDOTcfs_period_us="100000\n",
          sys__devices__system__cpu__intel_pstate__no_turbo="1\n")  # fmt: skip
    facts = processor.gather(tmp_path)
    assert (facts.quota, facts.turbo) == (0.5, False)
    assert processor.gather(tmp_path / "nothing").quota is None
