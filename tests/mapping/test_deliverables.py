from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fgunet.grid import Grid, split_windows
from fgunet.mapping.deliverables import create_map
from fgunet.mapping.pyramid import halve
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature(
    "three classes",
    (
        LandCoverClass(11, "summer crops", (255, 85, 0), ""),
        LandCoverClass(44, "roads", (0, 255, 255), "urban"),
        LandCoverClass(222, "vineyards", (85, 0, 0), ""),
    ),
)


def grid(height: int, width: int) -> Grid:
    return Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), height, width)


def write(folder: Path, codes: np.ndarray, confidence: np.ndarray, side: int = 100) -> list[Path]:
    paths = [folder / "class.tif", folder / "confidence.tif"]
    with create_map(*paths, grid(*codes.shape), NOMENCLATURE) as put:
        for window in split_windows(codes.shape, side):
            put(window, codes[window.slices], confidence[window.slices])
    return paths


@pytest.fixture
def maps() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    codes = random.choice(np.array([0, 11, 44, 222], np.uint8), (540, 600), p=[0.1, 0.3, 0.3, 0.3])
    codes[:2, :4] = [[11, 11, 44, 222], [11, 44, 222, 222]]
    confidence = random.integers(0, 101, codes.shape, dtype=np.uint8)
    confidence[codes == 0] = 255
    return codes, confidence


def test_map_is_a_cog_with_colours_names_and_overviews(tmp_path, maps) -> None:
    class_path, confidence_path = write(tmp_path, *maps)
    with rasterio.open(class_path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), maps[0])
        assert dataset.nodata == 0
        assert dataset.colormap(1)[11] == (255, 85, 0, 255)
        assert dataset.tags()["CLASS_44"] == "roads"
        assert dataset.tags()["nomenclature"] == "three classes"
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1) == [2, 4]
        assert dataset.crs.to_epsg() == 32631
    with rasterio.open(class_path, overview_level=0) as overview:
        assert overview.read(1)[0, :2].tolist() == [11, 222]  # the most frequent by hand
    with rasterio.open(confidence_path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), maps[1])
        assert dataset.nodata == 255
        assert dataset.tags()["unit"] == "percent"
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.tif", "confidence.tif"]


def test_bytes_depend_on_the_values_alone(tmp_path, maps) -> None:
    first = [path.read_bytes() for path in write(tmp_path / "a", *maps)]
    assert [path.read_bytes() for path in write(tmp_path / "b", *maps, side=64)] == first


def test_nothing_is_left_of_a_map_that_failed(tmp_path) -> None:
    codes = np.ones((8, 8), np.uint8)
    with pytest.raises(ValueError, match="shape"):
        write(tmp_path, codes, np.ones((8, 8, 2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_halve_by_hand() -> None:
    codes = np.array([[1, 2, 0, 0, 7], [2, 2, 0, 5, 0], [3, 4, 0, 0, 0]], np.uint8)
    assert halve(codes).tolist() == [[2, 5, 7], [3, 0, 0]]


@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 3))
)
def test_halve_takes_one_of_the_most_frequent(codes: np.ndarray) -> None:
    for (row, col), found in np.ndenumerate(halve(codes)):
        square = codes[2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        counts = np.bincount(square[square > 0], minlength=1)
        assert found == 0 if not (square > 0).any() else counts[found] == counts.max()
