import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.errors import ModelError
from fgunet.grid import Window
from fgunet.mapping.windows import plan_windows

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
        assert (inner.height, inner.width) == (min(core, height), min(core, width))
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
    assert seen.min() >= 1


def test_known_windows() -> None:
    first, last = plan_windows((100, 10), core=64, halo=24, stride=4)
    assert first.core == Window(0, 0, 64, 10)
    assert first.read == Window(0, 0, 88, 10)
    assert last.core == Window(36, 0, 64, 10)  # shifted inward
    assert last.read == Window(12, 0, 88, 10)


@pytest.mark.parametrize("wrong", [{"core": 0}, {"stride": 0}, {"halo": -1}])
def test_errors(wrong: dict[str, int]) -> None:
    with pytest.raises(ModelError):
        plan_windows((8, 8), **{"core": 4, "halo": 0, "stride": 1, **wrong})
