import numpy as np
import pytest

from fgunet.accuracy.learning_time import learning_time
from fgunet.errors import AccuracyError

NETWORK = {
    "method": "fgunet", "wall_s": 1800.0, "cpu_s": 5400.0, "workers": 2, "threads_per_worker": 2,
    "patches": 4500, "width": 16,
}  # fmt: skip
FOREST = {
    "method": "forest", "wall_s": 40.0, "cpu_s": 72.0, "workers": 1, "threads_per_worker": 2,
    "samples": {"11": 1000, "41": 600},
}  # fmt: skip


def test_rows_by_hand():
    table = learning_time([NETWORK, FOREST])
    assert table.to_dict("list") == {
        "method": ["fgunet", "forest"],
        "wall_s": [1800.0, 40.0],
        "workers": [2, 1],
        "threads": [2, 2],
        "cpu_s": [5400.0, 72.0],
        "samples": [4500, 1600],
        "sample_unit": ["patches", "pixels"],
        "samples_per_s": [2.5, 40.0],
        "one_cpu_h": [1.5, 0.02],
    }


def test_rows_keep_the_order_of_the_methods():
    assert learning_time([FOREST, NETWORK])["method"].tolist() == ["forest", "fgunet"]


@pytest.mark.parametrize(
    ("lost", "unknown"),
    [
        ("threads_per_worker", {"threads"}),
        ("workers", {"workers"}),
        ("wall_s", {"wall_s", "samples_per_s"}),
        ("cpu_s", {"cpu_s", "one_cpu_h"}),
    ],
)
def test_what_is_unknown_is_not_invented(lost, unknown):
    document = {key: value for key, value in NETWORK.items() if key != lost}
    table = learning_time([document, {**FOREST, lost: None}])
    missing = table.isna()
    assert set(table.columns[missing.iloc[0]]) == unknown
    assert set(table.columns[missing.iloc[1]]) == unknown


def test_no_time_has_no_rate():
    row = learning_time([{**FOREST, "wall_s": 0.0, "cpu_s": 0.0}]).iloc[0]
    assert np.isnan(row["samples_per_s"])
    assert row["one_cpu_h"] == 0


def test_no_method_no_row():
    assert learning_time([]).empty


@pytest.mark.parametrize("lost", ["method", "samples"])
def test_other_documents_are_refused(lost):
    document = {key: value for key, value in FOREST.items() if key != lost}
    with pytest.raises(AccuracyError, match=r"method and samples .*found \['cpu_s', .*Train it"):
        learning_time([NETWORK, document])
