import shutil
import subprocess
from collections import Counter

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import generic_filter

from fgunet.errors import GridError, ModelError
from fgunet.grid import Grid
from fgunet.mapping.majority import majority, majority_windows
from fgunet.rasters import write_raster

GRID = Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), 80, 90)
OTB = "otbcli_ClassificationMapRegularization"

maps = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([0, 1, 44, 255]),
)


def by_brute_force(codes: np.ndarray, radius: int) -> np.ndarray:
    voted = codes.copy()
    for (row, col), own in np.ndenumerate(codes):
        square = codes[max(0, row - radius) : row + radius + 1, max(0, col - radius) :]
        votes = Counter(code for code in square[:, : min(col, radius) + radius + 1].flat if code)
        best = [code for code, count in votes.items() if count == max(votes.values())]
        if own and len(best) == 1:
            voted[row, col] = best[0]
    return voted


def random_codes(seed: int, shape: tuple[int, int] = GRID.shape) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.choice(np.array([0, 11, 44, 222], np.uint8), shape, p=[0.1, 0.3, 0.3, 0.3])


def streamed(codes: np.ndarray, radius: int, core: int) -> np.ndarray:
    whole = np.full_like(codes, 99)
    windows = majority_windows(lambda w: codes[w.slices], codes.shape, radius=radius, core=core)
    for window, values in windows:
        whole[window.slices] = values
    return whole


def test_known_squares() -> None:
    codes = np.array([[7, 7, 7, 0], [7, 5, 5, 9], [7, 7, 5, 9]], np.uint8)
    # Second row: six 7 against three 5; three 7 and three 5, which keeps its 5; two 5 and two 9,
    # which keeps its 9. The 0 has no vote.
    assert majority(codes, 1).tolist() == [[7, 7, 7, 0], [7, 7, 5, 9], [7, 7, 5, 9]]


def test_a_tie_of_others_keeps_a_code_that_is_none_of_them() -> None:
    codes = np.array([[5, 5, 5], [5, 1, 9], [9, 9, 9]], np.uint8)
    assert majority(codes, 1)[1, 1] == 1


def test_nodata_has_no_vote_and_stays() -> None:
    codes = np.zeros((5, 5), np.uint8)
    codes[2, 2] = 3
    np.testing.assert_array_equal(majority(codes, 2), codes)
    np.testing.assert_array_equal(majority(3 - codes, 1), 3 - codes)


@given(maps, st.integers(0, 4))
def test_is_what_counting_by_hand_gives(codes: np.ndarray, radius: int) -> None:
    before = codes.copy()
    np.testing.assert_array_equal(majority(codes, radius), by_brute_force(codes, radius))
    np.testing.assert_array_equal(codes, before)


@given(maps, st.integers(0, 3), st.integers(1, 9))
def test_windows_of_any_size_give_the_whole(codes: np.ndarray, radius: int, core: int) -> None:
    np.testing.assert_array_equal(streamed(codes, radius, core), majority(codes, radius))


@pytest.mark.parametrize("radius", [1, 3])
def test_is_what_scipy_filters(radius: int) -> None:
    codes = random_codes(1)

    def vote(square: np.ndarray) -> int:
        votes = np.bincount(square.astype(int), minlength=256)
        votes[0] = 0
        own = int(square[square.size // 2])
        best = np.flatnonzero(votes == votes.max())
        return int(best[0]) if own and best.size == 1 else own

    expected = generic_filter(codes, vote, 2 * radius + 1, mode="constant", cval=0)
    np.testing.assert_array_equal(majority(codes, radius), expected)


@pytest.mark.skipif(shutil.which(OTB) is None, reason="Orfeo ToolBox (otb-bin) is not installed")
def test_is_what_orfeo_toolbox_makes_at_radius_1(tmp_path) -> None:
    codes = random_codes(2)
    write_raster(tmp_path / "raw.tif", codes, GRID, 0)
    images = ("-io.in", "raw.tif", "-io.out", "majority.tif", "uint8")
    options = ("-ip.radius", "1", "-ip.suvbool", "false", "-ip.nodatalabel", "0")
    subprocess.run([OTB, *images, *options], cwd=tmp_path, check=True, capture_output=True)
    with rasterio.open(tmp_path / "majority.tif") as dataset:
        np.testing.assert_array_equal(majority(codes, 1), dataset.read(1))


def test_views_of_any_layout_will_do() -> None:
    codes = random_codes(3)
    expected = by_brute_force(codes, 1)
    np.testing.assert_array_equal(majority(np.asfortranarray(codes), 1), expected)
    codes.flags.writeable = False
    np.testing.assert_array_equal(majority(codes[::-1], 1), expected[::-1])


def test_refuses_what_it_cannot_filter() -> None:
    with pytest.raises(GridError, match="radius -1 over codes of uint8"):
        majority(np.zeros((3, 3), np.uint8), -1)
    with pytest.raises(GridError, match="codes of uint16"):
        majority(np.zeros((3, 3), np.uint16), 1)
    with pytest.raises(ModelError, match="halo of -1"):
        streamed(np.zeros((3, 3), np.uint8), -1, 2)
