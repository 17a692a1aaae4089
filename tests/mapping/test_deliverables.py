"""The maps of a tile, read back by GDAL, rio-cogeo and Pillow."""

import json
import shutil
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from rio_cogeo.cogeo import cog_validate

from fgunet.grid import Grid, split_windows
from fgunet.mapping.deliverables import (
    create_class_map,
    create_clear_count,
    create_percent,
    create_probabilities,
)
from fgunet.nomenclature import LandCoverClass, Nomenclature

NOMENCLATURE = Nomenclature(
    "three classes",
    (
        LandCoverClass(11, "summer crops", (255, 85, 0), ""),
        LandCoverClass(44, "roads & <tracks>", (0, 255, 255), "urban"),
        LandCoverClass(222, "vignes «hautes»", (85, 0, 0), ""),
    ),
)
PRODUCTS = ("class", "percent", "clear_count", "uint8", "float16")
SHAPES = [(1, 1), (37, 29), (256, 256), (700, 513), (1100, 1031)]
NEEDS_GDALINFO = pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="no gdal-bin here")


def grid(height: int, width: int) -> Grid:
    return Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), height, width)


def creation(product: str, path: Path, of: Grid, **tags: str) -> AbstractContextManager[Any]:
    if product == "class":
        return create_class_map(path, of, NOMENCLATURE, tags)
    if product == "percent":
        return create_percent(path, of, tags)
    if product == "clear_count":
        return create_clear_count(path, of, tags)
    return create_probabilities(path, of, NOMENCLATURE, NOMENCLATURE.codes, product, tags=tags)


def values_of(product: str, shape: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(1)
    if product == "class":
        return random.choice(np.array([0, 11, 44, 222], np.uint8), shape, p=[0.1, 0.3, 0.3, 0.3])
    if product == "percent":
        return with_nodata(random.integers(0, 101, shape, dtype=np.uint8), 255)
    if product == "clear_count":
        return random.integers(0, 400, shape, dtype=np.uint16)
    if product == "uint8":
        return with_nodata(random.integers(0, 101, (3, *shape), dtype=np.uint8), 255)
    return with_nodata(random.random((3, *shape)).astype(np.float16), np.nan)


def with_nodata(values: np.ndarray, nodata: float) -> np.ndarray:
    values[..., : values.shape[-1] // 4] = nodata
    return values


def write(
    product: str, path: Path, values: np.ndarray, side: int = 300, order: int = 0, **tags: str
) -> Path:
    shape = values.shape[-2:]
    windows = list(split_windows(shape, side))
    np.random.default_rng(order).shuffle(windows)  # type: ignore[arg-type]
    with creation(product, path, grid(*shape), **tags) as put:
        for window in windows:
            put(window, values[(..., *window.slices)])
    return path


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("product", PRODUCTS)
def test_each_product_is_a_strict_cog_and_reads_back(product, shape, tmp_path) -> None:
    values = values_of(product, shape)
    path = write(product, tmp_path / "map.tif", values, tile="T31TCJ")
    valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
    assert valid
    assert not errors
    assert not warnings
    with rasterio.open(path) as dataset:
        read = dataset.read() if values.ndim == 3 else dataset.read(1)
        np.testing.assert_array_equal(read, values)
        assert dataset.transform == grid(*shape).affine
        assert dataset.crs.to_epsg() == 32631
        assert dataset.tags()["tile"] == "T31TCJ"
        assert bool(dataset.overviews(1)) == (max(shape) > 256)
    table = ["map.tif.aux.xml"] if product == "class" else []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["map.tif", *table]


@pytest.mark.parametrize(
    ("product", "nodata", "dtype", "unit"),
    [
        ("class", 0, "uint8", None),
        ("percent", 255, "uint8", "percent"),
        ("clear_count", None, "uint16", "days"),
        ("uint8", 255, "uint8", "percent"),
        ("float16", pytest.approx(float("nan"), nan_ok=True), "float32", "1"),
    ],
)
def test_each_product_says_what_it_holds(product, nodata, dtype, unit, tmp_path) -> None:
    with rasterio.open(write(product, tmp_path / "map.tif", values_of(product, (5, 9)))) as dataset:
        assert dataset.nodata == nodata
        assert set(dataset.dtypes) == {dtype}
        assert dataset.tags().get("unit") == unit
        named = product in {"uint8", "float16"}
        names = tuple(each.name for each in NOMENCLATURE.classes)
        assert dataset.descriptions == (names if named else (None,))
        if named or product == "class":
            assert dataset.tags()["nomenclature"] == "three classes"


def test_half_precision_takes_less_room_than_single(tmp_path) -> None:
    """10 bits of a mantissa, 5 of an exponent and no sign stay of each number, little besides."""
    single = np.random.default_rng(0).random((3, 256, 256)).astype(np.float32)
    path = write("float16", tmp_path / "map.tif", single)
    assert path.stat().st_size / single.size < 2.1
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(), single.astype(np.float16).astype(np.float32))


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> dict[str, tuple[np.ndarray, bytes]]:
    folder = tmp_path_factory.mktemp("once")
    made = {}
    for product in PRODUCTS:
        values = values_of(product, (270, 300))
        made[product] = values, write(product, folder / f"{product}.tif", values).read_bytes()
    return made


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PRODUCTS), st.integers(20, 300), st.integers(0, 99))
def test_bytes_depend_on_the_values_alone(once, tmp_path, product, side, order) -> None:
    values, expected = once[product]
    assert write(product, tmp_path / "map.tif", values, side, order).read_bytes() == expected


def test_overviews_of_classes_hold_one_of_the_most_frequent(tmp_path) -> None:
    codes = values_of("class", (540, 600))
    codes[:2, :6] = [[11, 11, 0, 44, 0, 0], [11, 44, 0, 0, 0, 0]]
    path = write("class", tmp_path / "class.tif", codes)
    with rasterio.open(path, overview_level=0) as overview:
        level = overview.read(1)
    assert level.shape == (270, 300)
    assert level[0, :3].tolist() == [11, 44, 0]  # by hand: nodata has no vote
    four = np.stack([codes[row::2, col::2] for row in (0, 1) for col in (0, 1)])
    votes = {code: (four == code).sum(axis=0) for code in NOMENCLATURE.codes}
    most = np.max(list(votes.values()), axis=0)
    winners = {code: votes[code] == most for code in votes}
    right = [(level == code) & winners[code] for code in votes]
    assert (np.any(right, axis=0) == (most > 0)).all()
    assert (level[most == 0] == 0).all()


@pytest.mark.parametrize("product", ["percent", "clear_count", "uint8", "float16"])
def test_overviews_of_numbers_hold_the_mean_without_nodata(product, tmp_path) -> None:
    values = values_of(product, (540, 600))
    with rasterio.open(write(product, tmp_path / "map.tif", values), overview_level=0) as overview:
        level = overview.read(masked=True).astype(float).filled(-1)
    values = values.reshape(-1, *values.shape[-2:])
    nodata = {"percent": 255, "uint8": 255}.get(product, np.nan)
    known = np.where(values == nodata, np.nan, values.astype(float))
    four = np.stack([known[:, row::2, col::2] for row in (0, 1) for col in (0, 1)])
    empty = np.isnan(four).all(axis=0)
    mean = np.nansum(four, axis=0) / np.maximum(1, (~np.isnan(four)).sum(axis=0))
    assert (level[empty] == -1).all()
    tolerance = 0.0005 if product == "float16" else 0.5
    assert np.abs(level - mean)[~empty].max() <= tolerance


def test_pillow_sees_the_colours_of_the_nomenclature(tmp_path) -> None:
    codes = values_of("class", (37, 29))
    with Image.open(write("class", tmp_path / "class.tif", codes)) as image:
        seen = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(seen, coloured(codes))


def coloured(codes: np.ndarray) -> np.ndarray:
    table = np.zeros((256, 3), np.uint8)
    for code, colour in NOMENCLATURE.colours.items():
        table[code] = colour
    return table[codes]


@pytest.mark.skipif(shutil.which("gdal_translate") is None, reason="no gdal-bin here")
def test_gdal_alone_shows_the_right_colours(tmp_path) -> None:
    codes = values_of("class", (300, 280))
    path = write("class", tmp_path / "class.tif", codes)
    path.with_name("class.tif.aux.xml").unlink()  # the colours lie in the map itself
    for bands in ("rgb", "rgba"):
        shown = tmp_path / f"{bands}.tif"
        subprocess.run(
            ["gdal_translate", "-q", "-expand", bands, str(path), str(shown)], check=True
        )
        with rasterio.open(shown) as dataset:
            seen = np.moveaxis(dataset.read(), 0, -1)
        np.testing.assert_array_equal(seen[..., :3], coloured(codes))
        if bands == "rgba":
            np.testing.assert_array_equal(seen[..., 3], np.where(codes == 0, 0, 255))


@NEEDS_GDALINFO
def test_gdalinfo_reads_the_attribute_table_and_the_names(tmp_path) -> None:
    path = write("class", tmp_path / "class.tif", values_of("class", (37, 29)))
    done = subprocess.run(["gdalinfo", "-json", str(path)], check=True, capture_output=True)
    told = json.loads(done.stdout)
    table = told["rat"]
    assert table["tableType"] == "thematic"
    columns = [(each["name"], each["usage"]) for each in table["fieldDefn"]]
    # GFU_MinMax, GFU_Name, GFU_Red, GFU_Green, GFU_Blue, GFU_Alpha
    assert columns == [
        ("Value", 5), ("Class", 2), ("Red", 6), ("Green", 7), ("Blue", 8), ("Alpha", 9)
    ]  # fmt: skip
    assert [row["f"] for row in table["row"]] == [
        [11, "summer crops", 255, 85, 0, 255],
        [44, "roads & <tracks>", 0, 255, 255, 255],
        [222, "vignes «hautes»", 85, 0, 0, 255],
    ]
    assert told["metadata"][""]["CLASS_222"] == "vignes «hautes»"
    plain = subprocess.run(["gdalinfo", str(path)], check=True, capture_output=True, text=True)
    for value, name in NOMENCLATURE.names.items():
        assert f"    {value}: {name}\n" in plain.stdout  # GDAL's category names


@pytest.mark.parametrize("product", PRODUCTS)
def test_nothing_is_left_of_a_map_that_failed(product, tmp_path) -> None:
    values = values_of(product, (8, 8))
    unfit = np.zeros((2, 2, 2, 8, 8), values.dtype)
    with pytest.raises(ValueError, match="shape"):
        write(product, tmp_path / "map.tif", unfit)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_written_is_nodata(tmp_path) -> None:
    with creation("percent", tmp_path / "map.tif", grid(300, 300)) as put:
        put(next(split_windows((300, 300), 100)), np.full((100, 100), 7, np.uint8))
    with rasterio.open(tmp_path / "map.tif") as dataset:
        values = dataset.read(1)
    assert (values[:100, :100] == 7).all()
    assert (values == 255).sum() == 300 * 300 - 100 * 100


def test_unfinished_maps_lie_beside_their_target_alone(tmp_path, monkeypatch) -> None:
    """Memory and small disks often hold the folder for temporary files."""
    for name in ("TMPDIR", "CPL_TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    folder = tmp_path / "maps"
    with creation("class", folder / "class.tif", grid(700, 513)) as put:
        for window in split_windows((700, 513), 300):
            put(window, np.full((window.height, window.width), 11, np.uint8))
        assert len(list(folder.iterdir())) == 1
        assert not (folder / "class.tif").exists()
    assert sorted(each.name for each in folder.iterdir()) == ["class.tif", "class.tif.aux.xml"]
    assert list(tmp_path.iterdir()) == [folder]
