from algoperf_lite import registry
from algoperf_lite.fingerprint import fingerprint_source

CODE = '''"""Doc."""

class Net:
    """Doc."""
    width = 3

workload = 1
variants: tuple = ()
'''
DECLARED = ("workload", "variants")


def test_comments_docstrings_and_layout_do_not_count():
    other = "class Net: width = 3  # wide\nworkload = 1\nvariants: tuple = ()"
    assert fingerprint_source(CODE) == fingerprint_source(other)


def test_code_counts():
    assert fingerprint_source(CODE) != fingerprint_source(CODE.replace("3", "4"))


def test_declarations_left_out_do_not_count_and_others_do():
    changed = CODE.replace("workload = 1", "workload = 2").replace("= ()", "= (1,)")
    assert fingerprint_source(CODE) != fingerprint_source(changed)
    assert fingerprint_source(CODE, DECLARED) == fingerprint_source(changed, DECLARED)
    unpacked = CODE + "workload, other = 1, 2\n"
    assert fingerprint_source(CODE, DECLARED) != fingerprint_source(unpacked, DECLARED)


def test_a_workloads_fingerprint_covers_what_its_model_uses_of_its_package(monkeypatch):
    found = registry.find_workload("tones_lstm")
    before = found.fingerprint
    asked = []
    monkeypatch.setattr(
        "algoperf_lite.workload.fingerprint_code",
        lambda module, leave_out=(): asked.append(module.__name__) or module.__name__,
    )
    assert found.fingerprint != before
    assert {"workloads.tones_lstm", "workloads.ctc", "workloads.dropout"} <= set(asked)
    assert not any(name.startswith(("workloads.datasets.draws", "jax", "flax")) for name in asked)
