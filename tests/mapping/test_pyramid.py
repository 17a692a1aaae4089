import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fgunet.mapping.pyramid import halve_codes, halve_percent

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=9)


def squares(values: np.ndarray, row: int, col: int, nodata: int) -> np.ndarray:
    square = values[2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
    return square[square != nodata].astype(int)


def test_codes_by_hand() -> None:
    codes = np.array([[1, 2, 0, 0, 7], [2, 2, 0, 5, 0], [3, 4, 0, 0, 0]], np.uint8)
    assert halve_codes(codes).tolist() == [[2, 5, 7], [3, 0, 0]]


@settings(max_examples=60)
@given(arrays(np.uint8, SHAPES, elements=st.integers(0, 3)))
def test_a_code_is_one_of_the_most_frequent(codes: np.ndarray) -> None:
    for (row, col), found in np.ndenumerate(halve_codes(codes)):
        square = squares(codes, row, col, 0)
        counts = np.bincount(square, minlength=1)
        assert counts[found] == counts.max() if square.size else found == 0


def test_percent_by_hand() -> None:
    percent = np.array([[1, 2, 255, 255, 70], [2, 2, 255, 255, 255], [100, 100, 0, 1, 0]], np.uint8)
    assert halve_percent(percent).tolist() == [[2, 255, 70], [100, 1, 0]]


@settings(max_examples=60)
@given(arrays(np.uint8, SHAPES, elements=st.integers(0, 100) | st.just(255)))
def test_percent_is_the_mean_of_what_is_known(percent: np.ndarray) -> None:
    for (row, col), found in np.ndenumerate(halve_percent(percent)):
        square = squares(percent, row, col, 255)
        assert found == (np.floor(square.mean() + 0.5) if square.size else 255)
