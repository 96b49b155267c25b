"""What is asked of every workload, held against all that are in the tree.

The checks are those of ``algoperf-lite check workload``; a variant is held to those that it can
fail where its base passes. What follows them are the conventions of this tree.
"""

import re
from collections import Counter

import jax
import pytest

from algoperf_lite import registry
from algoperf_lite.checks import NotApplicableError


def test_it_keeps_the_promises_of_a_workload(found, check, subject_of):
    if found.workload.tier != "lite":
        pytest.skip("its data is not made here")
    try:
        with jax.default_matmul_precision("highest"):
            check(subject_of(found.workload))
    except NotApplicableError as error:
        pytest.skip(str(error))


def test_names_are_unique_and_variants_name_their_base(found):
    siblings = registry.workloads_in(found.module)
    assert Counter(w.name for w in siblings)[found.workload.name] == 1
    if found.base is None:
        assert found.module.__name__ == f"workloads.{found.workload.name}"
    else:
        assert found.workload.name.startswith(f"{found.base.name}_")


def test_docstring_names_parameters_source_and_command(found):
    if found.base is not None:
        pytest.skip("a variant is described by its base")
    text = " ".join(found.module.__doc__.split())
    assert re.search(r"\d[\d,.]*\d?M? parameters", text)
    assert re.search(r"\bsource\b", text, re.IGNORECASE)
    assert f"algoperf-lite run -w {found.module.workload.name} -s " in text


def test_fingerprint_is_a_digest_of_its_own(found):
    digests = [w.fingerprint for w in registry.workloads_in(found.module)]
    assert re.fullmatch("[0-9a-f]{64}", found.workload.fingerprint)
    assert digests.count(found.workload.fingerprint) == 1
