"""The files of an exported directory that name its submission: functions and information."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from algoperf_lite.submission import Ruleset

WIDTH = 100  # characters of a line
BATCH_SIZES = {
    "criteo1tb": 262144,
    "fastmri": 32,
    "finewebedu_lm": 64,
    "imagenet_resnet": 1024,
    "imagenet_vit": 1024,
    "librispeech_conformer": 256,
    "librispeech_deepspeech": 256,
    "ogbg": 512,
    "wmt": 128,
    "mnist": 16,
    "cifar": 128,
}
"""Those that AlgoPerf's baselines train with."""

HEAD = '''"""$summary

A submission to AlgoPerf 0.6, written by

    algoperf-lite export -s "$selector"

The algorithm is `vendored.$module`; this file hands AlgoPerf's calls to it.
"""

import functools

import jax
from algoperf import jax_sharding_utils, spec

from .vendored.adapter import Program
$imported

${submission}BATCH_SIZES = $batch_sizes
"""Adjust them to the memory of the devices; the learning rate was chosen at other ones."""


def get_batch_size(workload_name):
    """The global batch size of a workload.

    Raises:
        ValueError: it is none of AlgoPerf's.
    """
    if workload_name not in BATCH_SIZES:
        raise ValueError(f"no batch size is stated for {workload_name}; add one to BATCH_SIZES")
    return BATCH_SIZES[workload_name]


@functools.lru_cache(maxsize=4)
def _program(workload, static):
    """The functions compiled for a workload, which all its trials share."""
    return Program(
        submission,
        dict(static),
        workload,
        spec.ForwardPassMode.TRAIN,
        jax_sharding_utils.get_replicate_sharding(),
        jax_sharding_utils.get_batch_dim_sharding(),
    )


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    """The optimizer state, and the functions that go with it.

    What `hyperparameters` does not have, or all where it is None, is the submission's default.
    """
    del model_state
    chosen = hyperparameters._asdict() if hyperparameters is not None else {}
    static, traced = submission.split_hyperparameters({**submission.default, **chosen})
    program = _program(workload, tuple(sorted(static.items())))
    return program.init(model_params, traced, rng), program


def update_params(
    workload,
    current_param_container,
    current_params_types,
    model_state,
    hyperparameters,
    batch,
    loss_type,
    optimizer_state,
    eval_results,
    global_step,
    rng,
    train_state=None,
):
    """One step: the new optimizer state, parameters and model state."""
    del current_params_types, hyperparameters, loss_type, eval_results, train_state
    state, program = optimizer_state
    state, params, model_state, scalars = program.update(
        state, current_param_container, model_state, batch, rng
    )
    if global_step % 100 == 0 and workload.metrics_logger is not None:
        scalars = {name: float(value) for name, value in jax.device_get(scalars).items()}
        workload.metrics_logger.append_scalar_metrics(scalars, global_step)
    return (state, program), params, model_state
'''
PREPARE = '''

def prepare_for_eval(
    workload,
    current_param_container,
    current_params_types,
    model_state,
    hyperparameters,
    loss_type,
    optimizer_state,
    eval_results,
    global_step,
    rng,
):
    """The weights to evaluate; the optimizer state keeps those in training until the next step."""
    del workload, current_params_types, hyperparameters, loss_type
    del eval_results, global_step, rng
    state, program = optimizer_state
    state, params, model_state = program.prepare_for_eval(
        state, current_param_container, model_state
    )
    return (state, program), params, model_state
'''
TAIL = '''

def data_selection(
    workload,
    input_queue,
    optimizer_state,
    current_param_container,
    model_state,
    hyperparameters,
    global_step,
    rng,
):
    """The next batch."""
    del workload, optimizer_state, current_param_container, model_state
    del hyperparameters, global_step, rng
    return next(input_queue)
'''


def functions(
    summary: str,
    selector: str,
    module: str,
    expression: str,
    fixed: Mapping[str, Any],
    prepare: bool,
) -> str:
    """The text of ``submission.py``.

    Args:
        summary: a line on what it is.
        selector: what was exported.
        module: name below `vendored` of the module that defines it.
        expression: of the submission: a name in that module, or a call of one.
        fixed: the hyperparameters to fix.
        prepare: whether it is evaluated at other weights than those it trains.
    """
    name = expression.partition("(")[0]
    renamed = "rule" if fixed and name == "submission" else name
    value = renamed + expression.removeprefix(name) + (f".fix({_dict(fixed)})" if fixed else "")
    head = Template(HEAD).substitute(
        summary=_in_docstring(summary),
        selector=_in_docstring(selector),
        module=module,
        imported=f"from .vendored.{module} import {name}"
        + (f" as {renamed}" if renamed != name else ""),
        submission="" if value == "submission" else f"submission = {value}\n",
        batch_sizes=json.dumps(BATCH_SIZES, indent=4).replace("\n}", ",\n}"),
    )
    return head + (PREPARE if prepare else "") + TAIL


def information(
    name: str,
    folder: str,
    authors: Sequence[str],
    affiliations: Sequence[str],
    ruleset: Ruleset,
    description: str,
) -> str:
    """The text of ``submission_info.yml``; a JSON string is one of YAML, too."""
    rows = {
        "submission_name": (name, "as it will appear on the leaderboard"),
        "submission_folder": (folder, "below external_tuning/ or self_tuning/"),
        "authors": (", ".join(authors), "separated by commas"),
        "affiliations": (", ".join(affiliations), "of the authors, separated by commas"),
        "version": ("1.0", ""),
        "ruleset": ("external" if ruleset == "external" else "self-tuning", ""),
        "framework": ("JAX", ""),
        "description": (description, "short"),
    }
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}{_note(value, note)}\n"
        for key, (value, note) in rows.items()
    )


def _dict(values: Mapping[str, Any]) -> str:
    """A dict as code, on one line if that is short.

    Example:
        >>> _dict({"schedule": "rex", "b2": 0.99})
        '{"schedule": "rex", "b2": 0.99}'
    """
    items = [f"{json.dumps(n)}: {_literal(value)}" for n, value in values.items()]
    line = f"{{{', '.join(items)}}}"
    if len(line) < WIDTH - 32:  # what stands before and after it
        return line
    return "{\n" + "".join(f"    {item},\n" for item in items) + "}"


def _literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _note(value: str, note: str) -> str:
    return f"  # fill in: {note}" if not value else ""


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")
