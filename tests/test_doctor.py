import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from algoperf_lite import device_lock, environment, registry
from algoperf_lite.doctor import (
    cache,
    clocks,
    data,
    device,
    diagnose,
    disk,
    load,
    memory,
    processor,
    speed,
    versions,
)
from algoperf_lite.doctor.findings import Finding, size
from algoperf_lite.errors import UsageError
from algoperf_lite.executors.inline import InlineExecutor

GIB = 2**30


def statuses(findings):
    return [finding.status for finding in findings]


def the(findings, status):
    """The one finding of a status, which says what to do."""
    (found,) = [finding for finding in findings if finding.status == status]
    assert status == "ok" or found.mend
    return found


# versions

PACKAGES = (
    versions.Package("algoperf_lite", "", "0.1.0"),
    versions.Package("jax", ">=0.10", "0.10.2"),
    versions.Package("jaxlib", ">=0.10.2,<=0.10.2", "0.10.2", "jax"),
    versions.Package("tensorboardX", ">=2.6.5", "2.6.5", extra="tensorboard"),
    versions.Package("ray", ">=2.50", None, extra="ray"),
)
GOOD = versions.Versions("3.11.7", ">=3.11", PACKAGES, {})


def with_package(name, found):
    packages = [replace(p, found=found) if p.name == name else p for p in PACKAGES]
    return replace(GOOD, packages=tuple(packages))


def test_versions_that_fit_are_ok_and_a_missing_extra_is_a_note():
    found = versions.judge(GOOD)
    assert statuses(found) == ["ok", "ok", "note"]
    assert found[0].found.startswith("python 3.11.7, algoperf_lite 0.1.0, jax 0.10.2, jaxlib")
    assert found[2].found == "ray: ray missing"
    assert "pip install 'algoperf_lite[ray]'" in found[2].mend


@pytest.mark.parametrize(
    ("facts", "told", "mend"),
    [
        (with_package("jax", "0.9.1"), "jax 0.9.1, but algoperf_lite asks for jax>=0.10",
         "pip install 'jax>=0.10'"),
        (with_package("jax", "unknown"), "jax unknown, but", "pip install 'jax>=0.10'"),
        (with_package("jax", None), "no jax, but", "pip install 'jax>=0.10'"),
        (with_package("jaxlib", "0.10.1"), "jaxlib 0.10.1, but jax asks for jaxlib",
         "pip install 'jaxlib>=0.10.2"),
        (replace(GOOD, python="3.10.1"), "Python 3.10.1, but >=3.11", "Python >=3.11"),
        (replace(GOOD, plugins={"jax-cuda13-plugin": "0.9.0"}),
         "jax-cuda13-plugin 0.9.0 beside jax",
         "pip install 'jax-cuda13-plugin==0.10.2'"),
        (None, "algoperf_lite is not installed", "pip install -e ."),
    ],
)  # fmt: skip
def test_versions_that_do_not_go_together_are_problems(facts, told, mend):
    found = the(versions.judge(facts), "problem")
    assert told in found.found
    assert mend in found.mend


def test_plugins_of_the_same_version_are_fine():
    plugins = {"jax-cuda13-plugin": "0.10.2", "jax-cuda13-pjrt": "0.10.2.post1"}
    assert statuses(versions.judge(replace(GOOD, plugins=plugins))) == ["ok", "ok", "note"]


def test_the_checkout_is_believed_before_an_old_installation(tmp_path):
    (tmp_path / "setup.cfg").write_text(
        "[options]\npython_requires = >=3.11\ninstall_requires =\n    # why\n    nosuchpackage>=2\n"
        "    numpy>=2\n    elsewhere; sys_platform == 'nowhere'\n"
        "[options.extras_require]\nfast =\n    click>=8.1\ndev =\n    nobodyneeds\n"
    )
    found = versions.gather(tmp_path)
    assert {p.name: (p.extra, p.fits) for p in found.packages if p.by != "jax"} == {
        "algoperf_lite": ("", True),
        "nosuchpackage": ("", False),
        "numpy": ("", True),
        "click": ("fast", True),
    }


def test_what_is_installed_here_fits_by_checkout_and_metadata(tmp_path):
    for facts in (versions.gather(), versions.gather(tmp_path)):
        named = {p.name: p for p in facts.packages if not p.extra}
        assert {"jax", "jaxlib", "flax", "optax", "numpy", "tensorflow-datasets"} <= set(named)
        assert named["jaxlib"].by == "jax"
        assert not [p for p in named.values() if p.found is not None and not p.fits]


# processor


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


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


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


# memory and disk


@pytest.mark.parametrize(
    ("available", "allowed", "status", "mend"),
    [
        (10 * GIB, 16 * GIB, "ok", ""),
        (2 * GIB, 16 * GIB, "warning", "end what else"),
        (GIB, 16 * GIB, "problem", "end what else"),
        (10 * GIB, GIB, "problem", "container"),
    ],
)
def test_memory_for_the_lite_suite(available, allowed, status, mend):
    found = the(memory.judge(memory.Memory(16 * GIB, available, allowed)), status)
    assert mend in found.mend


def test_memory_is_gathered():
    facts = memory.gather()
    assert 0 < facts.available <= facts.total
    assert 0 < facts.allowed <= facts.total


PLACE = disk.Place("home", "/h", "ALGOPERF_LITE_HOME", 50 * GIB, 10**6, True)


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, "ok", "50.0 GiB free at /h"),
        ({"free": GIB // 2}, "warning", "512.0 MiB free"),
        ({"free": 0}, "problem", "0 B free"),
        ({"files": 12}, "problem", "only 12 more files"),
        ({"files": None}, "ok", ""),
        ({"writable": False}, "problem", "/h cannot be written"),
    ],
)
def test_space_and_the_right_to_use_it(change, status, told):
    found = the(disk.judge([replace(PLACE, **change)]), status)
    assert found.check == "disk: home"
    assert told in found.found
    assert status == "ok" or "ALGOPERF_LITE_HOME" in found.mend


def test_a_directory_that_is_yet_to_be_made_is_looked_for_above(tmp_path):
    (tmp_path / "file").write_text("")
    fine, blocked = disk.gather(
        [("home", tmp_path / "a" / "b", "X"), ("results", tmp_path / "file" / "r", "Y")]
    )
    assert fine.writable
    assert fine.free > 0
    assert fine.path == str(tmp_path / "a" / "b")
    assert not blocked.writable
    assert not (tmp_path / "a").exists()


# the clock

CLOCK = clocks.Clock("clock_gettime", 1e-9, True, 4e-8, 5e-8, 0, "tsc")


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, "ok", "steps of 40 ns, 50 ns a read, from tsc"),
        ({"source": None}, "ok", "50 ns a read"),
        ({"backward": 2}, "problem", "went back 2 times"),
        ({"monotonic": False}, "problem", "went back 0 times"),
        ({"step": 1.6e-2}, "problem", "steps of 16 ms"),
        ({"step": float("inf")}, "problem", "steps of inf s"),
        ({"resolution": 1e-4}, "warning", ""),
        ({"source": "hpet"}, "warning", "slow to read"),
    ],
)
def test_clocks(change, status, told):
    assert told in the(clocks.judge(replace(CLOCK, **change)), status).found


def test_the_clock_is_gathered(monkeypatch):
    facts = clocks.gather()
    assert facts.backward == 0
    assert 0 < facts.step < 1
    ticks = iter([0.0, 1.0, 0.5] + [2.0] * clocks.READS)
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    assert clocks.gather().backward == 1


# other load and the lock

QUIET = load.Load(2, 0.05, 0.0, (), (0.1, 0.2, 0.3))
HOG = load.Running(77, "hog", 1.0)


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, "ok", "0.05 of 2 cores in use; load average 0.10 0.20 0.30"),
        ({"busy": 1.0, "top": (HOG,)}, "warning", "most by: 1.00 hog (process 77)"),
        ({"busy": 1.0}, "warning", "1.00 of 2 cores in use"),
        ({"stolen": 0.1}, "warning", "hypervisor gave 10%"),
        ({"on_gpus": (replace(HOG, takes=GIB),)}, "warning", "hog (process 77, 1.0 GiB)"),
        ({"on_gpus": (replace(HOG, takes=None),)}, "warning", "hog (process 77)"),
        ({"gpu_error": "no driver"}, "warning", "nvidia-smi: no driver"),
    ],
)
def test_other_load(change, status, told):
    assert told in the(load.judge(replace(QUIET, **change)), status).found


def test_a_process_that_computes_is_seen_and_named(monkeypatch):
    monkeypatch.setattr(load, "MOST_NAMED", 1000)  # other tests compute, too
    monkeypatch.setattr(load, "LEAST", 0.0)
    code = "import time\nt = time.monotonic()\nwhile time.monotonic() < t + 60: pass"
    hog = subprocess.Popen([sys.executable, "-c", code])
    try:
        facts = load.gather(gpus=False)
    finally:
        hog.kill()
        hog.wait()
    names = {p.pid: p.name for p in facts.top}
    assert names[hog.pid].startswith(f"{Path(sys.executable).name} -c import timet =")
    assert facts.busy > 0.1
    assert facts.cores == environment.host_threads()
    assert os.getpid() not in [p.pid for p in facts.top]


@pytest.mark.parametrize(
    ("script", "processes", "error"),
    [
        ("echo '12, /usr/bin/a, b, 300'; echo '13, evil\033[2J, [N/A]'; echo 'No running'",
         (load.Running(12, "/usr/bin/a, b", 300 * 2**20), load.Running(13, "evil[2J", None)), None),
        ("echo 'Driver/library version mismatch'; exit 18", (), "Driver/library version mismatch"),
        ("exec sleep 5", (), "no answer within 0.05 s"),
    ],
)  # fmt: skip
def test_nvidia_smi_is_asked(tmp_path, monkeypatch, script, processes, error):
    (tool := tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(load, "PATIENCE_SECONDS", 0.05 if error and "answer" in error else 20)
    monkeypatch.setattr(load, "SAMPLE_SECONDS", 0.01)
    facts = load.gather(gpus=True)
    assert (facts.on_gpus, facts.gpu_error) == (processes, error)


def test_without_nvidia_smi_nothing_is_known_of_gpus(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(load, "SAMPLE_SECONDS", 0.01)
    assert load.gather(gpus=True).gpu_error is None


WHO = {"pid": 7, "since": "2026-01-01T10:00", "purpose": "for a run into r"}


def test_who_holds_the_device_is_a_problem_and_of_another_device_a_note():
    facts = replace(QUIET, holders={"gpu-0": WHO})
    found = the(load.judge_lock(facts, ["gpu-0", "gpu-1"]), "problem")
    assert "gpu-0: process 7 times trials on it since 2026-01-01T10:00" in found.found
    assert "--untimed" in found.mend
    assert statuses(load.judge_lock(facts, ["gpu-1"])) == ["note"]
    assert statuses(load.judge_lock(facts, None)) == ["problem"]
    assert statuses(load.judge_lock(QUIET, ["gpu-0"])) == ["ok"]


# the compile cache

CACHE = cache.Cache("/h/compiled", 3, 4096, True, ())
READ = {"kept": True, "read_back": True, "warned": None}


@pytest.mark.parametrize(
    ("change", "probe", "status", "told"),
    [
        ({}, READ, "ok", "3 programs, 4.0 KiB, private, read back from an earlier process"),
        ({}, READ | {"kept": False}, "ok", "private, read back:"),
        ({"entries": None}, None, "ok", "empty, private:"),
        ({"exposed": ("/h is writable by everybody",)}, READ, "problem", "others can write it: /h"),
        ({"writable": False}, None, "problem", "/h/compiled cannot be written"),
        ({}, {"kept": False, "read_back": False, "warned": "bad header"}, "problem", "bad header"),
        ({"bytes": 30 * GIB}, READ, "note", "30.0 GiB"),
    ],
)
def test_the_compile_cache(change, probe, status, told):
    assert told in the(cache.judge(replace(CACHE, **change), probe), status).found


@pytest.fixture
def compiled(tmp_path):
    """A private cache with an entry."""
    directory = tmp_path / "compiled"
    directory.mkdir(mode=0o755)
    (directory / "entry").write_bytes(b"1234")
    (directory / "entry").chmod(0o644)
    return directory


def test_a_private_cache_is_not_exposed(compiled, tmp_path):
    facts = cache.gather(compiled)
    assert (facts.entries, facts.bytes, facts.writable, facts.exposed) == (1, 4, True, ())
    fresh = cache.gather(tmp_path / "none" / "yet")
    assert (fresh.entries, fresh.writable, fresh.exposed) == (None, True, ())


@pytest.mark.parametrize("which", ["compiled", "entry", "parent", "group", "through a link"])
def test_a_cache_that_others_can_write_is_exposed(compiled, tmp_path, which):
    path = compiled
    if which == "entry":
        (compiled / "entry").chmod(0o666)
    elif which == "parent":
        tmp_path.chmod(0o777)
    elif which == "group":
        os.chown(compiled, -1, 54321)
        compiled.chmod(0o775)
    else:
        compiled.chmod(0o777)
    if which == "through a link":
        path = tmp_path / "link"
        path.symlink_to(compiled)
    (told,) = cache.gather(path).exposed
    assert "is writable by its group" in told if which == "group" else "by everybody" in told


def test_a_file_in_the_way_of_a_cache_is_no_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "compiled"):
        facts = cache.gather(path)
        assert (facts.entries, facts.writable, facts.exposed) == (None, False, ())


@pytest.mark.skipif(os.getuid() != 0, reason="to become another user")
def test_a_home_of_another_user_is_no_traceback(tmp_path):
    (closed := tmp_path / "closed").mkdir(mode=0o700)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from algoperf_lite.doctor import cache, disk\n"
        "os.setuid(54321)\n"
        "path = Path(sys.argv[1])\n"
        "print(cache.gather(path / 'a'), disk.gather([('home', path / 'a', 'X')]))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(closed)], capture_output=True, text=True, check=True
    ).stdout
    assert told.count("writable=False") == 2


def test_above_a_cache_the_sticky_bit_protects(compiled, tmp_path):
    tmp_path.chmod(0o777 | stat.S_ISVTX)
    assert cache.gather(compiled).exposed == ()
    tmp_path.chmod(0o700)


@pytest.mark.skipif(os.getuid() != 0, reason="to give files away")
def test_what_belongs_to_another_user_is_exposed(compiled):
    for name in ("a", "b", "c"):
        (compiled / name).write_text("")
        os.chown(compiled / name, 54321, -1)
    (told,) = cache.gather(compiled).exposed
    assert "belongs to user 54321, and 2 more" in told


def test_a_compilation_is_read_back(tmp_path):
    """In a process of its own: JAX keeps to the first cache directory that it was given."""
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from algoperf_lite import environment\n"
        "from algoperf_lite.doctor import cache\n"
        "environment.use_compilation_cache()\n"
        "first = cache.in_worker([], {})\n"
        "second = cache.in_worker([], {})\n"
        "for file in (environment.home() / 'compiled').iterdir(): file.write_bytes(b'garbage')\n"
        "import jax\n"
        "from jax.experimental.compilation_cache import compilation_cache\n"
        "jax.clear_caches()\n"
        "damaged = cache.in_worker([], {})\n"
        "jax.config.update('jax_enable_compilation_cache', False)\n"
        "compilation_cache.reset_cache()\n"
        "jax.clear_caches()\n"
        "print(json.dumps([first, second, damaged, cache.in_worker([], {})]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"ALGOPERF_LITE_HOME": str(tmp_path)},
    )  # fmt: skip
    first, second, damaged, off = json.loads(done.stdout)
    assert first == {"kept": False, "read_back": True, "warned": None}
    assert second == {"kept": True, "read_back": True, "warned": None}
    assert not damaged["kept"]
    assert off == {"kept": False, "read_back": False, "warned": None}


# the device

DESCRIBED = {"platform": "cpu", "device_kind": "cpu", "device_count": 1, "host_cpu": "x",
             "host_threads": 2}  # fmt: skip
DEVICE = {"environment": DESCRIBED, "names": ["cpu"], "present": 1, "memory": None}


def test_an_accelerator_that_lies_idle_is_a_problem():
    found = the(device.judge(DEVICE, {"NVIDIA": 2}, {}), "problem")
    assert "2 of NVIDIA's accelerators on this machine, but JAX computes on CPU" in found.found
    assert "pip install 'jax[cuda13]'" in found.mend


@pytest.mark.parametrize("chosen", [{"JAX_PLATFORMS": "cpu"}, {"CUDA_VISIBLE_DEVICES": ""}])
def test_one_that_was_left_out_on_purpose_is_a_note(chosen):
    found = the(device.judge(DEVICE, {"NVIDIA": 2}, chosen), "note")
    assert next(iter(chosen)) in found.found
    assert "unset" in found.mend


def test_a_variable_of_another_maker_excuses_nothing():
    assert "problem" in statuses(device.judge(DEVICE, {"AMD": 1}, {"CUDA_VISIBLE_DEVICES": ""}))


def test_devices_in_use_are_told():
    gpu = DESCRIBED | {"platform": "gpu", "device_kind": "H100", "device_count": 2}
    facts = DEVICE | {"environment": gpu, "present": 4, "memory": 60 * GIB}
    (found,) = device.judge(facts, {"NVIDIA": 4}, {})
    assert (found.status, found.found) == ("ok", "gpu: 2 x H100 of 4, 60.0 GiB for JAX")


def test_device_files_are_counted(tmp_path):
    write(tmp_path, dev__nvidia0="", dev__nvidia1="", dev__nvidiactl="", dev__kfd="", dev__null="")
    assert device.accelerators(tmp_path) == {"NVIDIA": 2, "AMD": 1}
    assert device.accelerators(tmp_path / "nothing") == {}
    assert device.choices({"JAX_PLATFORMS": "cpu", "HOME": "/"}) == {"JAX_PLATFORMS": "cpu"}


# speed


def kernel(seconds, stored=(0.01, 0.01), unreadable=()):
    return {"seconds": seconds, "stored": list(stored), "unreadable": list(unreadable)}


def test_a_steady_device_of_the_calibrated_speed_is_ok():
    assert statuses(speed.judge(kernel([0.0100, 0.0101, 0.0102]))) == ["ok", "ok"]


def test_jitter_is_a_warning_with_the_variation():
    found = the(speed.judge(kernel([0.005, 0.01, 0.015])), "warning")
    assert "vary by 50% (coefficient of variation of 3; 5.0 to 15.0 ms)" in found.found


@pytest.mark.parametrize(("factor", "status"), [(1.2, "warning"), (0.8, "warning"), (1.05, "ok")])
def test_a_device_of_another_speed_is_a_warning(factor, status):
    _, found = speed.judge(kernel([factor * 0.01] * 3))
    assert found.status == status
    assert f"{factor:.2f} times what it took at 2 calibrations" in found.found


def test_without_a_calibration_there_is_a_note_with_the_command():
    found = the(speed.judge(kernel([0.01] * 3, stored=())), "note")
    assert "algoperf-lite calibrate" in found.mend


def test_a_calibration_that_cannot_be_read_is_a_problem():
    found = the(speed.judge(kernel([0.01] * 3, unreadable=["x.json: not JSON"])), "problem")
    assert found.found == "x.json: not JSON"


def test_calibrations_of_this_device_alone_are_compared(tmp_path, monkeypatch):
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path))
    kernels = '"calibration_kernel_seconds": [0.01, 0.03]'
    write(tmp_path, calibration__aDOTjson=f'{{"environment": {{"platform": "cpu"}}, {kernels}}}',
          calibration__bDOTjson='{"environment": {"platform": "gpu"}}',
          calibration__cDOTjson="{", calibration__dDOTjson="{}")  # fmt: skip
    facts = speed.in_worker([], {"platform": "cpu"})
    assert facts["stored"] == [0.02]
    assert len(facts["seconds"]) == speed.REPEATS
    assert len(facts["unreadable"]) == 1


@pytest.mark.parametrize(
    ("stored", "status", "told"),
    [
        (0.002, "ok", "1.00 times the 2.000 ms"),
        (0.001, "warning", "2.00 times"),
        (None, "note", "no calibration is stored"),
    ],
)
def test_the_reference_is_compared_with_its_calibration(stored, status, told):
    found = the([speed.judge_reference("tiny", stored, 0.002)], status)
    assert told in found.found
    assert status == "ok" or "calibrate" in found.mend


# data


@pytest.fixture
def only_tiny(tiny_splits, home, tmp_path, monkeypatch):
    """A home of its own with the tiny workload's data, the tree's workloads out of sight."""
    shutil.copytree(home / "data" / "blobs", tmp_path / "data" / "blobs")
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path))
    monkeypatch.setattr(registry, "all_workloads", list)
    return tmp_path / "data" / "blobs"


def of_tiny():
    return data.in_worker([], {}, [tiny.__file__, tiny.__file__])


def test_data_as_stated_is_ok(only_tiny):
    facts = of_tiny()
    assert [d["state"] for d in facts] == ["ok"]
    found = the(data.judge(facts, only_tiny.parent), "ok")
    assert found.found.startswith("1 datasets read, ")
    assert "1 as stated" in found.found


def test_data_that_is_not_prepared_is_a_note_and_stays_so(only_tiny):
    shutil.rmtree(only_tiny)
    facts = of_tiny()
    assert "blobs" in the(data.judge(facts, only_tiny.parent), "note").found
    assert not only_tiny.exists()
    shutil.rmtree(only_tiny.parent)
    assert of_tiny() == [d | {"seconds": 0.0} for d in facts]
    assert not only_tiny.parent.exists()


@pytest.mark.parametrize("damage", ["array_record", "dataset_info.json"])
def test_damaged_data_is_a_problem_with_the_mend(only_tiny, damage):
    (file, *_) = sorted(f for f in only_tiny.rglob("*") if damage in f.name)
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    file.write_bytes(content)
    found = the(data.judge(of_tiny(), only_tiny.parent), "problem")
    assert "dataset blobs: " in found.found
    assert "Delete" not in found.found
    assert f"delete {only_tiny}, then: algoperf-lite prepare {tiny.__file__}" in found.mend


def test_data_of_another_fingerprint_is_a_problem(only_tiny, monkeypatch):
    other = replace(tiny.workload.dataset, fingerprint="0" * 64)
    monkeypatch.setattr(registry, "find_workload", lambda _: replace(tiny.workload, dataset=other))
    found = the(data.judge(of_tiny(), only_tiny.parent), "problem")
    assert "fingerprint mismatch" in found.found
    assert found.found.endswith("0" * 64 + ".")


# all together


@pytest.fixture
def alone(only_tiny, monkeypatch):
    """An executor here, on a machine without accelerators or other load."""
    monkeypatch.setenv(device_lock.DIRECTORY, str(only_tiny.parent.parent / "locks"))
    monkeypatch.setattr(device, "accelerators", dict)
    monkeypatch.setattr(cache, "in_worker", lambda *_: READ)  # JAX knows one cache in a process
    monkeypatch.setattr(load, "gather", lambda gpus: replace(QUIET, holders=device_lock.holders()))
    return InlineExecutor(devices=1)


def test_all_is_asked_and_judged_with_the_worst_last(alone, tmp_path):
    found = diagnose([tiny.__file__], tmp_path / "r", executor=alone)
    assert found.fit, [f for f in found.findings if f.status == "problem"]
    checks = [finding.check for finding in found.findings]
    assert {"versions", "processor", "memory", "disk: home", "disk: results", "clock", "other load",
            "device", "device lock", "compile cache", "jitter", "speed", "speed: tiny", "data",
            } == set(checks) - {"extras"}  # fmt: skip
    severities = [("ok", "note", "warning", "problem").index(f.status) for f in found.findings]
    assert severities == sorted(severities)
    assert [one["stored"] for one in found.facts["worker_reference"]] == [None]
    assert not list((tmp_path / "calibration").glob("*"))  # nothing is kept that budgets come from
    assert device_lock.holders() == {}
    assert isinstance(found.facts["clock"], dict)


def test_a_device_in_use_is_left_alone(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(load, "gather", lambda gpus: replace(QUIET, holders={"cpu": WHO}))
    monkeypatch.setattr(alone, "call", None)  # not even asked
    found = diagnose(results=tmp_path, executor=alone)
    assert the(found.findings, "problem").check == "device lock"
    assert not found.fit


def test_one_that_is_in_use_beside_another_machine_is_not_timed(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "accelerators", lambda: {"AMD": 1})
    monkeypatch.setattr(device, "choices", lambda: {"JAX_PLATFORMS": "cpu"})
    monkeypatch.setattr(load, "gather", lambda gpus: replace(QUIET, holders={"cpu": WHO}))
    found = diagnose(results=tmp_path, executor=alone)
    assert the(found.findings, "problem").check == "device lock"
    assert "worker_speed" not in found.facts


def test_a_device_taken_at_the_last_moment_is_reported_once(alone, tmp_path, monkeypatch):
    def refuse(purpose):
        return device_lock.hold(["cpu"], purpose)

    def taken(path, device):
        raise device_lock.MachineError("cpu is in use: process 7. Wait for it.")

    monkeypatch.setattr(alone, "reserve", refuse)
    monkeypatch.setattr(device_lock, "_locked", taken)
    found = diagnose(results=tmp_path, executor=alone)
    problem = the(found.findings, "problem")
    assert (problem.found, problem.mend) == ("cpu is in use: process 7", "Wait for it.")
    assert [f.check for f in found.findings].count("device lock") == 1


def test_an_unknown_workload_is_a_usage_error(alone, tmp_path):
    with pytest.raises(UsageError, match="unknown workload"):
        diagnose(["nosuch"], tmp_path, executor=alone)


def test_a_broken_jax_is_a_problem_and_no_traceback(alone, tmp_path, monkeypatch):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "jax.py").write_text("raise RuntimeError('jaxlib is too old')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    found = diagnose(results=tmp_path)
    problem = the(found.findings, "problem")
    assert problem.check == "device"
    assert "jaxlib is too old" in problem.found
    assert "import jax" in problem.mend
    assert "compile cache" in [f.check for f in found.findings]  # the rest is told all the same


def test_findings_and_sizes():
    assert Finding("a", "ok", "b").mend == ""
    assert size(5 * 2**40) == "5120.0 GiB"
    assert Path(versions.CHECKOUT / "setup.cfg").is_file()
