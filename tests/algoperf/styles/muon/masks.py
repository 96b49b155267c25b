"""Which parameters are treated how, by what kind they are of."""

import jax
from algoperf.spec import ParameterType

UNDECAYED = {
    ParameterType.BIAS,
    ParameterType.BATCH_NORM_SCALE,
    ParameterType.BATCH_NORM_BIAS,
    ParameterType.LAYER_NORM_SCALE,
    ParameterType.LAYER_NORM_BIAS,
}


def decayed(types):
    """True for what is decayed."""
    return jax.tree.map(lambda kind: kind not in UNDECAYED, types)


def labels(types, shapes):
    """``muon`` for matrices that are weights, ``adamw`` for all else."""

    def label(kind, shape):
        matrix = len(shape.shape_tuple) == 2 and kind is ParameterType.WEIGHT
        return "muon" if matrix else "adamw"

    return jax.tree.map(label, types, shapes)
