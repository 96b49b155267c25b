"""Checks of a workload's model: parameters, outputs, gradients, and its two modes."""

import jax
import numpy as np

from algoperf_lite.checks import NotApplicableError, check, expect
from algoperf_lite.checks.workload import trees
from algoperf_lite.checks.workload.subject import EXAMPLES, SAMPLE, Subject
from algoperf_lite.checks.workload.trees import different, named, not_finite, not_float32, some

ROUNDING = 1e-4  # of values around 1, in float32 after some layers
NEAR = {"cross_entropy": 3.0}  # initial loss over that of all-zero outputs, at most; or its inverse
NEAR_OTHERWISE = 10.0


@check("model", "dataset")
def parameters(subject: Subject) -> str:
    """Parameters and state are float32 and follow from the key."""
    params, state = subject.variables
    bad = not_float32(params) + not_float32(state)
    expect(not bad, f"not float32: {some(bad)}; give the layers param_dtype=float32")
    bad = not_finite(params) + not_finite(state)
    expect(not bad, f"initialised to NaN or infinity: {some(bad)}")
    bad = different(subject.variables, subject.initialise(0))
    expect(not bad, f"the same key initialises {some(bad)} in two ways; draw from the key alone")
    expect(
        different(params, subject.initialise(1)[0]),
        "two keys initialise the same parameters; draw them from the key that Flax gives",
    )
    return f"{sum(leaf.size for _, leaf in named(params)):,} parameters"


@check("model", "dataset")
def outputs(subject: Subject) -> str:
    """Outputs are finite float32, one row per example, in both modes."""
    for mode, found in (("evaluation", subject.outputs), ("training", subject.trained.outputs)):
        bad = not_float32(found)
        expect(not bad, f"outputs in {mode} are not float32: {some(bad)}; cast them")
        expect(
            trees.rows(found) == {EXAMPLES},
            f"{EXAMPLES} examples give outputs of {sorted(trees.rows(found))} rows in {mode}",
        )
        bad = not_finite(found)
        expect(not bad, f"outputs in {mode} hold NaN or infinity at initialisation: {some(bad)}")
    shapes = [f"{leaf.dtype}{list(leaf.shape)}" for _, leaf in named(subject.outputs)]
    return ", ".join(shapes)


@check("model", "dataset")
def determinism(subject: Subject) -> str:
    """The same inputs and keys give the same outputs and gradients."""
    pairs = {
        "outputs in evaluation": (subject.outputs, subject.evaluate(subject.batch["inputs"])),
        "outputs in training": (subject.trained.outputs, subject.train().outputs),
        "gradients": (subject.trained.grads, subject.train().grads),
    }
    exact = jax.default_backend() == "cpu"  # elsewhere the order of a sum may vary
    for what, (first, again) in pairs.items():
        apart = trees.distance(first, again)
        expect(
            not different(first, again) if exact else apart < ROUNDING,
            f"{what} differ by {apart:.1e} between two calls; keep no state, and draw from the"
            ' "dropout" stream only',
        )
    return "bit-equal" if exact else "equal up to rounding"


@check("model", "dataset")
def batch_independence(subject: Subject) -> str:
    """Evaluation of an example ignores the rest of its batch."""
    half = EXAMPLES // 2
    mixed = jax.tree.map(
        lambda a, b: np.concatenate([a[:half], b[:half]]),
        subject.batch["inputs"],
        subject.splits["validation"]["inputs"],
    )
    alone, among_others = subject.outputs, subject.evaluate(mixed)
    apart = trees.distance(*(jax.tree.map(lambda a: a[:half], t) for t in (alone, among_others)))
    expect(
        apart < ROUNDING,
        f"outputs of an example move by {apart:.1e} with the rest of its batch; in evaluation,"
        " batch norm must use its running statistics, and nothing may mix rows",
    )
    return f"differences up to {apart:.1g}"


@check("model", "loss", "dataset")
def gradients(subject: Subject) -> str:
    """Every parameter has a finite gradient that is not zero."""
    trained = subject.trained
    expect(np.isfinite(trained.loss), f"the loss is {trained.loss} at initialisation")
    bad = not_finite(trained.grads)
    expect(not bad, f"the gradient is NaN or infinite in {some(bad)}")
    zero = [path for path, grad in named(trained.grads) if not np.any(grad)]
    expect(
        not zero,
        f"the gradient is zero in {some(zero)}: unused, or cut off by a zero; use them, or start"
        " from small values in place of zeros",
    )
    return f"{len(named(trained.grads))} arrays"


@check("model", "loss", "dataset")
def initial_loss(subject: Subject) -> str:
    """The loss starts near that of a constant guess, all outputs zero."""
    zeros = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), subject.outputs)
    batches = subject.batches(SAMPLE)
    guesses = [subject.measure(zeros, batch["targets"])["loss"] for batch in batches]
    guess = float(np.mean([sums.sum() / counts.sum() for sums, counts in guesses]))
    if not guess > 0:
        raise NotApplicableError(f"all-zero outputs have loss {guess:g}")
    loss = float(np.mean([subject.train(batch=batch).loss for batch in batches]))
    kind = subject.workload.loss_kind
    factor = next((f for part, f in NEAR.items() if part in kind), NEAR_OTHERWISE)
    expect(
        loss <= factor * guess,
        f"the loss starts at {loss:.4g}, over {factor:g} times the {guess:.4g} of all-zero outputs;"
        " start the last layer smaller",
    )
    expect(
        loss >= guess / factor,
        f"the loss starts at {loss:.4g}, under 1/{factor:g} of the {guess:.4g} of all-zero outputs;"
        " an untrained model must not know so much: do the inputs give the targets away?",
    )
    return f"{loss:.4g}, and {guess:.4g} of all-zero outputs"


@check("model", "dataset")
def dropout(subject: Subject) -> str:
    """Training drops out at the rate it is given, evaluation not at all."""
    expect(
        not subject.draws(train=False, dropout_rate=0.5),
        "the model draws random numbers in evaluation; drop out only where train=True",
    )
    own, asked = (subject.draws(train=True, dropout_rate=rate) for rate in (None, 0.5))
    if not own and not asked:
        raise NotApplicableError("the model has no dropout")
    expect(
        asked,
        "the model drops out at a rate of its own but ignores dropout_rate=0.5; None alone means"
        " its own rate",
    )
    half = [subject.train(seed, dropout_rate=0.5).outputs for seed in (0, 1)]
    expect(
        different(*half),
        "outputs at dropout_rate=0.5 are the same for two keys; draw the mask from"
        ' make_rng("dropout")',
    )
    expect(not not_finite(half), "outputs at dropout_rate=0.5 hold NaN or infinity")
    none = [subject.train(seed, dropout_rate=0.0).outputs for seed in (0, 1)]
    apart = trees.distance(*none)
    expect(
        apart == 0,
        f"outputs at dropout_rate=0 differ by {apart:.1e} between two keys; a rate of 0 must drop"
        " nothing",
    )
    return "rates 0 and 0.5, traced" + ("" if own else "; by itself the model drops nothing")


@check("model", "dataset")
def batch_norm(subject: Subject) -> str:
    """Training updates the running statistics; evaluation uses them and leaves them be."""
    params, state = subject.variables
    if "batch_stats" not in state:
        raise NotApplicableError("the model has no batch statistics")
    stats = state["batch_stats"]
    after = subject.trained.model_state["batch_stats"]
    moved, there = _layers(different(stats, after)), _layers([path for path, _ in named(stats)])
    expect(
        there == moved,
        f"train=True leaves the running statistics of {some(sorted(there - moved))} as they were;"
        " pass use_running_average=not train",
    )
    found, after = subject.evaluation(params, state, subject.batch["inputs"])
    bad = different(state, after)
    expect(not bad, f"train=False updates {some(bad)}; pass use_running_average=not train")
    shifted = state | {"batch_stats": jax.tree.map(lambda a: 2 * a + 1, stats)}
    expect(
        different(found, subject.evaluation(params, shifted, subject.batch["inputs"])[0]),
        "train=False gives the same outputs for other running statistics: it does not use them;"
        " pass use_running_average=not train",
    )
    return f"{len(there)} layers"


def _layers(paths: list[str]) -> set[str]:
    return {path.rpartition("/")[0] for path in paths}
