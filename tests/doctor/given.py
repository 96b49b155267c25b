"""What the checks are given, and how what they find is looked at."""

from algoperf_lite.doctor import load

GIB = 2**30
QUIET = load.Load(2, 0.05, 0.0, (), (0.1, 0.2, 0.3))
WHO = {"pid": 7, "since": "2026-01-01T10:00", "purpose": "for a run into r"}
READ = {"kept": True, "read_back": True, "warned": None}


def statuses(findings):
    return [finding.status for finding in findings]


def the(findings, status):
    """The one finding of a status, which says what to do."""
    (found,) = [finding for finding in findings if finding.status == status]
    assert status == "ok" or found.mend
    return found


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
