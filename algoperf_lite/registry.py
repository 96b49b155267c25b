"""From a selector to a workload or submission.

A selector is ``name``, ``name[param=value,...]``, or a path to a Python file with the same optional
brackets, which for a submission written for AlgoPerf stands behind ``algoperf:`` (`algoperf`).
Names come from the modules of the `workloads` and `submissions` packages and from entry points in
the groups ``algoperf_lite.workloads`` and ``algoperf_lite.submissions``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from algoperf_lite.algoperf import selector as algoperf
from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.fingerprint import fingerprint_code, modules_used
from algoperf_lite.modules import import_module, load_path, only

if TYPE_CHECKING:
    from algoperf_lite.submission import Submission
    from algoperf_lite.workload import Workload

PACKAGES = {"workload": "workloads", "submission": "submissions"}
OPTAX = "optax:"
"""In front of the name of an optimizer of optax, which needs no file."""
WORKLOAD_PARAMETERS = ("batch_size", "eval_batch_size", "eval_every", "step_hint", "target")


@dataclass(frozen=True)
class Selector:
    """A parsed selector.

    Attributes:
        base: name or path.
        params: values in brackets.
    """

    base: str
    params: Mapping[str, Any]

    @property
    def is_path(self) -> bool:
        """Whether `base` is a file rather than a name."""
        return self.base.endswith(".py") and not self.of_algoperf

    @property
    def of_algoperf(self) -> bool:
        """Whether `base` is a submission written for AlgoPerf."""
        return self.base.startswith(algoperf.PREFIX)

    @property
    def name(self) -> str:
        """The name in records: the file's stem or the name, and the brackets.

        Example:
            >>> parse_selector("my/sgd.py[learning_rate=0.10]").name
            'sgd[learning_rate=0.1]'
        """
        stem = Path(self.base).stem if self.is_path else self.base
        params = ",".join(f"{key}={value}" for key, value in self.params.items())
        return f"{stem}[{params}]" if params else stem


def parse_selector(text: str) -> Selector:
    """Parse ``base[key=value,...]``; values are Python literals, or bare words for strings.

    Raises:
        UsageError: the text has another form, or repeats a key.

    Example:
        >>> parse_selector("nadamw[schedule=rex,learning_rate=1e-3]").params
        {'schedule': 'rex', 'learning_rate': 0.001}
    """
    match = re.fullmatch(r"([^\[\]]+)(?:\[(.*)\])?", text.strip())
    form = "a selector is NAME, NAME[param=value,...] or PATH.py[param=value,...]"
    if match is None:
        raise UsageError(f"cannot parse {text!r}: {form}")
    base, inside = match.groups()
    try:
        call = ast.parse(f"_({inside or ''})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError("values need a name, as in [param=value]")
        params = {keyword.arg: _literal(keyword.value) for keyword in call.keywords}
        if None in params or len(params) != len(call.keywords):
            raise ValueError("each name may stand once")
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"cannot parse {text!r}: {error}; {form}") from error
    return Selector(base, params)


def find_workload(text: str) -> Workload:
    """The workload or variant that a selector names.

    Raises:
        UsageError: there is none, or a parameter in brackets is unknown.
    """
    selector = parse_selector(text)
    params = dict(selector.params)
    suffix = f"_{params.pop('variant')}" if params.get("variant") else ""
    if selector.is_path:
        module = load_path(Path(selector.base))
        name = f"{_only_workload(module).name}{suffix}"
    else:
        module, name = _workload_module(f"{selector.base}{suffix}")
    defined = {w.name: w for w in workloads_in(module)}
    if name not in defined:
        raise unknown_name("workload", name, {*known_names("workload"), *defined})
    return _with_parameters(defined[name], params)


def find_submission(text: str) -> tuple[str, Submission, str]:
    """The submission that a selector names.

    Returns:
        Its name in records, the submission with the values in brackets fixed, and the fingerprint
        of its file's code, of what it uses from the `submissions` package, and of those values.

    Raises:
        UsageError: there is none, its file is at fault, or a hyperparameter is unknown.
    """
    selector = parse_selector(text)
    if selector.of_algoperf:
        from algoperf_lite.algoperf.submission import find  # noqa: PLC0415  (imports JAX)

        return find(text)
    module = submission_module(text)
    of_optax = selector.base.startswith(OPTAX)
    try:
        if of_optax:
            found = module.from_optax(selector.base.removeprefix(OPTAX))
        else:
            found = _only_submission(module)
        submission = found.fix(selector.params)
    except UsageError as error:
        told = str(error).startswith((selector.base, str(module.__file__)))
        prefix = "" if told else f"{text}: "
        raise UsageError(f"{prefix}{error}") from error
    code = [
        fingerprint_code(m) for m in (module, *modules_used(module, f"{PACKAGES['submission']}."))
    ]
    parts = f"{code} {sorted(selector.params.items())}"
    if of_optax:
        parts += f" {selector.base} {version('optax')}"
    return selector.name, submission, hashlib.sha256(parts.encode()).hexdigest()


def submission_module(text: str) -> ModuleType:
    """The module that defines the submission that a selector names, whatever its brackets say.

    Raises:
        UsageError: there is none, it does not import, or it is written for AlgoPerf.
    """
    selector = parse_selector(text)
    if selector.of_algoperf:
        raise UsageError(
            f"{text} is written for AlgoPerf, and can only be run, as with `algoperf-lite run -s"
            f" {text} -w zipf_lm --quick --untimed --max-steps 20`: give one that is written for"
            " this project's API"
        )
    if selector.is_path:
        return load_path(Path(selector.base))
    if selector.base.startswith(OPTAX):
        return importlib.import_module(f"{PACKAGES['submission']}.from_optax")
    return _named_module("submission", selector.base)


def absolute(text: str) -> str:
    """A selector whose path, if it has one, no longer depends on the working directory.

    Example:
        >>> absolute("nadamw[learning_rate=0.1]")
        'nadamw[learning_rate=0.1]'
    """
    selector = parse_selector(text)
    if selector.of_algoperf:
        return text.replace(selector.base, str(algoperf.parse(selector.base).absolute()), 1)
    path = str(Path(selector.base).resolve())
    return text.replace(selector.base, path, 1) if selector.is_path else text


def without_directory(text: str) -> str:
    """A selector as a record keeps it: a path by its last name, as records are published.

    Example:
        >>> without_directory("/home/me/my_adam.py[learning_rate=0.1]")
        'my_adam.py[learning_rate=0.1]'
    """
    selector = parse_selector(text)
    if selector.of_algoperf:
        source = algoperf.parse(selector.base).without_directory()
        return text.replace(selector.base, str(source), 1)
    name = Path(selector.base).name
    return text.replace(selector.base, name, 1) if selector.is_path else text


def known_names(kind: str) -> list[str]:
    """Names of a kind without importing their modules (variants are not among them).

    Args:
        kind: ``"workload"`` or ``"submission"``.
    """
    package = importlib.import_module(PACKAGES[kind])
    files = sorted(Path(package.__path__[0]).glob("[!_]*.py"))
    defines = re.compile(rf"^{kind}\b", re.MULTILINE)
    in_tree = [file.stem for file in files if defines.search(file.read_text())]
    plugins = [e.name for e in entry_points(group=f"algoperf_lite.{PACKAGES[kind]}")]
    if twice := {n for n in plugins if n in in_tree or plugins.count(n) > 1}:
        raise UsageError(
            f"{kind} names defined twice: {sorted(twice)}; uninstall one of the plugins"
        )
    return sorted(in_tree + plugins)


def workloads_in(module: ModuleType) -> list[Workload]:
    """The base workload and variants that a module defines."""
    return [_only_workload(module), *getattr(module, "variants", ())]


def variants_of(text: str) -> list[Workload]:
    """The variants of the base workload that a name or path selects."""
    selector = parse_selector(text)
    if selector.is_path:
        return workloads_at(Path(selector.base))[1:]
    return workloads_in(_named_module("workload", selector.base))[1:]


def all_workloads() -> list[Workload]:
    """Every workload of the tree and of entry points, variants after their base."""
    names = known_names("workload")
    return [w for name in names for w in workloads_in(_named_module("workload", name))]


def _literal(node: ast.expr) -> Any:
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def find_module(text: str) -> tuple[ModuleType, Workload]:
    """The module that defines the workload that a name or path selects, and the workload.

    Raises:
        UsageError: there is none, or there are values in brackets.
    """
    selector = parse_selector(text)
    if selector.params:
        raise UsageError(f"{text}: give a name or a path, without values in brackets")
    found = find_workload(text)
    if selector.is_path:
        return load_path(Path(selector.base)), found
    return _workload_module(selector.base)[0], found


def workloads_at(path: Path) -> list[Workload]:
    """The workload and the variants that a Python file defines."""
    return workloads_in(load_path(path))


def _workload_module(name: str) -> tuple[ModuleType, str]:
    """The module that defines a workload or variant, and that one's name.

    A variant lies in its base's module, whose name its own starts with, or in a module of its own,
    which may have any name and be selected by it.
    """
    known = known_names("workload")
    if name in known:
        module = _named_module("workload", name)
        own = _only_workload(module)
        return module, own.name if own.base else name
    bases = [base for base in known if name.startswith(f"{base}_")]
    if not bases:
        raise unknown_name("workload", name, known)
    bases.sort(key=len, reverse=True)
    for other in (*bases, *(o for o in known if o not in bases)):
        module = _named_module("workload", other)
        if name in [w.name for w in workloads_in(module)]:
            return module, name
    return _named_module("workload", bases[0]), name


def _named_module(kind: str, name: str) -> ModuleType:
    known = known_names(kind)
    if name not in known:
        raise unknown_name(kind, name, known)
    for plugin in entry_points(group=f"algoperf_lite.{PACKAGES[kind]}"):
        if plugin.name == name:
            try:
                return importlib.import_module(plugin.module)
            except Exception as error:  # somebody else's code: any type
                raise UsageError(
                    f"{kind} {name}: the entry point {plugin.value} does not import:"
                    f" {type(error).__name__}: {error}; mend or uninstall it"
                ) from error
    return import_module(f"{PACKAGES[kind]}.{name}")


def _only_submission(module: ModuleType) -> Submission:
    from algoperf_lite.submission import Submission  # noqa: PLC0415  (imports JAX)

    return only(module, "submission", Submission)


def _only_workload(module: ModuleType) -> Workload:
    from algoperf_lite.workload import Workload  # noqa: PLC0415

    return only(module, "workload", Workload)


def _with_parameters(workload: Workload, changes: dict[str, Any]) -> Workload:
    """Another workload: its name says what was changed."""
    if not changes:
        return workload
    for name in changes:
        if name not in WORKLOAD_PARAMETERS:
            raise unknown_name("workload parameter", name, (*WORKLOAD_PARAMETERS, "variant"))
    name = Selector(workload.name, dict(changes)).name
    try:
        if "target" in changes:
            value = float(changes["target"])
            changes["target"] = replace(workload.target, value=value, provisional="")
        return replace(workload, name=name, **changes)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name}: {error}") from error
