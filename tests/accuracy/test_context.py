import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.accuracy.context import (
    BORDER,
    CLEAR_DAYS,
    CONFIDENCE,
    EDGES,
    TRAINING_DISTANCE,
    add_up,
    bin_of,
    by_training_distance,
    count_context,
    read_context,
    write_context,
)
from fgunet.errors import AccuracyError

COUNTS = ["pixels", "right", "unmapped", "confidence"]


def test_bins_hold_their_lower_edge_and_the_last_one_both():
    assert bin_of(np.array([0, 9.99, 10, 49.9, 50, np.inf]), BORDER).tolist() == [0, 0, 1, 3, 4, 4]
    assert bin_of(np.array([0, 9, 10, 99, 100], np.uint8), CONFIDENCE).tolist() == [0, 0, 1, 9, 9]


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_a_value_outside_of_all_bins_is_refused(value):
    with pytest.raises(AccuracyError, match=r"border_m is .* in 1 places"):
        bin_of(np.array([5.0, value]), BORDER)


@pytest.mark.parametrize("name", EDGES)
def test_bins_are_those_of_numpy_histograms(name):
    last = EDGES[name][-2] + 50 if np.isinf(EDGES[name][-1]) else EDGES[name][-1]
    values = np.random.default_rng(1).uniform(0, last, 1000).round()
    expected, _ = np.histogram(values, EDGES[name])
    n_bins = len(EDGES[name]) - 1
    assert np.bincount(bin_of(values, name), minlength=n_bins).tolist() == expected.tolist()


def known_block():
    """Polygon 7 of class 11: four pixels, one unmapped; polygon 9 of class 51; one pixel left."""
    polygons = np.array([[7, 7, 7], [7, 9, 9]], np.uint32)
    reference = np.array([[11, 11, 11], [11, 51, 0]], np.uint8)
    mapped = np.array([[11, 51, 11], [0, 51, 51]], np.uint8)
    confidence = np.array([[90, 40, 99], [255, 70, 10]], np.uint8)
    border = np.array([[5.0, 5.0, 15.0], [15.0, 60.0, 5.0]])
    clear = np.array([[4, 5, 5], [0, 12, 12]], np.uint16)
    return polygons, reference, mapped, confidence, {BORDER: border, CLEAR_DAYS: clear}


def rows_of(table, covariate):
    rows = table[table["covariate"] == covariate]
    return rows[["polygon_id", "code", "bin", *COUNTS]].to_numpy().tolist()


def test_counts_known_pixels():
    table = count_context([known_block()], tile="T")
    assert rows_of(table, BORDER) == [
        [7, 11, 0, 2, 1, 0, 130],
        [7, 11, 1, 1, 1, 1, 99],
        [9, 51, 4, 1, 1, 0, 70],
    ]
    assert rows_of(table, CLEAR_DAYS) == [
        [7, 11, 0, 1, 1, 1, 90],
        [7, 11, 1, 2, 1, 0, 139],
        [9, 51, 2, 1, 1, 0, 70],
    ]
    assert rows_of(table, CONFIDENCE) == [
        [7, 11, 4, 1, 0, 0, 40],
        [7, 11, 9, 2, 2, 0, 189],
        [9, 51, 7, 1, 1, 0, 70],
    ]


def random_block(seed, size=300):
    random = np.random.default_rng(seed)
    polygons = random.integers(1, 20, size).astype(np.uint32)
    reference = (polygons % 3).astype(np.uint8)
    mapped = random.integers(0, 3, size).astype(np.uint8)
    confidence = np.where(mapped == 0, 255, random.integers(0, 101, size)).astype(np.uint8)
    border, clear = random.uniform(0, 90, size), random.integers(0, 130, size)
    return polygons, reference, mapped, confidence, {BORDER: border, CLEAR_DAYS: clear}


def cut(block, places):
    *arrays, covariates = block
    pieces = zip(*(np.split(values, places) for values in arrays), strict=True)
    of_names = {name: np.split(values, places) for name, values in covariates.items()}
    for place, piece in enumerate(pieces):
        yield (*piece, {name: values[place] for name, values in of_names.items()})


@given(st.integers(0, 1000), st.lists(st.integers(0, 300), max_size=4))
@settings(max_examples=20)
def test_blocks_of_any_size_and_order_give_one_table(seed, places):
    block = random_block(seed)
    whole = count_context([block], tile="T")
    pieces = count_context(reversed(list(cut(block, sorted(places)))), tile="T")
    pd.testing.assert_frame_equal(pieces, whole)


def test_every_covariate_counts_every_pixel_that_has_a_reference():
    block = random_block(5)
    table = count_context([block], tile="T").groupby("covariate", observed=True)[COUNTS].sum()
    known, has_class = block[1] > 0, block[2] > 0
    right = np.count_nonzero(known & (block[1] == block[2]))
    both = np.count_nonzero(known & has_class)
    percent = block[3][known & has_class].sum(dtype=int)
    for name in (BORDER, CLEAR_DAYS):
        expected = [both, right, np.count_nonzero(known & ~has_class), percent]
        assert table.loc[name].tolist() == expected
    assert table.loc[CONFIDENCE].tolist() == [both, right, 0, percent]


def test_a_tile_without_test_pixels_is_an_empty_table_and_the_others_stand(tmp_path):
    full = count_context([known_block()], tile="A")
    polygons, reference, *rest = known_block()
    for empty in (
        count_context([], tile="B"),
        count_context([(polygons, np.zeros_like(reference), *rest)], tile="B"),
    ):
        assert empty.empty
        write_context(tmp_path / "a.parquet", full)
        write_context(tmp_path / "b.parquet", empty)
        found = read_context([tmp_path / "a.parquet", tmp_path / "b.parquet"], BORDER)
        assert rows_of(found, BORDER) == rows_of(full, BORDER)
        assert set(found["covariate"]) == {BORDER}
        assert read_context([tmp_path / "b.parquet"], CONFIDENCE).empty


def test_a_polygon_in_two_tiles_counts_in_both_and_stays_one():
    one = count_context([known_block()], tile="A")
    twice = add_up([one, one])
    assert twice["polygon_id"].tolist() == one["polygon_id"].tolist()
    assert (twice[COUNTS] == 2 * one[COUNTS]).all(axis=None)


def test_refuses_what_cannot_be():
    polygons, reference, mapped, confidence, covariates = known_block()
    with pytest.raises(AccuracyError, match="T: 5 reference pixels lie in no polygon"):
        count_context([(0 * polygons, reference, mapped, confidence, covariates)], tile="T")
    lost = np.full_like(confidence, 255)
    with pytest.raises(AccuracyError, match="T: 4 test pixels have a class and no confidence"):
        count_context([(polygons, reference, mapped, lost, covariates)], tile="T")
    one = np.full_like(polygons, 7)
    with pytest.raises(AccuracyError, match=r"T: polygons \[7\] have more than one reference code"):
        count_context([(one, reference, mapped, confidence, covariates)], tile="T")
    with pytest.raises(AccuracyError, match="must cover the same pixels"):
        count_context([(polygons, reference, mapped, confidence[:1], covariates)], tile="T")


def test_whole_polygons_are_counted_by_their_distance_to_the_training():
    context = count_context([known_block()], tile="T")
    border = context[context["covariate"] == BORDER]
    distances = pd.DataFrame({"polygon_id": [9, 7, 8], "distance_m": [np.inf, 30.0, 0.0]})
    found = by_training_distance(border, distances)
    assert rows_of(found, TRAINING_DISTANCE) == [
        [7, 11, 1, 3, 2, 1, 229],
        [9, 51, 7, 1, 1, 0, 70],
    ]
    with pytest.raises(AccuracyError, match=r"test polygons \[9\] \(1 in all\) have no distance"):
        by_training_distance(border, distances[distances["polygon_id"] != 9])


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_text("no table")
    with pytest.raises(AccuracyError, match=r"a\.parquet is no table of test pixels"):
        read_context([tmp_path / "a.parquet"], BORDER)
    pd.DataFrame({"covariate": ["border_m"]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(AccuracyError, match=r"b\.parquet is no table"):
        read_context([tmp_path / "b.parquet"], BORDER)
