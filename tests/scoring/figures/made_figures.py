"""Boards and logs to draw, and what any drawing must keep to."""

import json
import math

import numpy as np
from matplotlib.text import Text

from scoring.figures.style import DPI
from tests.scoring.made_logs import MISS, board_of, declared, write_trial

LONG = ("librispeech_conformer", "librispeech_deepspeech", "imagenet_resnet", "wmt")
VARIANTS = ("librispeech_conformer_layernorm", "imagenet_resnet_large_bn_init", "wmt_glu_tanh")


def many(n, base=LONG, held_out=VARIANTS):
    """n submissions with long names: numbers, misses, disqualifications and missing logs."""
    names = [
        f"nadamw[schedule=slow_start_fast_decay,b={i}]" if i % 3 else f"s{i}" for i in range(n)
    ]
    times = {}
    for i, name in enumerate(names):
        times[name] = {
            workload: math.inf if (i + j) % 7 == 5 else 1 + (i * 7 + j * 3) % 11 / 2
            for j, workload in enumerate((*base, *held_out))
            if (i + j) % 13 != 11
        }
    return board_of(times, base, held_out)


def logs(root, submissions=("x", "y"), studies=3):
    """Logs of two workloads: all reach a, the first submission alone reaches b."""
    (root / "suite.json").write_text(json.dumps(declared(("a", "b"), studies=studies)))
    for i, name in enumerate(submissions):
        for study in range(studies):
            last = 3.0 + i + study
            falling = [(0.0, 5.0), (last / 2, 2.0), (last, 0.9)]
            write_trial(root, name, "a", falling, study)
            write_trial(root, name, "b", MISS if i else falling, study)
    return root


def texts(figure):
    """Every text that a figure shows, with its box in pixels."""
    figure.set_dpi(DPI)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    beyond = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t not in beyond]
    found = [(t.get_text(), t.get_window_extent(renderer)) for t in shown if t.get_text().strip()]
    return [(text, box) for text, box in found if box.width]


def cut(figure):
    """Texts that leave the figure."""
    found = texts(figure)
    width, height = figure.canvas.get_width_height()
    return [
        text for text, box in found if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]


def overlapping(figure, slack=3.0):
    """Pairs of texts that cover each other by more than some pixels both ways."""
    found = texts(figure)
    box = np.array([b.extents for _, b in found])
    low = np.maximum(box[:, None, :2], box[None, :, :2])
    high = np.minimum(box[:, None, 2:], box[None, :, 2:])
    pairs = np.argwhere(np.triu((high - low > slack).all(axis=2), k=1))
    return [(found[i][0], found[j][0]) for i, j in pairs]
