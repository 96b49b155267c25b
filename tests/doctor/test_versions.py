"""Versions of what is installed, against what asks for them."""

from dataclasses import replace

import pytest

from algoperf_lite.doctor import versions
from tests.doctor.given import statuses, the

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
