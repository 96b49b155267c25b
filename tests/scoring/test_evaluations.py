import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.evaluations import MalformedError, read_evaluations

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
