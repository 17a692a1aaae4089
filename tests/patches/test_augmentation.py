import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.errors import PatchError
from fgunet.patches.augmentation import Symmetry
from fgunet.patches.random import sample_generator

ANY_SYMMETRY = st.builds(Symmetry, st.booleans(), st.booleans(), st.booleans())


def test_all_eight_symmetries_are_drawn():
    square = np.arange(9).reshape(3, 3)
    turned = {
        Symmetry.draw(sample_generator(0, 0, index)).apply(square).tobytes() for index in range(200)
    }
    assert len(turned) == 8
    with pytest.raises(PatchError, match="not square"):
        Symmetry().apply(np.zeros((2, 3)))


@given(symmetry=ANY_SYMMETRY, side=st.integers(1, 9))
def test_pixels_land_where_they_are_turned_to(symmetry, side):
    square = np.arange(side**2).reshape(side, side)
    first, per_row, per_col = symmetry.landing(side)
    turned = np.empty(side**2, int)
    for row in range(side):
        for col in range(side):
            turned[first + per_row * row + per_col * col] = square[row, col]
    np.testing.assert_array_equal(turned.reshape(side, side), symmetry.apply(square))
