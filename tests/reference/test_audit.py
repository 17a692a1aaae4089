"""The audit of a run of two tiles, from its files."""

import importlib.util
import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from fgunet.errors import GridError, SplitError
from fgunet.files import write_json
from fgunet.grid import Grid
from fgunet.vectors import write_layer

TILES = {
    "T31TCJ": Grid("EPSG:32631", (10.0, 0.0, 400_000.0, 0.0, -10.0, 4_810_000.0), 100, 120),
    "T31TDJ": Grid("EPSG:32631", (10.0, 0.0, 400_800.0, 0.0, -10.0, 4_810_200.0), 100, 120),
}
CLASSES = """
name: three
classes:
  - {code: 11, name: crops, colour: [1, 2, 3]}
  - {code: 31, name: forest, colour: [2, 3, 4]}
  - {code: 53, name: glaciers, colour: [4, 5, 6]}
"""


@pytest.fixture(scope="module")
def scripts(root):
    def load(name):
        spec = importlib.util.spec_from_file_location(name, root / "scripts" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main

    return {name: load(name) for name in ("rasterise_reference", "audit_tile", "audit_reference")}


@pytest.fixture
def frame():
    """Fields of 60 m, 100 m apart, over both tiles."""
    x, y = np.meshgrid(np.arange(400_020, 401_980, 100), np.arange(4_809_020, 4_810_180, 100))
    boxes = shapely.box(x, y, x + 60, y + 60).ravel()
    n = len(boxes)
    names = [
        ",".join(tile for tile, grid in TILES.items() if box.intersects(grid.footprint()))
        for box in boxes
    ]
    rng = np.random.default_rng(2)
    frame = gpd.GeoDataFrame(
        {
            "polygon_id": np.arange(1, n + 1),
            "feature": np.arange(n),
            "code": rng.choice([11, 31], n),
            "source": rng.choice(["rpg", "clc"], n),
            "area_ha": 0.36,
            "split": rng.choice(["training", "validation", "test"], n, p=[0.6, 0.06, 0.34]),
            "tiles": names,
        },
        geometry=boxes,
        crs="EPSG:32631",
    )
    return frame[frame["tiles"] != ""].to_crs("EPSG:2154")


@pytest.fixture
def run(scripts, tmp_path, frame):
    """Rasterise and audit both tiles; then `audit` puts it together."""
    (tmp_path / "classes.yaml").write_text(CLASSES)
    steps = [{"step": "in_tiles", "classes": {"11": {"polygons": 90, "hectares": 33.0},
                                              "53": {"polygons": 2, "hectares": 0.5}}}]  # fmt: skip
    write_json(tmp_path / "fusion.json", {"sources": [{"name": "rpg", "steps": steps}]})
    write_json(tmp_path / "split.json", {"options": {"min_distance": 30.0}, "merged": []})
    write_layer(tmp_path / "polygons.gpkg", frame, layer="polygons")
    for tile, grid in TILES.items():
        write_json(tmp_path / f"{tile}.json", {"tile": tile, "grid": grid.to_dict()})
        scripts["rasterise_reference"](
            tile=tile,
            path_to_polygons=str(tmp_path / "polygons.gpkg"),
            path_to_grid=str(tmp_path / f"{tile}.json"),
            **rasters(tmp_path, tile),
        )
    return tmp_path


def rasters(folder, tile):
    kinds = ("code", "polygon", "split")
    return {f"path_to_{kind}": str(folder / f"{tile}_{kind}.tif") for kind in kinds}


def audit(scripts, folder, patch_size=16, jitter=4):
    for tile in TILES:
        scripts["audit_tile"](
            tile=tile,
            patch_size=patch_size,
            jitter=jitter,
            path_to_polygons=str(folder / "polygons.gpkg"),
            **rasters(folder, tile),
            path_to_audit=str(folder / f"{tile}_audit.json"),
        )
    scripts["audit_reference"](
        path_to_fusion=str(folder / "fusion.json"),
        path_to_split=str(folder / "split.json"),
        path_to_polygons=str(folder / "polygons.gpkg"),
        path_to_nomenclature=str(folder / "classes.yaml"),
        paths_to_tiles=[str(folder / f"{tile}_audit.json") for tile in TILES],
        paths_to_splits={tile: str(folder / f"{tile}_split.tif") for tile in TILES},
        path_to_audit=str(folder / "audit.json"),
    )
    return json.loads((folder / "audit.json").read_text())


def test_a_sound_reference(scripts, run, frame):
    found = audit(scripts, run)
    assert not any(found["leakage"].values())
    assert found["shared_pixels_compared"] == 80 * 40
    per_split = frame["split"].value_counts().to_dict()
    splits = found["counts"]["splits"]
    assert {name: splits[name]["polygons"] for name in per_split} == per_split
    # Fields are 60 m wide on the 10 m grid, and those of both tiles count in both.
    in_tiles = frame["tiles"].str.split(",").explode()
    assert sum(sum(tile.values()) for tile in found["pixels"]["tiles"].values()) == pytest.approx(
        36 * len(in_tiles), rel=0.05
    )
    assert found["left_out"] == [{"code": 53, "name": "glaciers", "polygons": 2}]
    assert found["steps"][0] == {
        "source": "rpg", "step": "in_tiles", "code": 11, "polygons": 90, "hectares": 33.0,
    }  # fmt: skip
    assert found["distances"]["percentiles"]["0"] == pytest.approx(40, abs=0.1)
    assert found["reach"]["patch_size"] == 16
    assert found["reach"]["pixels"] == found["pixels"]["splits"]["test"]
    assert 0.3 < found["reach"]["share"] <= 1
    assert set(found["without_pixels"]) == set(TILES)


def test_wider_patches_reach_more(scripts, run):
    narrow = audit(scripts, run, patch_size=4, jitter=0)["reach"]
    wide = audit(scripts, run, patch_size=40, jitter=10)["reach"]
    assert narrow["share"] < wide["share"] == 1
    for reach in (narrow, wide):
        for part in ("classes", "tiles"):
            rows = reach[part].values()
            assert sum(row["in_reach"] for row in rows) == reach["in_reach"]


def changed(path, value):
    """Give labelled pixels of the first rows another value."""
    with rasterio.open(path, "r+") as dataset:
        values = dataset.read(1)
        values[:12][values[:12] > 0] = value
        dataset.write(values, 1)


@pytest.mark.parametrize(
    ("kind", "value", "check"),
    [
        ("split", 3, "pixels_of_another_side"),
        ("code", 53, "pixels_of_another_code"),
        ("polygon", 4_000_000_000, "pixels_of_unknown_polygons"),
    ],
)
def test_a_changed_raster_stops_the_run(scripts, run, kind, value, check):
    changed(run / f"T31TCJ_{kind}.tif", value)
    with pytest.raises(SplitError, match=rf"{check} = \d+"):
        audit(scripts, run)
    assert not (run / "audit.json").exists()


def test_tiles_of_two_splits_stop_the_run(scripts, run, frame):
    """The second tile was rasterised from another split of the same polygons."""
    sides = {"training": "test", "test": "training", "validation": "validation"}
    swapped = frame.assign(split=frame["split"].map(sides))
    write_layer(run / "polygons.gpkg", swapped, layer="polygons")
    scripts["rasterise_reference"](
        tile="T31TDJ",
        path_to_polygons=str(run / "polygons.gpkg"),
        path_to_grid=str(run / "T31TDJ.json"),
        **rasters(run, "T31TDJ"),
    )
    write_layer(run / "polygons.gpkg", frame, layer="polygons")
    with pytest.raises(SplitError, match=r"pixels_on_two_sides = [1-9]"):
        audit(scripts, run)


def test_polygons_closer_than_the_configuration_allows_stop_the_run(scripts, run):
    write_json(run / "split.json", {"options": {"min_distance": 60.0}})
    with pytest.raises(SplitError, match=r"closer_than_min_distance = \d+"):
        audit(scripts, run)


def test_rasters_of_two_grids_are_refused(scripts, run):
    (run / "T31TCJ_split.tif").write_bytes((run / "T31TDJ_split.tif").read_bytes())
    with pytest.raises(GridError, match="must share one grid"):
        audit(scripts, run)


def test_same_inputs_same_bytes(scripts, run):
    audit(scripts, run)
    before = (run / "audit.json").read_bytes()
    audit(scripts, run)
    assert (run / "audit.json").read_bytes() == before
