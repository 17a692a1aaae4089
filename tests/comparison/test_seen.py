import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.comparison.seen import (
    require_from_pool,
    seen_in_patches,
    seen_in_samples,
    times_shown,
)
from fgunet.errors import ComparisonError
from fgunet.grid import Window
from fgunet.reference.rasterisation import strips

SHAPE, SIZE = (23, 17), 6
STARTS = st.lists(
    st.tuples(st.integers(0, SHAPE[0] - SIZE), st.integers(0, SHAPE[1] - SIZE)), max_size=40
).map(lambda pairs: np.array(pairs, np.int64).reshape(-1, 2))


def shown_by_hand(starts):
    shown = np.zeros(SHAPE, int)
    for row, col in starts:
        shown[row : row + SIZE, col : col + SIZE] += 1
    return shown


@given(starts=STARTS, height=st.integers(1, 30))
def test_times_shown_in_strips_are_those_of_adding_patches(starts, height):
    parts = [times_shown(starts, SIZE, strip) for strip in strips(SHAPE, height)]
    np.testing.assert_array_equal(np.concatenate(parts), shown_by_hand(starts))


@given(starts=STARTS, height=st.integers(1, 30), seed=st.integers(0, 99))
def test_polygons_are_counted_over_strips(starts, height, seed):
    polygon = np.random.default_rng(seed).integers(0, 5, SHAPE).astype(np.uint32)
    code = np.array([0, 11, 31, 11, 0], np.uint8)[polygon]
    whole = Window(0, 0, *SHAPE)
    cut = [(s, polygon[s.slices], code[s.slices]) for s in strips(SHAPE, height)]
    found = seen_in_patches([(starts, cut), (starts[:1], [(whole, polygon, code)])], size=SIZE)
    all_of_it = [shown_by_hand(starts), shown_by_hand(starts[:1])]
    for number in range(5):
        row = found[found["polygon_id"] == number]
        own = [shown[(polygon == number) & (code > 0)] for shown in all_of_it]
        pixels, shown = sum(int((o > 0).sum()) for o in own), sum(int(o.sum()) for o in own)
        expected = [[number, code[polygon == number][0], pixels, shown]] if pixels else []
        assert row.to_numpy().tolist() == expected


def test_sampled_pixels_are_shown_once():
    found = seen_in_samples(np.array([7, 3, 7], np.uint32), np.array([31, 11, 31], np.uint8))
    assert found.to_numpy().tolist() == [[3, 11, 1, 1], [7, 31, 2, 2]]
    assert found["polygon_id"].dtype == np.uint32


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (4, "forest saw 1 polygons that are outside of those .* first 4"),
        (9, "forest saw 1 polygons that are no training polygons, first 9"),
    ],
)
def test_a_polygon_outside_of_the_pool_is_named(number, message):
    polygons = pd.DataFrame({"polygon_id": [1, 2, 4], "enters": [1.0, 0.5, np.nan]})
    require_from_pool("forest", pd.DataFrame({"polygon_id": [1, 2]}), polygons)
    with pytest.raises(ComparisonError, match=message):
        require_from_pool("forest", pd.DataFrame({"polygon_id": [1, number]}), polygons)
