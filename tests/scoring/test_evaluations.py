import hashlib
import math
import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoring.evaluations import MalformedError, Request, read_evaluations, read_many

HEADER = "time,step,loss,count\n"


def read(tmp_path, text, required=("time", "loss"), optional=("step",)):
    path = tmp_path / "eval_measurements.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_evaluations(str(path), required, optional)


def test_reads_only_what_is_asked_for_to_the_last_bit(tmp_path):
    rows = read(tmp_path, HEADER + "536.988322019577,1,0.1,9\n2e-05,2,3.3942306633122137e-35,9\n")
    assert list(rows.columns) == ["time", "loss", "step"]
    assert rows.columns["time"].tolist() == [536.988322019577, 2e-05]
    assert rows.columns["loss"].tolist() == [0.1, 3.3942306633122137e-35]
    assert rows.notes == []


@pytest.mark.parametrize("text", ["", "nan", "NaN"])
def test_empty_and_nan_fields_are_nan(tmp_path, text):
    rows = read(tmp_path, HEADER + f"1.0,1,{text},9\n2.0,2,0.5,9\n")
    assert math.isnan(rows.columns["loss"][0])
    assert rows.notes == []


def test_other_line_ends_and_a_byte_order_mark(tmp_path):
    rows = read(tmp_path, ("\ufeff" + HEADER + "1.0,1,0.5,9\n").replace("\n", "\r\n"))
    assert rows.columns["loss"].tolist() == [0.5]


def test_a_line_cut_in_its_middle_is_skipped(tmp_path):
    rows = read(tmp_path, HEADER + "1.0,1,5.0,9\n2.0,2,0.5")
    assert rows.columns["time"].tolist() == [1.0]
    assert rows.notes == ["the last line is cut: that row is not counted"]


def test_a_last_line_without_newline_counts_if_only_an_unread_column_can_be_cut(tmp_path):
    rows = read(tmp_path, HEADER + "1.0,1,5.0,9\n2.0,2,0.5,9")
    assert rows.columns["time"].tolist() == [1.0, 2.0]
    assert rows.notes == []


def test_a_cut_number_is_not_taken_for_a_smaller_one(tmp_path):
    rows = read(tmp_path, "time,wer\n1.0,0.5\n2.0,0.0", required=("time", "wer"))
    assert rows.columns["time"].tolist() == [1.0]
    assert len(rows.notes) == 1


def test_rows_with_too_few_or_too_many_fields_are_skipped_and_counted(tmp_path):
    rows = read(tmp_path, HEADER + "1.0,1\n2.0,2,0.5,9\n3.0,3,0.4,9,7\n4.0,4,0.3,9\n")
    assert rows.columns["time"].tolist() == [2.0, 4.0]
    assert rows.notes == ["2 rows have not 4 fields: skipped"]


def test_a_field_that_is_no_number_is_nan_with_a_note_and_spares_the_rest(tmp_path):
    rows = read(tmp_path, HEADER + "1.0,1,0.x,9\n2.0,2,0.5,9\n3.0,3,1_0,9\n")
    np.testing.assert_array_equal(rows.columns["loss"], [math.nan, 0.5, math.nan])
    assert rows.notes == ["1 value is no number in column 'loss': not counted"]


def test_an_optional_column_may_be_absent(tmp_path):
    assert list(read(tmp_path, "time,loss,x\n1,2,3\n").columns) == ["time", "loss"]


def test_a_header_alone_holds_no_rows(tmp_path):
    assert read(tmp_path, HEADER).columns["time"].tolist() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("time,step\n1,2\n", "has no column 'loss'"),
        ("time,loss,loss\n1,2,3\n", "two columns of one name"),
    ],
)
def test_malformed_files_say_why(tmp_path, text, message):
    with pytest.raises(MalformedError, match=message):
        read(tmp_path, text)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(MalformedError, match=r"has no eval_measurements\.csv"):
        read_evaluations(str(tmp_path / "eval_measurements.csv"), ("time",))


WHOLE = (HEADER + "1.5,1,5.25,9\n20.5,2,3.125,9\n300.5,3,1.0625,9\n").encode()


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE)))
def test_a_file_cut_anywhere_never_shows_a_row_that_was_not_there(tmp_path_factory, length):
    try:
        rows = read(tmp_path_factory.mktemp("cut"), WHOLE[:length])
    except MalformedError:
        return
    n = len(rows.columns["time"])
    assert rows.columns["time"].tolist() == [1.5, 20.5, 300.5][:n]
    assert rows.columns["loss"].tolist() == [5.25, 3.125, 1.0625][:n]


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_any_changed_byte_is_read_or_refused_never_fatal(tmp_path_factory, where, byte):
    damaged = WHOLE[:where] + bytes([byte]) + WHOLE[where + 1 :]
    try:
        rows = read(tmp_path_factory.mktemp("bytes"), damaged)
    except MalformedError:
        return
    assert {len(column) for column in rows.columns.values()} <= {0, 1, 2, 3, 4}


# Many files at once: the same as one by one.

OTHER_HEADER = "loss,count,time,step\n"
BYTES = (HEADER + "1.5,1,5.25,9\n20.5,2,,9\n300.5,3,1e-3,9\n").encode()
OTHER = (OTHER_HEADER + "5.25,9,1.5,1\nnan,9,20.5,2\n").encode()
DAMAGES = {
    "none": BYTES,
    "no row": HEADER.encode(),
    "columns in another order": OTHER,
    "blank lines": BYTES.replace(b"20.5", b"\n\n20.5"),
    "a blank line first": BYTES.replace(b"\n1.5", b"\n\n1.5"),
    "a blank line last": BYTES + b"\n",
    "a line of blanks": BYTES.replace(b"\n20.5", b"\n  \n20.5"),
    "a blank line and a carriage return": BYTES.replace(b"\n20.5", b"\n\n2\r0.5"),
    "carriage returns": BYTES.replace(b"\n", b"\r\n"),
    "a byte order mark": b"\xef\xbb\xbf" + BYTES,
    "too few fields": BYTES.replace(b",9\n20", b"\n20"),
    "too many fields": BYTES.replace(b",9\n20", b",9,9\n20"),
    "no number": BYTES.replace(b"5.25", b"x"),
    "no number in an unread column": BYTES.replace(b",9", b",x"),
    "underscores": BYTES.replace(b"300.5", b"3_00"),
    "words for nothing": BYTES.replace(b"5.25", b"NULL"),
    "infinite": BYTES.replace(b"5.25", b"-inf"),
    "beyond a double": BYTES.replace(b"5.25", b"1e999"),
    "blanks around": BYTES.replace(b"5.25", b" 5.25 "),
    "quotes": BYTES.replace(b"5.25", b'"5.25"'),
    "a quote": BYTES.replace(b"5.25", b'"5.25'),
    "no text": BYTES.replace(b"5.25", b"\xff\xfe"),
    "nothing": BYTES.replace(b"5.25", b"\0"),
    "zeros at the end, as after a crash": BYTES + b"\0" * 40,
    "cut in a number": BYTES[:-6],
    "cut in an unread column": BYTES.removesuffix(b"\n"),
    "cut in the header": BYTES[:9],
    "cut after the header": HEADER.encode()[:-1],
    "empty": b"",
    "blank": b" \n\n",
    "a column is missing": BYTES.replace(b"loss", b"lost"),
    "a column is there twice": BYTES.replace(b"count", b"loss"),
    "an optional column is missing": BYTES.replace(b"step", b"stop"),
    "absent": None,
}
COLUMNS = ("time", "loss"), ("step",)


def alone(path, sha256):
    """What reading a file by itself gives, or the text of the error."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        changed = sha256 is not None and sha256 != hashlib.sha256(data).hexdigest()
        if changed and data.strip():
            return "has changed since the trial ended: not counted; restore it"
        return read_evaluations(path, *COLUMNS)
    except MalformedError as error:
        return str(error)
    except FileNotFoundError:
        return "has no eval_measurements.csv: not counted"


def assert_read_as_alone(directory, contents, digests):
    requests = []
    for i, (content, digest) in enumerate(zip(contents, digests, strict=True)):
        path = directory / str(i) / "eval_measurements.csv"
        path.parent.mkdir()
        if content is not None:
            path.write_bytes(content)
        right = hashlib.sha256(content or b"").hexdigest()
        sha256 = {"none": None, "right": right, "wrong": "0" * 64}[digest]
        requests.append(Request(str(path), *COLUMNS, sha256))
    for request, found in zip(requests, read_many(iter(requests)), strict=True):
        expected = alone(request.path, request.sha256)
        if isinstance(expected, str):
            assert isinstance(found, MalformedError), request
            assert str(found) == expected
        else:
            assert list(found.columns) == list(expected.columns)
            assert found.notes == expected.notes
            for name, column in expected.columns.items():
                np.testing.assert_array_equal(found.columns[name], column, strict=True)


damaged = st.one_of(
    st.sampled_from([BYTES, OTHER]),  # so that most batches have files to be read in one go
    st.sampled_from(list(DAMAGES.values())),
    st.tuples(st.integers(0, len(BYTES) - 1), st.binary(max_size=3)).map(
        lambda change: BYTES[: change[0]] + change[1] + BYTES[change[0] + len(change[1]) :]
    ),
)
digest_kinds = st.sampled_from(["none", "none", "right", "wrong"])


@settings(max_examples=120)
@given(st.lists(st.tuples(damaged, digest_kinds), max_size=12))
@example([(content, "none") for content in DAMAGES.values()])
@example([(content, "right") for content in DAMAGES.values()])
def test_many_files_read_as_each_alone(tmp_path_factory, files):
    contents, digests = zip(*files, strict=True) if files else ((), ())
    assert_read_as_alone(tmp_path_factory.mktemp("many"), contents, digests)


@pytest.mark.parametrize("damage", DAMAGES)
def test_one_damaged_file_among_whole_ones(tmp_path, damage):
    contents = [BYTES, OTHER, DAMAGES[damage], BYTES, BYTES]
    assert_read_as_alone(tmp_path, contents, ["none"] * 5)


def test_a_row_too_many_in_one_file_does_not_hide_one_too_few_in_the_next(tmp_path):
    contents = [BYTES.replace(b"\n20.5", b"\r20.5"), BYTES.replace(b"\n20.5", b"\n\n20.5")]
    assert_read_as_alone(tmp_path, contents, ["none"] * 2)


def test_more_files_than_are_read_in_one_go_keep_their_order(tmp_path):
    odd = dict(zip(range(0, 400, 13), DAMAGES.values(), strict=False))
    contents = [odd.get(i, BYTES.replace(b"1.5", b"%d.5" % i)) for i in range(300)]
    assert_read_as_alone(tmp_path, contents, ["none"] * 300)


def test_a_file_that_cannot_be_opened_is_an_error_of_its_own(tmp_path):
    os.symlink("loop", tmp_path / "loop")
    (tmp_path / "whole").write_bytes(BYTES)
    found = read_many([Request(str(tmp_path / name), *COLUMNS) for name in ("loop", "whole")])
    assert "cannot be read" in str(found[0])
    assert found[1].columns["time"].tolist() == [1.5, 20.5, 300.5]
