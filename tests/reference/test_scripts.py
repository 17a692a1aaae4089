"""The rules in turn, on two tiles that overlap, on real polygons and on the simulated world."""

import importlib.util
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import yaml

from fgunet.errors import ConfigError, ReferenceDataError, SplitError
from fgunet.files import write_json
from fgunet.grid import Grid

TILES = {
    "T31TCJ": Grid("EPSG:32631", (10.0, 0.0, 400_000.0, 0.0, -10.0, 4_810_000.0), 400, 400),
    "T31TDJ": Grid("EPSG:32631", (10.0, 0.0, 403_000.0, 0.0, -10.0, 4_810_000.0), 400, 400),
}

KINDS = ("code", "polygon", "split")


@pytest.fixture(scope="module")
def scripts(root):
    def load(name):
        spec = importlib.util.spec_from_file_location(name, root / "scripts" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main

    names = (
        "fuse_reference split_reference rasterise_reference audit_tile audit_reference "
        "simulate_world simulate_databases"
    )
    return {name: load(name) for name in names.split()}


@pytest.fixture
def folder(tmp_path):
    """Two tiles, and two sources that contradict each other: fields in UTM, forest in LAEA."""
    for tile, grid in TILES.items():
        write_json(tmp_path / f"{tile}.json", {"tile": tile, "grid": grid.to_dict()})
    rng = np.random.default_rng(7)
    x, y = np.meshgrid(np.arange(400_050, 406_900, 300), np.arange(4_806_100, 4_809_900, 250))
    fields = [shapely.box(a, b, a + 200, b + 150) for a, b in zip(x.flat, y.flat, strict=True)]
    kinds = rng.choice(["MIS", "BTH", "PPH", "JNO"], len(fields))
    frame = gpd.GeoDataFrame({"CODE_CULTU": kinds}, geometry=fields, crs="EPSG:32631")
    frame.to_file(tmp_path / "rpg.gpkg", layer="PARCELLES_GRAPHIQUES")
    points = rng.uniform((400_000, 4_806_000), (407_000, 4_810_000), (60, 2))
    woods = gpd.GeoDataFrame(
        {"Code_18": rng.choice(["311", "312", "313"], 60)},
        geometry=shapely.buffer(shapely.points(points), 180),
        crs="EPSG:32631",
    )
    woods.to_crs("EPSG:3035").to_file(tmp_path / "clc.gpkg")
    (tmp_path / "classes.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "five",
                "classes": [
                    {"code": c, "name": n, "colour": [c, 0, 0]}
                    for c, n in [
                        (11, "summer"),
                        (12, "winter"),
                        (31, "broad"),
                        (32, "conifer"),
                        (211, "grass"),
                    ]
                ],
            }
        )
    )
    header = "source_code,code,meaning\n"
    (tmp_path / "rpg.csv").write_text(header + "MIS,11,\nBTH,12,\nPPH,211,\nJNO,,fallow\n")
    (tmp_path / "clc.csv").write_text(header + "311,31,\n312,32,\n313,,mixed\n")
    return tmp_path


def fuse(scripts, folder, tiles=tuple(TILES), **changes):
    scripts["fuse_reference"](
        **{
            "sources": [
                {
                    "name": "rpg",
                    "path": str(folder / "rpg.gpkg"),
                    "layer": "PARCELLES_GRAPHIQUES",
                    "field": "CODE_CULTU",
                    "translation": str(folder / "rpg.csv"),
                    "where": None,
                    "erosion_m": 5.0,
                    "precedence": 1,
                },
                {
                    "name": "clc",
                    "path": str(folder / "clc.gpkg"),
                    "field": "Code_18",
                    "translation": str(folder / "clc.csv"),
                    "precedence": 2,
                },
            ],
            "crs": "EPSG:2154",
            "minimum_area_m2": 1000.0,
            "minimum_share": 0.5,
            "square_m": 5000.0,
            "leave_out_scarce": False,
            "merge": {},
            "threads": 2,
            "path_to_nomenclature": str(folder / "classes.yaml"),
            "paths_to_grids": [str(folder / f"{tile}.json") for tile in tiles],
            "path_to_fused": str(folder / "fused.gpkg"),
            "path_to_fusion": str(folder / "fusion.json"),
        }
        | changes
    )
    return gpd.read_file(folder / "fused.gpkg")


def split(scripts, folder, tiles=tuple(TILES), **changes):
    scripts["split_reference"](
        **{
            "mode": "polygons",
            "test_share": 0.34,
            "validation_share": 0.1,
            "min_distance": 0.0,
            "square_m": 5000.0,
            "balance_tolerance": 0.05,
            "minimum_polygons": 3,
            "merge": {},
            "leave_out_scarce": False,
            "seed": 5,
            "paths_to_grids": [str(folder / f"{tile}.json") for tile in tiles],
            "path_to_fused": str(folder / "fused.gpkg"),
            "path_to_nomenclature": str(folder / "classes.yaml"),
            "path_to_polygons": str(folder / "polygons.gpkg"),
            "path_to_split": str(folder / "split.json"),
        }
        | changes
    )
    return gpd.read_file(folder / "polygons.gpkg")


def rasterise(scripts, folder, tile):
    paths = {f"path_to_{k}": str(folder / f"{tile}_{k}.tif") for k in KINDS}
    scripts["rasterise_reference"](
        tile=tile,
        path_to_polygons=str(folder / "polygons.gpkg"),
        path_to_grid=str(folder / f"{tile}.json"),
        **paths,
    )
    return [rasterio.open(path) for path in paths.values()]


def audit(scripts, folder, tiles=tuple(TILES)):
    for tile in tiles:
        scripts["audit_tile"](
            tile=tile,
            patch_size=64,
            jitter=21,
            path_to_polygons=str(folder / "polygons.gpkg"),
            **{f"path_to_{k}": str(folder / f"{tile}_{k}.tif") for k in KINDS},
            path_to_audit=str(folder / f"{tile}_audit.json"),
        )
    scripts["audit_reference"](
        path_to_nomenclature=str(folder / "classes.yaml"),
        path_to_fusion=str(folder / "fusion.json"),
        path_to_split=str(folder / "split.json"),
        path_to_polygons=str(folder / "polygons.gpkg"),
        paths_to_tiles=[str(folder / f"{tile}_audit.json") for tile in tiles],
        paths_to_splits={tile: str(folder / f"{tile}_split.tif") for tile in tiles},
        path_to_audit=str(folder / "audit.json"),
    )
    return json.loads((folder / "audit.json").read_text())


def test_the_rules_in_turn(scripts, folder):
    fused = fuse(scripts, folder)
    polygons = split(scripts, folder)
    assert [*polygons.columns] == [
        "polygon_id",
        "feature",
        "code",
        "source",
        "area_ha",
        "split",
        "tiles",
        "geometry",
    ]
    assert polygons.crs == "EPSG:2154"
    assert polygons["polygon_id"].is_monotonic_increasing
    assert polygons["polygon_id"].between(1, 2**32 - 1).all()
    assert set(polygons["tiles"]) == {"T31TCJ", "T31TDJ", "T31TCJ,T31TDJ"}
    whole = fused.set_index("polygon_id").loc[polygons["polygon_id"]]
    assert (whole["code"].to_numpy() == polygons["code"]).all()
    assert polygons["area_ha"].to_numpy() == pytest.approx(whole.area.to_numpy() / 1e4)

    both = {tile: rasterise(scripts, folder, tile) for tile in TILES}
    known = polygons.set_index("polygon_id")
    for tile, (code, number, part) in both.items():
        assert [d.dtypes[0] for d in (code, number, part)] == ["uint8", "uint32", "uint8"]
        assert tuple(code.transform)[:6] == TILES[tile].transform
        burnt = number.read(1)
        rows = known.loc[burnt[burnt > 0]]
        assert (code.read(1)[burnt > 0] == rows["code"].to_numpy()).all()
        names = np.array(["", "training", "validation", "test"])
        assert (names[part.read(1)[burnt > 0]] == rows["split"].to_numpy()).all()
        assert not code.read(1)[burnt == 0].any()
    # The second tile begins 300 columns further east: where they overlap, they agree.
    for west, east in zip(*both.values(), strict=True):
        np.testing.assert_array_equal(west.read(1)[:, 300:], east.read(1)[:, :100])

    found = audit(scripts, folder)
    assert found["leakage"]["overlaps_between_splits"] == 0
    assert found["counts"]["polygons_in_several_tiles"] > 0
    assert any(row["contradiction"] for row in found["fusion"]["overlaps"])
    by_split = [found["counts"]["splits"][name]["polygons"] for name in polygons["split"].unique()]
    assert sum(by_split) == len(polygons)
    assert found["split"]["shares"]["all"]["test_share"] == pytest.approx(0.34, abs=0.03)


@pytest.mark.parametrize("mode", ["polygons", "blocks"])
def test_sides_keep_their_distance_through_all_rules(scripts, folder, mode):
    fuse(scripts, folder, square_m=1000.0)
    polygons = split(
        scripts, folder, mode=mode, square_m=1000.0, min_distance=40.0, leave_out_scarce=True
    )
    for tile in TILES:
        rasterise(scripts, folder, tile)
    found = audit(scripts, folder)
    assert found["leakage"]["closer_than_min_distance"] == 0
    test = polygons[polygons["split"] == "test"].union_all()
    training = polygons[polygons["split"] == "training"].union_all()
    assert test.distance(training) >= 40.0
    assert found["distances"]["percentiles"]["0"] == pytest.approx(test.distance(training), abs=0.1)
    assert ("given_up" in found["split"]) == (mode == "blocks")


def test_a_polygon_on_two_sides_stops_the_run(scripts, folder):
    fuse(scripts, folder)
    split(scripts, folder)
    for tile in TILES:
        rasterise(scripts, folder, tile)
    with rasterio.open(folder / "T31TDJ_split.tif", "r+") as dataset:
        values = dataset.read(1)
        row, col = np.argwhere(values == 3)[0]
        values[row, col] = 1
        dataset.write(values, 1)
    with pytest.raises(SplitError, match="pixels_of_another_side"):
        audit(scripts, folder)
    assert not (folder / "audit.json").exists()


def test_same_inputs_same_bytes(scripts, folder):
    names = ["fused.gpkg", "fusion.json", "polygons.gpkg", "split.json", "T31TCJ_polygon.tif"]
    names.append("audit.json")

    def run():
        fuse(scripts, folder)
        split(scripts, folder)
        for tile in TILES:
            rasterise(scripts, folder, tile)
        audit(scripts, folder)
        return [(folder / name).read_bytes() for name in names]

    assert run() == run()


def test_one_tile_alone_gives_the_same_numbers_and_sides(scripts, folder):
    fuse(scripts, folder)
    both = split(scripts, folder).set_index("polygon_id")
    fuse(scripts, folder, tiles=["T31TDJ"])
    one = split(scripts, folder, ["T31TDJ"]).set_index("polygon_id")
    assert set(one.index) == set(both.index[both["tiles"].str.contains("T31TDJ")])
    for column in ("feature", "code", "source", "split"):
        assert (one[column] == both.loc[one.index, column]).all()


def test_errors_of_the_rules(scripts, folder):
    with pytest.raises(ConfigError, match=r"EPSG:4326.*degree"):
        fuse(scripts, folder, crs="EPSG:4326")
    with pytest.raises(ReferenceDataError, match="no source has a polygon in the tiles T31TCJ"):
        fuse(scripts, folder, minimum_area_m2=1e9)
    (folder / "rpg.csv").write_text("source_code,code,meaning\nMIS,99,\n")
    with pytest.raises(ReferenceDataError, match=r"rpg\.csv leads to \[99\]"):
        fuse(scripts, folder)


def test_a_class_that_no_source_feeds(scripts, folder):
    (folder / "clc.csv").write_text("source_code,code,meaning\n311,31,\n312,31,\n313,,mixed\n")
    with pytest.raises(ReferenceDataError, match=r"conifer"):
        fuse(scripts, folder)
    fuse(scripts, folder, leave_out_scarce=True)
    fuse(scripts, folder, merge={"32": 31})


def test_adding_tiles_moves_no_polygon_of_the_simulated_world(scripts, tmp_path, root):
    """Three, then seven of the eleven tiles, in three UTM zones, two of them overlapping."""
    config = yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))
    simulation = config["simulation"] | {"tile_size": 160}
    scripts["simulate_world"](
        tiles=simulation["tiles"],
        tile_size=simulation["tile_size"],
        seed=simulation["seed"],
        path_to_world=str(tmp_path / "world"),
    )
    databases = ("clc", "urban_atlas", "rpg", "bdtopo", "rgi")
    scripts["simulate_databases"](
        seed=simulation["seed"],
        path_to_world=str(tmp_path / "world"),
        **{f"path_to_{name}": str(tmp_path / f"{name}.gpkg") for name in databases},
    )
    sources = [
        source
        | {
            "path": str(tmp_path / Path(source["path"]).name),
            "translation": str(root / "tables" / f"{source['translation']}.csv"),
            "precedence": place,
        }
        for place, source in enumerate(config["reference"]["sources"], start=1)
    ]
    for tile, placement in simulation["tiles"].items():
        transform = (10.0, 0.0, float(placement["left"]), 0.0, -10.0, float(placement["top"]))
        grid = Grid(placement["crs"], transform, 160, 160)
        write_json(tmp_path / f"{tile}.json", {"tile": tile, "grid": grid.to_dict()})
    nomenclature = {"path_to_nomenclature": str(root / "tables" / "oso17.yaml")}

    def sides(tiles):
        fuse(
            scripts,
            tmp_path,
            tiles=tiles,
            sources=sources,
            square_m=10_000.0,
            leave_out_scarce=True,
            minimum_area_m2=400.0,
            **nomenclature,
        )
        polygons = split(
            scripts, tmp_path, tiles, square_m=10_000.0, leave_out_scarce=True, **nomenclature
        )
        return polygons.set_index("polygon_id")

    few = sides(["T30TWT", "T31UDQ", "T32ULU"])
    more = sides(["T32ULU", "T30TWT", "T31UDQ", "T31UDS", "T31TGK", "T31TEL", "T30TYN"])
    # A class too scarce in three tiles may be there in seven, never the other way round.
    assert len(few) > 1000
    for column in ("feature", "code", "source", "split", "area_ha"):
        assert (few[column] == more.loc[few.index, column]).all(), column


def test_real_polygons_of_a_national_production(scripts, tmp_path, shared_data, root):
    path = shared_data / "reference" / "oso_polygons_D5H2" / "D5H2_groundTruth_samples.shp"
    real = gpd.read_file(path)
    left, _, right, top = real.to_crs("EPSG:32631").total_bounds
    size = int((right - left) // 10) + 10
    grid = Grid(
        "EPSG:32631", (10.0, 0.0, left // 10 * 10, 0.0, -10.0, top // 10 * 10 + 10), size, size
    )
    write_json(tmp_path / "D5H2.json", {"tile": "D5H2", "grid": grid.to_dict()})
    nomenclature = str(root / "tables" / "oso17.yaml")
    fused = fuse(
        scripts,
        tmp_path,
        tiles=["D5H2"],
        path_to_nomenclature=nomenclature,
        minimum_area_m2=0.0,
        sources=[{"name": "oso", "path": str(path), "field": "CODE"}],
        leave_out_scarce=True,
    )
    assert fused.area.sum() == pytest.approx(real.area.sum(), rel=1e-6)
    assert set(fused["code"]) == set(real["CODE"])
    with pytest.raises(SplitError, match=r"water \(51\) has 2, glaciers .* \(53\) has 0"):
        split(scripts, tmp_path, ["D5H2"], path_to_nomenclature=nomenclature)
