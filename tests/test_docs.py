"""The submissions that the documents show are run as they stand."""

import re
from pathlib import Path

import pytest
import tiny

import algoperf_lite

ROOT = Path(__file__).parent.parent
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
SHOWN = [
    (page, index)
    for page in ("README.md", "docs/adding_a_submission.md")
    for index in range(len(PYTHON.findall((ROOT / page).read_text())))
]


@pytest.mark.parametrize(("page", "index"), SHOWN)
def test_submissions_in_the_documents_train(page, index, tmp_path):
    code = PYTHON.findall((ROOT / page).read_text())[index]
    path = tmp_path / "shown.py"
    path.write_text(code)
    run = algoperf_lite.run([tiny.__file__], [str(path)], tmp_path / "r", quick=True,
                            max_steps=10, executor="inline", devices=1)  # fmt: skip
    assert run.trials[0]["reason"] == "10 of 10 steps taken"


def test_links_in_the_documents_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http|#)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
