import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fgunet.mapping.effect import count_changed


@given(st.integers(1, 3000), st.integers(1, 40), st.integers(0, 9))
def test_changed_pixels_are_counted_once(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = (random.integers(0, 3, (height, width), dtype=np.uint8) for _ in range(2))
    changed = count_changed(lambda w: one[w.slices], lambda w: other[w.slices], (height, width))
    assert changed == (one != other).sum()
    assert count_changed(lambda w: one[w.slices], lambda w: one[w.slices], (height, width)) == 0
