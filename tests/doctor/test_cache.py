"""The compile cache: that nobody else writes it, and that it is read back."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace

import pytest

from algoperf_lite.doctor import cache
from tests.doctor.given import GIB, READ, the

CACHE = cache.Cache("/h/compiled", 3, 4096, True, ())


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
