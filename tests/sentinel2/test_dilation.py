"""Dilation of masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fgunet.sentinel2.dilation import dilate

RADII = [0, 0.5, 1, 1.4, 2**0.5, 1.5, 2, 2.75, 5, 10]


def by_definition(flagged: np.ndarray, radius: float) -> np.ndarray:
    """Each pixel with each flagged one, in squares so that whole numbers stay exact."""
    found = np.zeros(flagged.shape, bool)
    for y, x in np.ndindex(*flagged.shape):
        found[y, x] = any(
            (y - row) ** 2 + (x - col) ** 2 <= radius**2 + 1e-9 for row, col in np.argwhere(flagged)
        )
    return found


@given(
    flagged=arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    radius=st.sampled_from(RADII),
)
def test_all_pixels_within_the_radius_are_flagged(flagged: np.ndarray, radius: float) -> None:
    before = flagged.copy()
    np.testing.assert_array_equal(dilate(flagged, radius), by_definition(flagged, radius))
    np.testing.assert_array_equal(flagged, before)


@pytest.mark.parametrize(("radius", "count"), [(0, 1), (0.99, 1), (1, 5), (2**0.5, 9), (2, 13),
                                               (4.99, 69), (5, 81)])  # fmt: skip
def test_a_pixel_just_so_far_away_is_flagged(radius: float, count: int) -> None:
    """How many points of a lattice a circle holds (Gauss's circle problem)."""
    flagged = np.zeros((21, 21), bool)
    flagged[10, 10] = True
    assert dilate(flagged, radius).sum() == count


def test_without_flags_there_is_nothing_to_dilate() -> None:
    """A distance to nothing would be measured from the edge or a corner."""
    flagged = np.zeros((5, 5), bool)
    near = dilate(flagged, 10)
    assert not near.any()
    near[:] = True
    assert not flagged.any()
