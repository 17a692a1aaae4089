import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.errors import ModelError
from fgunet.grid import Window
from fgunet.mapping.windows import core_within, plan_windows

sides = st.integers(1, 90)


@given(sides, sides, st.integers(1, 40), st.integers(0, 6), st.sampled_from([1, 2, 4, 8]))
def test_windows_cover_are_aligned_and_have_their_halo(
    height: int, width: int, core: int, halos: int, stride: int
) -> None:
    halo = halos * 4
    windows = plan_windows((height, width), core=core, halo=halo, stride=stride)
    seen = np.zeros((height, width), dtype=int)
    for window in windows:
        inner, outer = window.core, window.read
        seen[inner.slices] += 1
        assert inner.height <= core
        assert inner.width <= core
        for first, length, read_first, read_length, total in (
            (inner.row, inner.height, outer.row, outer.height, height),
            (inner.col, inner.width, outer.col, outer.width, width),
        ):
            end, read_end = first + length, read_first + read_length
            assert read_first >= 0
            assert read_end <= total
            assert read_first % stride == 0
            assert read_end % stride == 0 or read_end == total
            assert read_first <= max(0, first - halo)
            assert read_end >= min(total, end + halo)
    assert (seen == 1).all()
    whole = [window.read for window in windows if 0 not in (window.core.row, window.core.col)]
    # Those that begin away from the first edges are all of one size, but for what alignment adds.
    for side in ("height", "width"):
        sizes = {getattr(window, side) for window in whole}
        assert not sizes or max(sizes) - min(sizes) <= halo + 2 * stride


def test_known_windows() -> None:
    first, last = plan_windows((100, 10), core=64, halo=24, stride=4)
    assert first.core == Window(0, 0, 64, 10)
    assert first.read == Window(0, 0, 88, 10)
    assert last.core == Window(64, 0, 36, 10)
    assert last.read == Window(12, 0, 88, 10)  # shifted inward


@given(sides, sides, st.integers(0, 20_000), st.integers(0, 6), st.sampled_from([1, 2, 4]))
def test_cores_are_as_large_as_the_pixels_allow(
    height: int, width: int, pixels: int, halos: int, stride: int
) -> None:
    halo = 4 * halos
    core = core_within((height, width), pixels=pixels, halo=halo, stride=stride)
    assert core >= stride
    assert core % stride == 0
    if core > stride:
        assert (core + 2 * halo) ** 2 <= pixels
    parts = -(-max(height, width) // core)
    # One part fewer would need cores that are too large.
    if parts > 1:
        larger = math.ceil(math.ceil(max(height, width) / (parts - 1)) / stride) * stride
        assert (larger + 2 * halo) ** 2 > pixels


def test_a_full_tile_is_cut_into_like_parts() -> None:
    # sqrt(723,000) = 850 pixels with the halo, 802 without: 14 parts of 784.3 pixels.
    assert core_within((10980, 10980), pixels=723_000, halo=24, stride=4) == 788


@pytest.mark.parametrize("wrong", [{"core": 0}, {"stride": 0}, {"halo": -1}])
def test_errors(wrong: dict[str, int]) -> None:
    with pytest.raises(ModelError):
        plan_windows((8, 8), **{"core": 4, "halo": 0, "stride": 1, **wrong})
