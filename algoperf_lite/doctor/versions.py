"""Whether what is installed is what this project's metadata asks for. Imports none of it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

from algoperf_lite.doctor.findings import Finding

CHECK = "versions"
PROJECT = "algoperf_lite"
NAMED = (
    "algoperf_lite", "jax", "jaxlib", "flax", "optax", "numpy", "tensorflow-datasets", "grain",
    "orbax-checkpoint",
)  # fmt: skip
CHECKOUT = Path(__file__).parents[2]
DEVELOPMENT = "dev"  # an extra that no user needs
PLUGINS = "jax-cuda", "jax-rocm"  # packages of JAX's support for GPUs


@dataclass(frozen=True)
class Package:
    """One requirement and what there is.

    Attributes:
        name: of the package.
        wanted: versions that will do, as in ``">=0.10"``; empty for all.
        found: the version installed; None for none.
        by: what asks for it.
        extra: the optional extra that it belongs to; empty for none.
    """

    name: str
    wanted: str
    found: str | None
    by: str = PROJECT
    extra: str = ""

    @property
    def fits(self) -> bool:
        """Whether it is installed in a version that will do."""
        with suppress(InvalidVersion):
            wanted = SpecifierSet(self.wanted)
            return self.found is not None and wanted.contains(self.found, prereleases=True)
        return False


@dataclass(frozen=True)
class Versions:
    """What is installed, and what is asked for.

    Attributes:
        python: version of the interpreter.
        wanted_python: versions that will do.
        packages: required ones and optional ones.
        plugins: name to version of packages of JAX that drive GPUs.
    """

    python: str
    wanted_python: str
    packages: tuple[Package, ...]
    plugins: dict[str, str]


def gather(checkout: Path = CHECKOUT) -> Versions | None:
    """What is installed; None where this project itself is not.

    Args:
        checkout: whose setup.cfg, where it is there, is believed before the metadata, which is as
            old as the installation.
    """
    version = _version(PROJECT)
    if version is None:
        return None
    setup = checkout / "setup.cfg"
    wanted_python, asked = _of_checkout(setup) if setup.is_file() else _of_metadata()
    packages = [Package(PROJECT, "", version)]
    for extra, requirements in asked.items():
        packages += _packages(requirements, PROJECT, extra)
    jax = [r for r in map(Requirement, _requires("jax")) if r.name == "jaxlib"]
    packages += _packages(jax, "jax")
    plugins = {
        d.metadata["Name"].replace("_", "-"): d.version
        for d in metadata.distributions()
        if (d.metadata["Name"] or "").replace("_", "-").startswith(PLUGINS)
    }
    return Versions(platform.python_version(), wanted_python, tuple(packages), plugins)


def _of_checkout(setup: Path) -> tuple[str, dict[str, list[Requirement]]]:
    """Versions of Python that will do, and requirements by extra, the empty one for always."""
    read = ConfigParser(interpolation=None)
    read.read(setup)
    read.read_dict({"options.extras_require": {}})  # where there is none
    texts = {"": read["options"].get("install_requires", ""), **read["options.extras_require"]}
    asked = {
        extra: [Requirement(line) for line in text.splitlines() if line.strip()]
        for extra, text in texts.items()
        if extra != DEVELOPMENT
    }
    return read["options"].get("python_requires", ""), asked


def _of_metadata() -> tuple[str, dict[str, list[Requirement]]]:
    """The same, of what was installed."""
    about = metadata.metadata(PROJECT)
    extras = [e for e in about.get_all("Provides-Extra") or [] if e != DEVELOPMENT]
    asked: dict[str, list[Requirement]] = {extra: [] for extra in ("", *extras)}
    for wanted in map(Requirement, _requires(PROJECT)):
        fitting = [e for e in asked if not wanted.marker or wanted.marker.evaluate({"extra": e})]
        if fitting:
            asked[fitting[0]].append(wanted)
    return about["Requires-Python"] or "", asked


def _packages(requirements: Iterable[Requirement], by: str, extra: str = "") -> Iterator[Package]:
    """Requirements that hold on this system, with what is installed."""
    for wanted in requirements:
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield Package(wanted.name, str(wanted.specifier), _version(wanted.name), by, extra)


def _requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def judge(facts: Versions | None) -> list[Finding]:
    """What is missing or does not go together is a problem; a missing extra is none."""
    if facts is None:
        mend = "pip install -e . in its checkout"
        return [Finding(CHECK, "problem", f"{PROJECT} is not installed as a package", mend)]
    found = []
    if not SpecifierSet(facts.wanted_python).contains(facts.python, prereleases=True):
        mend = f"make a virtual environment of Python {facts.wanted_python}"
        told = f"Python {facts.python}, but {facts.wanted_python} is asked for"
        found.append(Finding(CHECK, "problem", told, mend))
    required = [p for p in facts.packages if not p.extra]
    found += [_misfit(p) for p in required if not p.fits]
    found += _plugins(facts)
    if not found:
        versions = {p.name: p.found for p in required}
        told = ", ".join(f"{name} {versions[name]}" for name in NAMED if name in versions)
        met = f"python {facts.python}, {told}; {len(required)} packages as asked for"
        found.append(Finding(CHECK, "ok", met))
    return [*found, *_extras(facts)]


def _misfit(package: Package) -> Finding:
    have = f"{package.name} {package.found}" if package.found else f"no {package.name}"
    told = f"{have}, but {package.by} asks for {package.name}{package.wanted}"
    return Finding(CHECK, "problem", told, f"pip install '{package.name}{package.wanted}'")


def _plugins(facts: Versions) -> Iterator[Finding]:
    """JAX leaves out a plugin for GPUs that is not of its own version, and computes on CPU."""
    versions = {p.name: p.found for p in facts.packages}
    jax = versions.get("jax")
    for name, version in facts.plugins.items():
        if jax and version.split(".post")[0] != jax:
            told = f"{name} {version} beside jax {jax}: GPUs are not used, or crash"
            yield Finding(CHECK, "problem", told, f"pip install '{name}=={jax}'")


def _extras(facts: Versions) -> Iterator[Finding]:
    extras: dict[str, list[Package]] = {}
    for package in facts.packages:
        if package.extra:
            extras.setdefault(package.extra, []).append(package)
    for extra, packages in extras.items():
        have = f"{extra}: " + ", ".join(f"{p.name} {p.found or 'missing'}" for p in packages)
        missing = not all(p.fits for p in packages)
        mend = f"where it is wanted: pip install '{PROJECT}[{extra}]'" if missing else ""
        yield Finding("extras", "note" if missing else "ok", have, mend)
