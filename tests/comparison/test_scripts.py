"""The scripts that choose the polygons, on two small tiles, against counting by hand."""

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from fgunet.comparison.tables import read_table, write_table
from fgunet.errors import GridError
from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.training.sources import training_patches
from fgunet.vectors import write_layer

TILES = ("T31TCJ", "T31TDJ")
SIZE, JITTER = 12, 4


@pytest.fixture
def count(script, two_tiles):
    folder, _ = two_tiles

    def run(tile, *, avoid):
        script("learnable_labels")(
            path_to_series=folder / f"{tile}.zarr",
            path_to_code=folder / f"{tile}_code.tif",
            path_to_polygon=folder / f"{tile}_polygon.tif",
            path_to_split=folder / f"{tile}_split.tif",
            patch_size=SIZE,
            jitter=JITTER,
            avoid_test_context=avoid,
            path_to_labels=folder / f"{tile}.parquet",
        )
        return read_table(folder / f"{tile}.parquet", ["polygon_id", "code", "pixels", "usable"])

    return run


def drawable_by_hand(test):
    """Pixels with a shift whose patch, pushed inside the tile, shows no test pixel."""
    tops, lefts = (range(length - SIZE + 1) for length in test.shape)
    clear = np.array(
        [[not test[t : t + SIZE, left : left + SIZE].any() for left in lefts] for t in tops]
    )
    shifts = np.arange(-JITTER, JITTER + 1) - SIZE // 2
    found = np.zeros(test.shape, bool)
    for row, col in np.ndindex(test.shape):
        starts = (np.clip(row + shifts, 0, tops[-1]), np.clip(col + shifts, 0, lefts[-1]))
        found[row, col] = clear[np.ix_(*starts)].any()
    return found


@pytest.mark.parametrize("avoid", [False, True])
def test_usable_pixels_are_counted_by_polygon(two_tiles, count, avoid):
    _, rasters = two_tiles
    for tile, raster in zip(TILES, rasters, strict=True):
        usable = np.ones(raster["split"].shape, bool)
        usable[:6, :6] = usable[8:14, :5] = False
        if avoid:
            usable &= drawable_by_hand(raster["split"] == 3)
        training = raster["split"] == 1
        pixels = Counter(raster["polygon"][training].tolist())
        good = Counter(raster["polygon"][training & usable].tolist())
        found = count(tile, avoid=avoid)
        assert dict(zip(found["polygon_id"], found["pixels"], strict=True)) == pixels
        assert found["usable"].tolist() == [good[number] for number in found["polygon_id"]]
        assert (found["usable"] == 0).sum() == (2 if avoid else 1)


def test_what_is_drawable_is_what_the_network_draws(two_tiles, count, make_plan):
    plan = make_plan(avoid_test_context=True)
    _, placement = training_patches(
        plan.tiles, plan.codes, size=SIZE, jitter=JITTER, avoid_test_context=True
    )
    _, rasters = two_tiles
    without_data = sum(
        int(drawable_by_hand(r["split"] == 3)[place][r["split"][place] == 1].sum())
        for r in rasters
        for place in (np.s_[:6, :6], np.s_[8:14, :5])
    )
    usable = sum(count(tile, avoid=True)["usable"].sum() for tile in TILES)
    assert placement.counts.sum() == usable + without_data


@pytest.fixture
def layer(two_tiles):
    """A layer of the polygons of both tiles, and one more without pixels."""
    folder, rasters = two_tiles
    rows = {999: (31, 1)}
    for raster in rasters:
        places = raster["polygon"] > 0
        found = zip(
            *(raster[k][places].tolist() for k in ("polygon", "code", "split")), strict=True
        )
        rows |= {number: (code, split) for number, code, split in found}
    names = {1: "training", 2: "validation", 3: "test"}
    frame = gpd.GeoDataFrame(
        {
            "polygon_id": list(rows),
            "feature": list(rows),
            "code": [code for code, _ in rows.values()],
            "split": [names[split] for _, split in rows.values()],
        },
        geometry=[shapely.box(n, 0, n + 1, 1) for n in rows],
        crs="EPSG:32631",
    )
    write_layer(folder / "polygons.gpkg", frame, layer="polygons")
    return frame


@pytest.fixture
def pool(script, two_tiles, count, layer):
    folder, _ = two_tiles
    for tile in TILES:
        count(tile, avoid=False)
    script("learnable_polygons")(
        path_to_layer=folder / "polygons.gpkg",
        paths_to_labels=[folder / f"{tile}.parquet" for tile in TILES],
        equal_labels=True,
        seed=3,
        path_to_polygons=folder / "pool.parquet",
    )
    return pd.read_parquet(folder / "pool.parquet")


def test_the_pool_is_of_training_polygons_with_usable_pixels(layer, pool):
    training = layer.loc[layer["split"] == "training", "polygon_id"]
    assert pool["polygon_id"].tolist() == sorted(training)
    # The first polygon of either tile has no data, and 999 no pixel.
    assert pool.loc[pool["enters"].isna(), "polygon_id"].tolist() == [1, 101, 999]
    assert pool.set_index("polygon_id").loc[[1, 999], "pixels"].tolist() == [36, 0]


@pytest.mark.parametrize("budget", [1.0, 0.4])
def test_the_learning_split_lacks_what_is_outside_of_the_budget(script, two_tiles, pool, budget):
    folder, rasters = two_tiles
    held = set(pool.loc[pool["enters"] <= budget, "polygon_id"])
    for tile, raster in zip(TILES, rasters, strict=True):
        script("learning_split")(
            budget=budget,
            path_to_polygons=folder / "pool.parquet",
            path_to_polygon=folder / f"{tile}_polygon.tif",
            path_to_split=folder / f"{tile}_split.tif",
            path_to_learning_split=folder / f"{tile}_learned.tif",
        )
        known = np.isin(raster["polygon"], list(held))
        expected = np.where((raster["split"] == 1) & ~known, 0, raster["split"])
        with (
            rasterio.open(folder / f"{tile}_learned.tif") as learned,
            rasterio.open(folder / f"{tile}_split.tif") as split,
        ):
            np.testing.assert_array_equal(learned.read(1), expected)
            assert learned.profile == split.profile
        assert (expected == 1).any()


def test_rasters_of_two_grids_are_refused(script, two_tiles, pool):
    folder, rasters = two_tiles
    grid = Grid("EPSG:32631", (10.0, 0.0, 50.0, 0.0, -10.0, 0.0), 40, 48)
    write_raster(folder / "moved.tif", rasters[0]["polygon"], grid, 0)
    with pytest.raises(GridError, match=r"moved.tif lies on another grid"):
        script("learning_split")(
            budget=1.0,
            path_to_polygons=folder / "pool.parquet",
            path_to_polygon=folder / "moved.tif",
            path_to_split=folder / f"{TILES[0]}_split.tif",
            path_to_learning_split=folder / "learned.tif",
        )
    assert not (folder / "learned.tif").exists()


def test_labels_are_told_from_the_files(script, two_tiles, pool, root):
    folder, _ = two_tiles
    own = pool[pool["enters"].notna()].assign(shown=lambda t: 2 * t["pixels"])
    for method in ("fgunet", "forest"):
        write_table(folder / f"{method}.parquet", own)
    script("labels")(
        path_to_polygons=folder / "pool.parquet",
        paths_to_seen={m: folder / f"{m}.parquet" for m in ("fgunet", "forest")},
        nomenclature=root / "tables" / "oso17.yaml",
        path_to_table=folder / "labels.csv",
    )
    table = pd.read_csv(folder / "labels.csv")
    total = table[table["code"].isna()].iloc[0]
    assert total["polygons_available"] == len(pool)
    assert total["polygons_seen"] == total["polygons_in_pool"] == len(own)
    assert total["pixels_shown"] == 2 * total["pixels_seen"] == 2 * total["pixels_in_pool"]
