import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from fgunet.errors import MapError
from fgunet.grid import Grid
from fgunet.mapping import sieve as module
from fgunet.mapping.sieve import sieve
from fgunet.rasters import read_band, write_raster

CLI = "gdal_sieve.py"

maps = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, max_side=14),
    elements=st.sampled_from([0, 1, 1, 7, 7, 255]),
)


def grid_of_shape(shape: tuple[int, ...]) -> Grid:
    return Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), *shape)


@pytest.fixture(scope="module")
def sieved(tmp_path_factory):
    path = tmp_path_factory.mktemp("sieve") / "codes.tif"

    def run(codes: np.ndarray, minimum: int) -> np.ndarray:
        write_raster(path, codes, grid_of_shape(codes.shape), 0)
        sieve(path, minimum)
        return read_band(path)

    return run


def sizes_of_patches(codes: np.ndarray) -> np.ndarray:
    """Of each pixel, how many its patch has; 0 = nodata."""
    sizes = np.zeros(codes.shape, int)
    for code in np.unique(codes[codes > 0]):
        patches, _ = ndimage.label(codes == code)
        sizes += np.where(codes == code, np.bincount(patches.ravel())[patches], 0)
    return sizes


def has_large_patch(codes: np.ndarray, minimum: int) -> np.ndarray:
    """Of each pixel, whether its ground has a patch that is large enough."""
    grounds, count = ndimage.label(codes > 0)
    largest = ndimage.maximum(sizes_of_patches(codes), grounds, np.arange(count + 1))
    return (codes > 0) & (np.asarray(largest)[grounds] >= minimum)


def test_a_small_patch_joins_its_largest_neighbour(sieved) -> None:
    codes = np.array([[1, 1, 1, 2, 2], [1, 1, 9, 2, 2], [1, 1, 9, 2, 2]], np.uint8)
    # The two 9 touch seven 1 and six 2.
    expected = [[1, 1, 1, 2, 2], [1, 1, 1, 2, 2], [1, 1, 1, 2, 2]]
    assert sieved(codes, 3).tolist() == expected
    assert sieved(codes, 2).tolist() == codes.tolist()


def test_pixels_that_touch_at_a_corner_are_two_patches(sieved) -> None:
    codes = np.array([[1, 1, 1, 1], [1, 9, 1, 1], [1, 1, 9, 1], [1, 1, 1, 1]], np.uint8)
    assert (sieved(codes, 2) == 1).all()


def test_is_repeated_until_nothing_changes(sieved) -> None:
    # One pass leaves the 3 and the 4: each is the other's largest neighbour, and the 5 beside
    # them becomes a 1 only in that pass.
    codes = np.array([[1, 1, 1, 1, 1, 5, 3, 3, 4, 4]], np.uint8)
    once = rasterio.features.sieve(codes, 5, mask=codes, connectivity=4)
    assert once.tolist() == [[1, 1, 1, 1, 1, 1, 3, 3, 4, 4]]
    assert sieved(codes, 5).tolist() == [[1] * 10]


def test_ground_without_a_large_patch_stays(sieved) -> None:
    codes = np.array([[1, 1, 1, 9, 1, 1], [0, 0, 0, 0, 0, 0], [2, 3, 3, 0, 1, 4]], np.uint8)
    expected = [[1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], [2, 3, 3, 0, 1, 4]]
    assert sieved(codes, 3).tolist() == expected


@given(maps, st.integers(0, 30))
def test_what_remains_is_large_or_had_nothing_to_join(sieved, codes, minimum) -> None:
    found = sieved(codes, minimum)
    joinable = has_large_patch(codes, minimum)
    assert (sizes_of_patches(found)[joinable] >= minimum).all()
    np.testing.assert_array_equal(found[~joinable], codes[~joinable])
    large = sizes_of_patches(codes) >= minimum
    np.testing.assert_array_equal(found[large], codes[large])


@given(maps, st.integers(2, 30))
def test_a_second_sieve_changes_nothing(sieved, codes, minimum) -> None:
    once = sieved(codes, minimum)
    np.testing.assert_array_equal(sieved(once, minimum), once)


def noisy_codes(shape: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(5)
    fields = np.kron(random.integers(0, 5, (12, 12)), np.ones((12, 12), int))
    rows, cols = np.indices(shape)
    moved = random.integers(-3, 4, (2, *shape))
    inside = [np.clip(place + by, 0, 143) for place, by in zip((rows, cols), moved, strict=True)]
    return np.array([0, 11, 44, 51, 222], np.uint8)[fields[tuple(inside)]]


@pytest.mark.skipif(shutil.which(CLI) is None, reason=f"{CLI} (gdal-bin) is not installed")
def test_is_what_gdal_makes_on_the_command_line(tmp_path, sieved) -> None:
    codes = noisy_codes((137, 141))
    before, after = "before.tif", "after.tif"
    write_raster(tmp_path / before, codes, grid_of_shape(codes.shape), 0)
    passes = 0
    while True:
        options = ["-q", "-4", "-st", "12", "-mask", before]
        subprocess.run([CLI, *options, before, after], cwd=tmp_path, check=True)
        found = read_band(tmp_path / after)
        if (found == read_band(tmp_path / before)).all():
            break
        (tmp_path / after).replace(tmp_path / before)
        passes += 1
    assert passes > 1
    np.testing.assert_array_equal(sieved(codes, 12), found)


def test_writing_by_windows_of_any_size_is_the_same(sieved, monkeypatch) -> None:
    codes = noisy_codes((137, 141))
    whole = sieved(codes, 12)
    monkeypatch.setattr(module, "_WINDOW", 37)
    np.testing.assert_array_equal(sieved(codes, 12), whole)


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "codes.tif"
    write_raster(path, np.ones((4, 4), np.uint8), grid_of_shape((4, 4)), 0)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(MapError, match=r"codes\.tif cannot be written"):
        sieve(path, 2)
