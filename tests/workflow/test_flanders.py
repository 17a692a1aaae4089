"""The whole chain on real images of Flanders: ten bands, 33 dates of 72, crops and grass."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import yaml
import zarr

pytestmark = pytest.mark.end_to_end

TILE = "T31UES"
METHODS = ("fgunet", "forest")
SUMMER, WINTER, GRASS = 11, 12, 211
TEN_METRES = ("B02", "B03", "B04", "B08")
CLEAR_DAY = "20190322"
"""A regular date on which an image was taken, and the whole of it is clear."""
PIXEL = 20, 34
"""Row and column, from 0, of a pixel in a field of wheat."""


@pytest.fixture(scope="module")
def site(shared_data: Path) -> Path:
    folder = shared_data / "stac_flanders_T31UES"
    if not folder.is_dir():
        pytest.skip(f"the images of Flanders are not there: no folder {folder}")
    return folder


@pytest.fixture(scope="module")
def results(
    site: Path, snakemake: Any, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What a finished run leaves."""
    folder = tmp_path_factory.mktemp("flanders")
    config = yaml.safe_load((root / "tests/workflow/flanders.yaml").read_text(encoding="utf-8"))
    source = config["reference"]["sources"][0]
    config["nomenclature"] = str(root / config["nomenclature"])
    config["products"]["folder"] = str(site)
    source["path"] = str(site / "parcels.gpkg")
    source["translation"] = str(root / source["translation"])
    done = snakemake(folder, "--cores", "2", config=config)
    assert done.returncode == 0, done.stderr[-6000:]
    return folder / "results"


@pytest.fixture(scope="module")
def listing(results: Path) -> dict[str, Any]:
    return json.loads((results / "acquisitions" / f"{TILE}.json").read_text())


@pytest.fixture(scope="module")
def series(results: Path) -> zarr.Group:
    return zarr.open_group(results / "series" / f"{TILE}.zarr", mode="r")


@pytest.fixture(scope="module")
def audit(results: Path) -> dict[str, Any]:
    return json.loads((results / "reference" / "audit.json").read_text())


def stored(site: Path, date: str, asset: str) -> np.ndarray:
    with rasterio.open(site / f"S2_MSIL2A_{date}_{TILE}" / f"{asset}.tif") as dataset:
        return dataset.read(1)


def plane(series: zarr.Group, date: str, band: str) -> np.ndarray:
    """A band on a regular date, (y, x)."""
    dates, bands = list(series.attrs["dates"]), list(series.attrs["bands"])
    return np.asarray(series["series"][dates.index(date), bands.index(band)])


def test_of_72_images_46_are_used(listing: dict[str, Any], site: Path) -> None:
    reasons = Counter(row["reason"] for row in listing["excluded"])
    assert len(listing["kept"]) == 46
    assert reasons == {"too cloudy": 24, "outside of the period": 2}
    outside = {row["date"] for row in listing["excluded"] if row["reason"] != "too cloudy"}
    assert outside == {"20191122", "20191127"}
    cloudy = {row["date"] for row in listing["excluded"]} - outside
    dates = {path.name[10:18] for path in site.glob("S2_*")} - outside
    shadow_and_clouds = {
        date: np.isin(stored(site, date, "SCL"), (3, 8, 9, 10)).mean() for date in dates
    }
    assert cloudy == {date for date, share in shadow_and_clouds.items() if share > 0.9}


def test_the_series_has_33_dates_of_ten_bands(series: zarr.Group) -> None:
    assert series["series"].shape == (33, 10, 64, 64)
    assert series["series"].dtype == np.uint16
    assert series.attrs["dates"][0] == "20180810"
    assert series.attrs["dates"][-1] == "20191101"
    assert series.attrs["bands"] == [
        "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12",
    ]  # fmt: skip


def test_on_a_clear_day_the_series_is_the_image(series: zarr.Group, site: Path) -> None:
    assert np.isin(stored(site, CLEAR_DAY, "SCL"), (4, 5, 6, 7)).all()
    for band in TEN_METRES:
        np.testing.assert_array_equal(
            plane(series, CLEAR_DAY, band), stored(site, CLEAR_DAY, band), err_msg=band
        )
    assert [plane(series, CLEAR_DAY, band)[PIXEL] for band in TEN_METRES] == [389, 661, 448, 2938]


@pytest.mark.parametrize(
    ("band", "coarse", "fine"),
    [
        # (9 own + 3 above + 3 left + corner) / 16 = 1008.8125, 3004.25 and 1660.0625.
        ("B05", [[910, 1033], [927, 1039]], 1009),
        ("B8A", [[3167, 2987], [3073, 2969]], 3004),
        ("B11", [[1580, 1686], [1586, 1685]], 1660),
    ],
)
def test_a_20_m_band_is_bilinear(
    series: zarr.Group, site: Path, band: str, coarse: list[list[int]], fine: int
) -> None:
    # Row 20 and column 34 lie in the upper left quarter of the coarse pixel (10, 17).
    assert stored(site, CLEAR_DAY, band)[9:11, 16:18].tolist() == coarse
    assert plane(series, CLEAR_DAY, band)[PIXEL] == fine


def test_a_gap_is_filled_in_a_straight_line(series: zarr.Group, site: Path) -> None:
    # Clear on 4 August and 18 September, 45 days apart, and on none of the four between.
    days = ("20180804", "20180819", "20180824", "20180908", "20180913", "20180918")
    classes = [int(stored(site, day, "SCL")[10, 17]) for day in days]
    assert classes == [4, 8, 9, 8, 8, 4]
    assert stored(site, days[0], "B04")[PIXEL] == 406
    assert stored(site, days[-1], "B04")[PIXEL] == 597
    # 406 + 191 * 20 / 45 = 490.9
    assert plane(series, "20180824", "B04")[PIXEL] == 491


def test_long_gaps_are_counted(series: zarr.Group) -> None:
    assert series["clear_count"][:].min() == 29
    assert series["longest_gap"][:].max() == 60
    # Most of all in the summer of 2018: seen 0.078 of the values.
    assert 0.05 < series["bridged_count"][:].mean() / 33 < 0.1


def test_crops_of_one_parcel_are_merged(audit: dict[str, Any]) -> None:
    source = audit["fusion"]["sources"][0]
    assert source["features_read"] == 40
    assert source["polygons_dropped"]["smaller than the minimum area"]["polygons"] == 21
    kept = {int(code): row["polygons"] for code, row in source["polygons_kept"].items()}
    # Maize 3, potatoes 1, beet 1; wheat 4, winter barley 1.
    assert kept == {SUMMER: 5, WINTER: 5, 13: 1, 99: 2, GRASS: 6}


def test_scarce_classes_are_left_out(audit: dict[str, Any]) -> None:
    assert audit["left_out"] == [
        {"code": 13, "name": "spring cereals", "polygons": 1},
        {"code": 99, "name": "other land", "polygons": 2},
    ]


def test_each_class_has_parcels_to_learn_from_and_to_be_judged_by(
    results: Path, audit: dict[str, Any]
) -> None:
    polygons = gpd.read_file(results / "reference" / "polygons.gpkg")
    counts = polygons.groupby(["code", "split"]).size()
    # A tenth of so few is one parcel of meadow: not enough to choose a model by, so the crops
    # give one too.
    assert counts.to_dict() == {
        (SUMMER, "training"): 1, (SUMMER, "validation"): 1, (SUMMER, "test"): 3,
        (WINTER, "training"): 2, (WINTER, "validation"): 1, (WINTER, "test"): 2,
        (GRASS, "training"): 3, (GRASS, "validation"): 1, (GRASS, "test"): 2,
    }  # fmt: skip
    assert {row["to"] for row in audit["split"]["rescued"]} == {"validation"}


@pytest.mark.parametrize("method", METHODS)
def test_maps_lie_on_the_images_and_hold_the_mapped_classes(
    results: Path, site: Path, method: str
) -> None:
    with rasterio.open(site / f"S2_MSIL2A_{CLEAR_DAY}_{TILE}" / "B02.tif") as image:
        grid = image.crs, image.transform, image.shape
    for name in (f"{TILE}_class", "mosaic_class"):
        with rasterio.open(results / "maps" / method / f"{name}.tif") as dataset:
            assert (dataset.crs, dataset.transform, dataset.shape) == grid
            assert set(np.unique(dataset.read(1))) == {SUMMER, WINTER, GRASS}
    with rasterio.open(results / "maps" / method / f"{TILE}_confidence.tif") as dataset:
        assert (dataset.crs, dataset.transform, dataset.shape) == grid
        confidence = dataset.read(1)
    # Of three classes the winner has a third at least.
    assert confidence.min() >= 33
    assert confidence.max() <= 100


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_far_better_than_chance(results: Path, method: str) -> None:
    summary = pd.read_csv(results / "accuracy" / "summary.csv")
    pooled = summary[summary["tile"] == "pooled"].set_index("method").loc[method]
    # Seen: 0.76 and 0.58.
    assert pooled["kappa"] > 0.5
    assert pooled["polygons"] == 7
    with rasterio.open(results / "reference" / f"{TILE}_split.tif") as dataset:
        assert pooled["pixels"] + pooled["unmapped"] == np.count_nonzero(dataset.read(1) == 3)


def test_the_report_says_what_was_left_out(results: Path) -> None:
    page = (results / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert page.rstrip().endswith("</html>")
    assert "Flanders, crops and grass, 2018 and 2019" in text
    assert re.search(r"T31UES 72 46 2 24 ", text), "found, used, outside of the period, cloudy"
    assert "21 smaller than the minimum area" in text
    assert "too few polygons to be split: spring cereals (1), other land (2)." in text
    assert "FG-UNET never saw a training pixel of: spring cereals, other land" in text
