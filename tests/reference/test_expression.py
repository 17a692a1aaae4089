import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.errors import ReferenceDataError
from fgunet.reference.expression import evaluate, fields_of

FIELDS = ["GROUP", "CULTU", "the width"]


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("CULTU", ["CULTU"]),
        ("cultu", ["CULTU"]),
        ("\"GROUP\" || '-' || CULTU", ["GROUP", "CULTU"]),
        ("CASE WHEN \"the width\" > 5 THEN 'wide' ELSE 'narrow' END", ["the width"]),
        ("coalesce(CULTU, 'say \"CULTU\"')", ["CULTU"]),
    ],
)
def test_fields_of_an_expression(expression, fields):
    assert fields_of(expression, FIELDS, path="f") == fields


def test_values_by_hand():
    columns = {
        "GROUP": np.array([1, 2, 2], dtype=np.int64),
        "CULTU": np.array(["a", None, "b"], dtype=object),
    }
    expression = "(\"GROUP\" * 10) || coalesce(CULTU, '?')"
    assert evaluate(expression, columns, path="f").tolist() == ["10a", "20?", "20b"]
    widths = {"the width": np.array([3.5, np.nan, 8.0])}
    assert evaluate('"the width" * 2', widths, path="f").tolist() == [7.0, None, 16.0]
    dates = {"d": np.array(["2018-05-01", "NaT"], dtype="datetime64[D]")}
    assert evaluate("substr(d, 1, 4)", dates, path="f").tolist() == ["2018", None]
    assert evaluate("d", {"d": np.zeros(0)}, path="f").tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc") | st.none())))
def test_a_value_depends_on_its_row_alone(rows):
    group = np.array([row[0] for row in rows], dtype=np.int64)
    kind = np.array([*(row[1] for row in rows), None], dtype=object)[:-1]
    expression = "g || '-' || k || '-' || sum(g) OVER ()"
    done = evaluate(expression, {"g": group, "k": kind}, path="f").tolist()
    assert done == [None if k is None else f"{g}-{k}-{g}" for g, k in rows]


@pytest.mark.parametrize(
    "expression",
    ["load_extension(CULTU)", "(SELECT CULTU FROM sqlite_master)", "CULTU; DROP TABLE features"],
)
def test_an_expression_reaches_nothing_else(expression):
    with pytest.raises(ReferenceDataError, match="f: the expression"):
        evaluate(expression, {"CULTU": np.array(["a"], dtype=object)}, path="f")


def test_text_that_is_no_number_ends_in_an_error():
    columns = {"k": np.array(["a"], dtype=object)}
    with pytest.raises(ReferenceDataError, match=r"cannot be evaluated: .*malformed JSON"):
        evaluate("json_extract(k, '$.a')", columns, path="f")
