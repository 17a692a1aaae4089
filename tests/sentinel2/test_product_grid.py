"""The 10 m grid of a product, and files that do not fit it."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Grid
from fgunet.sentinel2.product_grid import (
    declared_nodata,
    read_product_grid,
    require_zone,
    ten_metre_grid,
)

LEFT, TOP = 600000.0, 5e6


def write(
    path: Path,
    resolution: float,
    shape: tuple[int, int] = (12, 12),
    *,
    left: float = LEFT,
    top: float = TOP,
    crs: str | None = "EPSG:32631",
    nodata: float | None = None,
    dtype: str = "int16",
    transform: rasterio.Affine | None = None,
) -> str:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=shape[0],
        width=shape[1],
        count=1,
        dtype=dtype,
        crs=crs,
        transform=transform or rasterio.Affine(resolution, 0, left, 0, -resolution, top),
        nodata=nodata,
    ) as dataset:
        dataset.write(np.ones((1, *shape), dtype))
    return str(path)


@pytest.fixture
def fine(tmp_path: Path) -> dict[str, str]:
    return {"B02": write(tmp_path / "B2.tif", 10)}


def test_the_grid_of_a_10_m_band_is_taken(tmp_path: Path) -> None:
    bands = {
        "B11": write(tmp_path / "B11.tif", 20, (6, 7)),
        "B02": write(tmp_path / "B2.tif", 10, (12, 14)),
    }
    masks = {
        "CLM": write(tmp_path / "CLM.tif", 10, (12, 14)),
        "SCL": write(tmp_path / "SCL.tif", 20, (6, 7)),
    }
    expected = Grid("EPSG:32631", (10.0, 0.0, LEFT, 0.0, -10.0, TOP), 12, 14)
    assert ten_metre_grid("product", bands, masks) == expected
    assert ten_metre_grid("product", {"B11": bands["B11"]}, masks) == expected
    assert ten_metre_grid("product", {"B02": bands["B02"]}, {}) == expected


def test_a_grid_of_odd_size_has_10_m_files_alone(tmp_path: Path) -> None:
    bands = {"B02": write(tmp_path / "B2.tif", 10, (13, 12))}
    assert ten_metre_grid("product", bands, {}).shape == (13, 12)
    for shape in ((6, 6), (7, 6)):
        bands["B11"] = write(tmp_path / f"{shape[0]}.tif", 20, shape)
        with pytest.raises(ProductError, match=r"\.tif lies on .* the product's 10 m grid is"):
            ten_metre_grid("product", bands, {})


@pytest.mark.parametrize(
    ("band", "resolution"), [("B02", 20), ("B11", 10), ("B02", 10.5), ("B02", 60)]
)
def test_a_band_has_the_pixels_that_its_name_says(
    tmp_path: Path, band: str, resolution: float
) -> None:
    path = write(tmp_path / "x.tif", resolution)
    expected = 10 if band == "B02" else 20
    message = rf"x\.tif has pixels of {resolution:g} m x {resolution:g} m; band {band} has pixels"
    with pytest.raises(ProductError, match=rf"{message} of {expected} m\. .*download it again"):
        ten_metre_grid("product", {band: path}, {})


@pytest.mark.parametrize(
    "other",
    [
        {"left": LEFT + 10},
        {"left": LEFT - 20},
        {"top": TOP + 5},
        {"crs": "EPSG:32632"},
        {"shape": (5, 6)},
        {"shape": (6, 7)},
    ],
)
@pytest.mark.parametrize("kind", ["B11", "SCL"])
def test_a_20_m_file_elsewhere_is_refused_with_both_grids(
    tmp_path: Path, fine: dict[str, str], other: dict[str, object], kind: str
) -> None:
    path = write(tmp_path / "x.tif", 20, **{"shape": (6, 6)} | other)  # type: ignore[arg-type]
    bands = fine | ({"B11": path} if kind == "B11" else {})
    masks = {"SCL": path} if kind == "SCL" else {}
    message = r"x\.tif lies on Grid\(.*the product's 10 m grid is Grid\(.*height=12, width=12"
    with pytest.raises(ProductError, match=message):
        ten_metre_grid("product", bands, masks)


def test_a_20_m_mask_of_60_m_pixels_is_refused(tmp_path: Path, fine: dict[str, str]) -> None:
    mask = write(tmp_path / "x.tif", 60, (2, 2))
    with pytest.raises(ProductError, match=r"x\.tif lies on"):
        ten_metre_grid("product", fine, {"SCL": mask})


def test_two_10_m_bands_lie_on_one_grid(tmp_path: Path, fine: dict[str, str]) -> None:
    bands = fine | {"B03": write(tmp_path / "B3.tif", 10, left=LEFT + 10)}
    with pytest.raises(ProductError, match=r"B3\.tif lies on"):
        ten_metre_grid("product", bands, {})


def test_files_without_a_usable_georeference_are_refused(tmp_path: Path) -> None:
    nowhere = write(tmp_path / "nowhere.tif", 10, crs=None)
    with pytest.raises(ProductError, match=r"nowhere\.tif cannot be read \(.*no coordinate system"):
        read_product_grid(nowhere)
    turned = write(tmp_path / "turned.tif", 10, transform=rasterio.Affine(8, 6, LEFT, 6, -8, TOP))
    with pytest.raises(ProductError, match=r"turned\.tif cannot be read \(.*must be north-up"):
        read_product_grid(turned)
    upside_down = write(
        tmp_path / "south.tif", 10, transform=rasterio.Affine(10, 0, LEFT, 0, 10, TOP)
    )
    with pytest.raises(ProductError, match=r"south\.tif cannot be read \(.*must be north-up"):
        ten_metre_grid("product", {"B02": upside_down}, {})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_file_that_lies_nowhere_is_refused(tmp_path: Path, number: float) -> None:
    path = write(tmp_path / "x.tif", 10, left=number)
    with pytest.raises(ProductError, match=r"x\.tif cannot be read \(a grid must lie somewhere"):
        ten_metre_grid("product", {"B02": path}, {})


@pytest.mark.parametrize(
    ("left", "top"), [(1e300, TOP), (-10, TOP), (1e6, TOP), (LEFT, 1e300), (LEFT, -2e5)]
)
def test_a_file_that_lies_where_no_tile_is_is_refused(
    tmp_path: Path, left: float, top: float
) -> None:
    path = write(tmp_path / "x.tif", 10, left=left, top=top)
    with pytest.raises(ProductError, match=r"x\.tif lies at .* north; tiles lie within 0 to 1e"):
        ten_metre_grid("product", {"B02": path}, {})


def test_tiles_at_the_equator_and_at_the_edges_of_zones_fit(tmp_path: Path) -> None:
    for number, (left, top) in enumerate([(99960, 1e5), (99960, 1e7), (809760, 2e5)]):
        path = write(tmp_path / f"{number}.tif", 10, left=left, top=top)
        assert ten_metre_grid("product", {"B02": path}, {}).bounds[0] == left


@pytest.mark.parametrize(
    ("tile", "crs"),
    [("T31TCJ", "EPSG:32631"), ("T22HBD", "EPSG:32722"), ("T05QKB", "EPSG:32605")],
)
def test_a_product_lies_in_the_zone_of_its_tile(tile: str, crs: str) -> None:
    transform = (10.0, 0.0, LEFT, 0.0, -10.0, TOP)
    require_zone("product", tile, Grid(crs, transform, 12, 12))
    for other in ("EPSG:32632", 'LOCAL_CS["x",UNIT["metre",1]]'):
        message = rf"product is of tile {tile}, whose .* {crs}; its files lie in .*"
        with pytest.raises(ProductError, match=message):
            require_zone("product", tile, Grid(other, transform, 12, 12))


@pytest.mark.parametrize("content", [b"", b"II*\0", b"no image at all" * 99])
def test_files_that_are_no_images_are_named(
    tmp_path: Path, fine: dict[str, str], content: bytes
) -> None:
    (tmp_path / "x.tif").write_bytes(content)
    broken = str(tmp_path / "x.tif")
    for bands, masks in (({"B03": broken}, {}), ({}, {"CLM": broken})):
        with pytest.raises(ProductError, match=r"x\.tif cannot be read \(.*\); download"):
            ten_metre_grid("product", fine | bands, masks)
    with pytest.raises(ProductError, match=r"gone\.tif cannot be read"):
        read_product_grid(str(tmp_path / "gone.tif"))


def test_declared_nodata(tmp_path: Path) -> None:
    none, zero, also, other = (
        write(tmp_path / f"{name}.tif", 10, nodata=nodata)
        for name, nodata in (("none", None), ("zero", 0), ("also", 0), ("other", -10000))
    )
    assert declared_nodata([]) is None
    assert declared_nodata([none, none]) is None
    found = declared_nodata([none, zero, also])
    assert found == 0
    assert isinstance(found, int)
    assert declared_nodata([other]) == -10000
    message = r"declare different nodata: -10000 in .*other\.tif, 0 in .*zero\.tif"
    with pytest.raises(ProductError, match=message):
        declared_nodata([zero, none, also, other])


@pytest.mark.parametrize("nodata", [0.5, np.nan, np.inf])
def test_declared_nodata_is_a_whole_number(tmp_path: Path, nodata: float) -> None:
    path = write(tmp_path / "x.tif", 10, nodata=nodata, dtype="float32")
    with pytest.raises(ProductError, match=rf"x\.tif declares nodata {nodata}; expected a whole"):
        declared_nodata([path])


def test_files_that_declare_nan_agree_on_it(tmp_path: Path) -> None:
    """NaN is not equal to itself."""
    paths = [write(tmp_path / f"{n}.tif", 10, nodata=np.nan, dtype="float32") for n in range(2)]
    with pytest.raises(ProductError, match="declares nodata nan; expected a whole number"):
        declared_nodata(paths)
