"""What is written is a GeoPackage as OGC 12-128r19 asks; numbers are those of its requirements."""

import re
import sqlite3
import struct

import geopandas as gpd
import pytest
import shapely

from fgunet.vectors import write_layer


@pytest.fixture
def database(tmp_path):
    shapes = [
        shapely.box(700_000, 6_600_000, 700_100, 6_600_100),
        shapely.MultiPolygon(
            [shapely.box(700_200, 6_600_000, 700_300, 6_600_100), shapely.box(0, 0, 10, 10)]
        ),
    ]
    frame = gpd.GeoDataFrame(
        {
            "polygon_id": [7, 4_294_967_295],
            "feature": [2**63 - 1, 1],
            "code": [11, 211],
            "source": ["rpg", "clc"],
            "area_ha": [1.0, 1.01],
            "split": ["test", "training"],
            "tiles": ["T31TCJ", "T31TCJ,T31TDJ"],
        },
        geometry=shapes,
        crs="EPSG:2154",
    )
    path = tmp_path / "polygons.gpkg"
    write_layer(path, frame)
    with sqlite3.connect(path) as connection:
        yield connection


def rows(database, query):
    return database.execute(query).fetchall()


def test_the_file_itself(database):
    # 2: application id "GPKG" and version; 6 and 7: SQLite finds no fault.
    assert rows(database, "PRAGMA application_id") == [(0x47504B47,)]
    assert rows(database, "PRAGMA user_version")[0][0] >= 10_200
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    assert rows(database, "PRAGMA foreign_key_check") == []


def test_reference_systems(database):
    # 10 and 11: the three records that must be there, and the layer's own.
    found = dict(rows(database, "SELECT srs_id, definition FROM gpkg_spatial_ref_sys"))
    assert {-1, 0, 4326, 2154} <= found.keys()
    assert found[-1] == found[0] == "undefined"
    assert "Lambert-93" in found[2154]


def test_contents(database):
    # 13 to 15 and 22 to 26: the layer is listed, with its bounds and its geometry.
    [(table, kind, changed, *bounds, srs)] = rows(
        database,
        "SELECT table_name, data_type, last_change, min_x, min_y, max_x, max_y, srs_id "
        "FROM gpkg_contents",
    )
    assert (table, kind, srs) == ("polygons", "features", 2154)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", changed)
    assert bounds == [0, 0, 700_300, 6_600_100]
    assert rows(database, "SELECT * FROM gpkg_geometry_columns") == [
        ("polygons", "geom", "MULTIPOLYGON", 2154, 0, 0)
    ]


def test_the_layer(database):
    # 29 and 150: a whole number is the primary key.
    columns = {name: (kind, key) for _, name, kind, _, _, key in rows(
        database, "PRAGMA table_info(polygons)")}  # fmt: skip
    assert columns.pop("fid") == ("INTEGER", 1)
    assert columns.pop("geom") == ("MULTIPOLYGON", 0)
    # 5: only types of the standard.
    kinds = {kind.split("(")[0] for kind, _ in columns.values()}
    assert kinds <= {"INTEGER", "MEDIUMINT", "REAL", "TEXT"}
    values = rows(database, "SELECT polygon_id, feature FROM polygons ORDER BY fid")
    assert values == [(7, 2**63 - 1), (4_294_967_295, 1)]


def test_geometries(database):
    # 19: header "GP", version 0, flags, reference system; then WKB, all of the layer's type.
    for (blob,) in rows(database, "SELECT geom FROM polygons"):
        magic, version, flags = struct.unpack("<2sBB", blob[:4])
        assert (magic, version) == (b"GP", 0)
        assert struct.unpack("<i" if flags & 1 else ">i", blob[4:8]) == (2154,)
        envelope = {0: 0, 1: 32}[flags >> 1 & 7]
        assert not flags >> 4 & 3
        shape = shapely.from_wkb(blob[8 + envelope :])
        assert shape.geom_type == "MultiPolygon"
        assert shape.is_valid
        if envelope:
            left, right, bottom, top = struct.unpack("<4d", blob[8:40])
            assert (left, bottom, right, top) == shape.bounds


def test_the_spatial_index(database):
    # 75 to 77: the index is declared and holds every feature.
    assert ("polygons", "geom", "gpkg_rtree_index") in rows(
        database, "SELECT table_name, column_name, extension_name FROM gpkg_extensions"
    )
    assert rows(database, "SELECT count(*) FROM rtree_polygons_geom") == [(2,)]
