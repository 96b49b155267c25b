"""Records small enough to look through, with one of everything that a report must tell apart."""

import json

from algoperf_lite.records import SUITE_FILE
from tests.scoring.made_logs import declared, write_trial

HOSTILE = "<img src=x onerror=window.broken=1>"
REASON = "boom </script><script>window.broken = 1</script> & more"
STUDIES = 3
ENVIRONMENT = {"platform": "cpu", "versions": {"jax": "1.0"}}


def make_results(root):
    """Three submissions on `a`, its held-out variant `a_v`, and `b`.

    `fast` reaches all; `slow` reaches `a`, misses `a_v`, and takes over 4 times as long on `b`; the
    third, whose name is markup, ends in errors on `a` and runs out of budget on `b`.
    """
    suite = declared(
        ("a", "b"), ("a_v",), points="search_space", studies=STUDIES, trials=1, seed=7,
        submissions={"fast": {"ruleset": "external"}, "slow": {"ruleset": "external"},
                     HOSTILE: {"ruleset": "self"}},
    )  # fmt: skip
    for name, tier in (("a", "lite"), ("a_v", "lite"), ("b", "catalog")):
        suite["workloads"][name]["tier"] = tier
    root.mkdir(parents=True, exist_ok=True)
    (root / SUITE_FILE).write_text(json.dumps(suite))
    for study in range(STUDIES):
        for workload, seconds in {"a": 10.0, "a_v": 12.0, "b": 10.0}.items():
            _reach(root, "fast", workload, study, seconds + study)
        _reach(root, "slow", "a", study, 25.0 + study)
        _end(root, "slow", "a_v", study, "budget_exhausted")
        _reach(root, "slow", "b", study, 90.0)
        _end(root, HOSTILE, "a", study, "error", REASON)
        _end(root, HOSTILE, "a_v", study, "error", REASON)
        _end(root, HOSTILE, "b", study, "budget_exhausted")
    (root / "stray.txt").write_text("not a submission")
    return root


def _reach(root, name, workload, study, seconds):
    rows = [(seconds * share, 0.9 + 4 * (1 - share)) for share in (0.2, 0.4, 0.6, 0.8, 1.0)]
    write_trial(root, name, workload, rows, study, record=_record("target_reached", study, seconds))


def _end(root, name, workload, study, status, reason=None):
    rows = [(50.0 * share, 5.0 - share) for share in (0.25, 0.5, 0.75, 1.0)]
    record = _record(status, study, 50.0) | {"reason": reason}
    write_trial(root, name, workload, rows, study, record=record)


def _record(status, study, seconds):
    return {
        "status": status, "seconds": seconds,
        "robust_seconds": seconds / (1.3 if study == 2 else 1),
        "noisy": study == 2, "drifted": False, "steps": 40, "seed": study, "flops_per_step": 1e6,
        "clock": {"data": 0.1, "update": seconds - 0.2, "eval_params": 0.05, "on_eval": 0.05},
        "off_clock": {"compile": 2.0, "evaluation": 1.0}, "peak_memory_bytes": 2**20,
        "calibration_kernel_seconds": [0.010, 0.0101], "environment": ENVIRONMENT,
        "hyperparameters": {"learning_rate": 10.0 ** -(1 + study), "schedule": "cosine"},
    }  # fmt: skip
