from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.comparison.tables import read_table, write_table
from fgunet.comparison.tally import merge, tally
from fgunet.errors import ComparisonError

COLUMNS = ["pixels", "usable"]


def block(ids, usable):
    ids = np.array(ids, np.uint32)
    codes = (ids % 2 + 11).astype(np.uint8)
    return ids, codes, {"pixels": np.ones(ids.size, bool), "usable": np.array(usable, bool)}


def test_counts_by_hand():
    table = tally([block([5, 2, 5], [1, 0, 0]), block([5], [1])], COLUMNS)
    assert table.to_numpy().tolist() == [[2, 11, 1, 0], [5, 12, 3, 2]]


@given(
    pixels=st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_blocks_and_tiles_do_not_matter(pixels, cuts):
    ids, usable = [p[0] for p in pixels], [p[1] for p in pixels]
    ends = [0, *sorted(cuts), 60]
    blocks = [block(ids[a:b], usable[a:b]) for a, b in pairwise(ends)]
    whole = tally([block(ids, usable)], COLUMNS)
    pd.testing.assert_frame_equal(tally(blocks, COLUMNS), whole)
    pd.testing.assert_frame_equal(merge([tally([b], COLUMNS) for b in blocks], COLUMNS), whole)
    assert whole["pixels"].sum() == len(pixels)
    assert whole["usable"].sum() == sum(usable)


def test_nothing_is_an_empty_table_that_can_be_written(tmp_path):
    write_table(tmp_path / "a.parquet", tally([], COLUMNS))
    table = read_table(tmp_path / "a.parquet", ["polygon_id", "code", *COLUMNS])
    assert len(table) == 0
    assert table.dtypes.astype(str).tolist() == ["uint32", "uint8", "int64", "int64"]


def test_a_file_that_is_no_such_table_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, tally([], COLUMNS))
    with pytest.raises(ComparisonError, match=r"a.parquet is no table .* enters"):
        read_table(path, ["polygon_id", "enters"])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ComparisonError, match=r"a.parquet is no table"):
        read_table(path, ["polygon_id"])
