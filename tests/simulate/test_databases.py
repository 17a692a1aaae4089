import filecmp
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
import simulate_databases
import simulate_world

from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.databases import STYLES, draw_databases, draw_roads, draw_rpg
from fgunet.simulate.landscape import Landscape
from fgunet.simulate.outlines import Draughtsman, outline_units, redraw

TILES = {
    "T31TAA": {"crs": "EPSG:32631", "left": 304500, "top": 4775400, "landscape": "alpine"},
    "T31TBB": {"crs": "EPSG:32631", "left": 400000, "top": 5000000, "landscape": "coast"},
}
NAMES = ("clc", "urban_atlas", "rpg", "bdtopo", "rgi")


def _make(folder: Path, tiles: dict) -> Path:
    simulate_world.main(tiles=tiles, tile_size=96, seed=5, path_to_world=str(folder / "world"))
    simulate_databases.main(
        seed=5,
        path_to_world=str(folder / "world"),
        **{f"path_to_{name}": str(folder / f"{name}.gpkg") for name in NAMES},
    )
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("databases"), TILES)


@pytest.mark.parametrize(
    ("name", "layer", "crs", "fields"),
    [
        ("clc", None, 3035, {"Code_18", "ID", "Area_Ha"}),
        ("urban_atlas", None, 3035, {"code_2018", "class_2018"}),
        (
            "rpg",
            "PARCELLES_GRAPHIQUES",
            2154,
            {"ID_PARCEL", "SURF_PARC", "CODE_CULTU", "CODE_GROUP"},
        ),
        ("bdtopo", "SURFACE_HYDROGRAPHIQUE", 2154, {"NATURE"}),
        ("bdtopo", "BATIMENT", 2154, {"NATURE", "USAGE1"}),
        (
            "bdtopo",
            "TRONCON_DE_ROUTE",
            2154,
            {"NATURE", "IMPORTANCE", "LARGEUR", "POS_SOL"},
        ),
        ("rgi", None, 4326, {"RGIId", "Name", "Area", "GLIMSId"}),
    ],
)
def test_native_schema(made: Path, name: str, layer: str, crs: int, fields: set) -> None:
    info = pyogrio.read_info(made / f"{name}.gpkg", layer=layer)
    assert fields <= set(info["fields"])
    assert info["crs"] == f"EPSG:{crs}"
    lines = layer == "TRONCON_DE_ROUTE"
    assert info["geometry_type"] == ("MultiLineString" if lines else "MultiPolygon")
    frame = gpd.read_file(made / f"{name}.gpkg", layer=layer)
    assert len(frame) > 2
    assert frame.is_valid.all()


def test_same_seed_same_bytes(made: Path, tmp_path: Path) -> None:
    again = _make(tmp_path, TILES)
    files = [f"{name}.gpkg" for name in NAMES]
    assert filecmp.cmpfiles(made, again, files, shallow=False)[1:] == ([], [])


def test_identifiers_are_unique(made: Path) -> None:
    for name, field in (("rpg", "ID_PARCEL"), ("rgi", "RGIId"), ("clc", "ID")):
        assert gpd.read_file(made / f"{name}.gpkg")[field].is_unique


def test_a_world_without_glaciers_has_an_empty_inventory(tmp_path: Path) -> None:
    folder = _make(tmp_path, {"T31TBB": TILES["T31TBB"]})
    info = pyogrio.read_info(folder / "rgi.gpkg")
    assert info["features"] == 0
    assert info["crs"] == "EPSG:4326"


def test_polygons_tell_the_truth_mostly(
    grounds: dict[str, Landscape], catalogue: Catalogue
) -> None:
    """A point inside each parcel: its crop is that of the ground, but for a few per cent."""
    ground = grounds["T31TBB"]
    frame = draw_rpg(ground, catalogue, seed=1, site="T31TBB")
    code_of = {c: cover.code for cover in catalogue.covers for c, _ in cover.rpg}
    points = frame.geometry.representative_point()
    cols, rows = ~ground.grid.affine @ (points.x.to_numpy(), points.y.to_numpy())
    truth = catalogue.codes[ground.cover[rows.astype(int), cols.astype(int)]]
    drawn = frame["CODE_CULTU"].map(code_of).to_numpy()
    assert (truth == drawn).mean() > 0.9


def test_road_lines_have_the_width_of_the_roads(grounds: dict[str, Landscape]) -> None:
    ground = grounds["T31TBB"]
    lines = draw_roads(ground, seed=1, site="T31TBB")
    assert set(lines.geom_type) == {"LineString"}
    painted = [road for road in ground.roads if road.cover]
    tree = shapely.STRtree([road.line for road in painted])
    seen = lines[lines["POS_SOL"] == "0"]
    nearest = tree.nearest(seen.geometry.interpolate(0.5, normalized=True).to_numpy())
    widths = np.array([painted[i].width_m for i in nearest])
    assert ((widths - seen["LARGEUR"] >= 0) & (widths - seen["LARGEUR"] <= 1.5)).mean() > 0.9


def test_outlines_cover_exactly_their_cells(grounds: dict[str, Landscape]) -> None:
    ground = grounds["T31TBB"]
    wanted = np.zeros(ground.grid.shape, dtype=bool)
    wanted[20:60, 30:80] = True
    frame = outline_units(ground, wanted, ground.unit)
    assert frame.area.sum() == pytest.approx(wanted.sum() * 25)
    assert set(frame["unit"]) == set(np.unique(ground.unit[wanted]).tolist())


def test_a_perfect_draughtsman_changes_nothing(grounds: dict[str, Landscape]) -> None:
    ground = grounds["T31TBB"]
    frame = outline_units(ground, np.ones(ground.grid.shape, dtype=bool), ground.unit)
    same = redraw(frame, Draughtsman(0, 0, 0, 0, 0), seed=1, database="x", site="y")
    assert len(same) == len(frame)
    assert same.area.sum() == pytest.approx(frame.area.sum())
    np.testing.assert_array_equal(same["cover"], frame["cover"])


def test_omissions_have_the_size_asked_for(grounds: dict[str, Landscape]) -> None:
    ground = grounds["T31TBB"]
    frame = outline_units(ground, np.ones(ground.grid.shape, dtype=bool), ground.unit)
    fewer = redraw(frame, Draughtsman(0, 0, 0, 0.5, 0), seed=1, database="x", site="y")
    assert len(fewer) / len(frame) == pytest.approx(0.5, abs=0.1)


def test_databases_are_named_as_their_styles(
    grounds: dict[str, Landscape], catalogue: Catalogue
) -> None:
    databases = draw_databases(sorted(grounds.items()), catalogue, seed=1)
    assert set(databases) == set(STYLES) == set(NAMES)
