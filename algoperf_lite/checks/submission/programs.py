"""Checks of a submission's traced programs: what they ask of their arguments, and return."""

from typing import Any

import jax
import numpy as np
from jax.extend import core

from algoperf_lite.checks import (
    CheckFailedError,
    CheckWarnedError,
    NotApplicableError,
    check,
    expect,
)
from algoperf_lite.checks.submission import small, tracing
from algoperf_lite.checks.submission.subject import Subject
from algoperf_lite.checks.workload.trees import some
from algoperf_lite.noted import Noted
from algoperf_lite.referee.programs import HOST
from algoperf_lite.submission import Finished, Submission


@check()
def traceable(subject: Subject) -> str:
    """All methods can be compiled, with hyperparameters that are known only when they run."""
    try:
        traced = subject.traced
    except jax.errors.ConcretizationTypeError as error:
        raise CheckFailedError(
            f"it branches on a number that is not known yet: {_line(error)}; use jnp.where, or"
            " name the hyperparameter in static=(...)"
        ) from error
    count = sum(len(program.jaxpr.eqns) for program in traced.programs.values())
    return f"{count} operations, {len(subject.point[1])} traced hyperparameters"


@check()
def form(subject: Subject) -> str:
    """A step keeps the state's structure, shapes and dtypes, and returns the loss."""
    returned = subject.traced.returned["update"]
    expect(
        isinstance(returned, tuple) and len(returned) == 2 and "loss" in returned[1],
        "update must return (TrainState, {'loss': scalar, ...})",
    )
    state, scalars = returned
    before = subject.traced.given["update"][0]
    for part in ("params", "model_state", "opt_state"):
        _same(part, getattr(before, part), getattr(state, part), "update must return it like that")
    for name, scalar in scalars.items():
        expect(
            scalar.shape == (), f"update returns {name} of shape {list(scalar.shape)}, no scalar"
        )
    return f"{len(jax.tree.leaves(before.opt_state))} arrays of optimizer state"


@check()
def evaluated_form(subject: Subject) -> str:
    """What is to be evaluated has the form of the parameters."""
    returned = subject.traced.returned["eval_params"]
    expect(
        isinstance(returned, tuple) and len(returned) == 2,
        "eval_params must return (params, model_state)",
    )
    for part, found, wanted in zip(
        ("params", "model_state"), returned, small.loaded().shapes, strict=True
    ):
        _same(part, wanted, found, "eval_params must return it like the model's")
    return f"{len(jax.tree.leaves(returned))} arrays"


@check()
def purity(subject: Subject) -> str:
    """Tracing twice gives one program, changes no argument and leaks no array."""
    first = subject.traced
    expect(not first.changed, f"{'; '.join(first.changed)}; make a changed copy instead")
    try:
        with jax.checking_leaks():
            second = tracing.trace(subject.submission, *subject.point)
    except Exception as error:  # JAX has no class of its own for it
        if "leak" not in str(error).lower():
            raise
        raise CheckFailedError(
            f"it keeps a traced array beyond its call: {_line(error)}; put what is to be"
            " remembered into the optimizer state"
        ) from error
    for name, program in first.programs.items():
        expect(
            _text(program) == _text(second.programs[name])
            and _equal(tracing.constants(program), tracing.constants(second.programs[name])),
            f"{name} gives another program when it is traced again; let it depend on its arguments"
            " alone: no counters, no random numbers but from its key",
        )
    return f"{len(first.programs)} methods traced twice"


@check()
def transfers(subject: Subject) -> str:
    """No step asks anything of the host."""
    for name, program in subject.traced.programs.items():
        found = {p for p in tracing.primitives(program.jaxpr) if any(h in p for h in HOST)}
        expect(
            not found,
            f"{name} calls the host ({', '.join(sorted(found))}), which stops the device in every"
            " step; return scalars from update, and use on_eval",
        )
    program = subject.program
    hp = program.hyperparameters(subject.point[1])
    carry = program.init(0, hp)
    with jax.transfer_guard("disallow"):  # what the engine places itself is allowed
        subject.go_on(program, carry, range(2), hp)
    return "no callbacks; two steps under a transfer guard"


@check()
def hyperparameters(subject: Subject) -> str:
    """Every hyperparameter is read."""
    static, numbers = subject.point
    unread = tracing.unused(subject.traced.programs, sorted(numbers))
    by_feedback: set[str] = set()
    if type(subject.submission).on_eval is not Submission.on_eval:
        _feed(subject, by_feedback)
    unread += [name for name in static if name not in subject.traced.read]
    unread = [name for name in unread if name not in by_feedback]
    if unread:
        raise CheckWarnedError(
            f"nothing depends on {some(unread)}; use it, or take it out of the default point"
        )
    return f"{len(static) + len(numbers)} of them"


@check()
def feedback(subject: Subject) -> str:
    """What on_eval changes are numbers that are traced."""
    if type(subject.submission).on_eval is Submission.on_eval:
        raise NotApplicableError("it does not ask for evaluations")
    numbers = subject.point[1]
    changes = _feed(subject, set())
    wrong = {name for change in changes for name in change if name not in numbers}
    expect(
        not wrong,
        f"on_eval changes {some(sorted(wrong))}; only numeric hyperparameters of the default point"
        " that are not static can change within a trial",
    )
    for change in changes:
        expect(
            all(np.isfinite(value) for value in change.values()),
            f"on_eval changes hyperparameters to {change}",
        )
    return f"{len(changes)} changes in {len(subject.history)} evaluations"


def _feed(subject: Subject, read: set[str]) -> list[dict[str, Any]]:
    """Tell it of one evaluation more each time; its changes."""
    changes, hp = [], dict(subject.submission.default)
    for count in range(1, len(subject.history) + 1):
        seen = tuple(subject.history[:count])
        try:
            changed = subject.submission.on_eval(seen, Noted(hp, read), subject.task)
        except Finished:
            break
        if changed:
            changes.append(dict(changed))
            hp |= changes[-1]
    return changes


@check()
def selection(subject: Subject) -> str:
    """The examples that it selects are int32 [B] and exist."""
    if type(subject.submission).select is Submission.select:
        raise NotApplicableError("it takes the examples as they come")
    rows = subject.traced.given["select"][0].shape
    found = subject.traced.returned["select"]
    expect(
        isinstance(found, jax.ShapeDtypeStruct) and (found.shape, found.dtype) == (rows, np.int32),
        f"select returns {found}; it must return int32{list(rows)}",
    )
    select = jax.jit(core.jaxpr_as_fun(subject.traced.programs["select"]))
    numbers = [np.float32(v) for _, v in sorted(subject.point[1].items())]
    indices = np.arange(rows[0], dtype=np.int32)
    start = subject.program.init(0, subject.program.hyperparameters(subject.point[1]))
    for state in (start.state, subject.trained.carry.state):
        given = jax.tree.leaves((indices, state, jax.random.key(0)))
        (chosen,) = select(*numbers, *given)
        outside = [int(i) for i in np.asarray(chosen) if not 0 <= i < small.ROWS]
        expect(
            not outside,
            f"select returns {outside[:1]}, and there are {small.ROWS} examples",
        )
    return f"{rows[0]} of {small.ROWS}, at the start and at the end"


def _same(part: str, wanted: Any, found: Any, mend: str) -> None:
    expect(
        jax.tree.structure(wanted) == jax.tree.structure(found),
        f"{part} comes back as {jax.tree.structure(found)}, it was {jax.tree.structure(wanted)};"
        f" {mend}",
    )
    for (path, one), other in zip(
        jax.tree_util.tree_leaves_with_path(wanted), jax.tree.leaves(found), strict=True
    ):
        expect(
            (one.shape, one.dtype) == (other.shape, other.dtype),
            f"{part}{jax.tree_util.keystr(path)} comes back as {other.dtype}{list(other.shape)}, it"
            f" was {one.dtype}{list(one.shape)}; {mend}",
        )


def _text(program: Any) -> str:
    return "\n".join(tracing.lines(program.jaxpr))


def _equal(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    pairs = zip(left, right, strict=False)
    return len(left) == len(right) and all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
