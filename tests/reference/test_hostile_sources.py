"""Sources that are missing, damaged or odd: each ends in a clear error or in a count."""

import json
import shutil
import sqlite3
import struct
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.reference.sources import Source, read_source
from fgunet.vectors import intact

CRS = "EPSG:2154"
ZONE = shapely.box(600_000, 6_500_000, 610_000, 6_510_000)
CODES = (11, 31)
LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def box(x=0, y=0, width=100, height=100):
    return shapely.box(600_000 + x, 6_500_000 + y, 600_000 + x + width, 6_500_000 + y + height)


def frame_of(count=40, **columns):
    columns = columns or {"kind": ["a"] * count}
    shapes = [box(150 * (i % 60), 150 * (i // 60)) for i in range(count)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


@pytest.fixture
def write(tmp_path):
    def written(frame=None, name="source.gpkg", **options):
        path = tmp_path / name
        pyogrio.write_dataframe(frame_of() if frame is None else frame, path, **options)
        return path

    return written


def read(path, **options):
    options = {"code": 31} | options if "field" not in options else options
    return read_source(
        Source("hostile", str(path), **options),
        zones=[ZONE],
        crs=CRS,
        codes=CODES,
        minimum_area=0.0,
    )


def refused(path, match, **options):
    with pytest.raises(ReferenceDataError, match=match) as caught:
        read(path, **options)
    assert str(path) in str(caught.value) or path.stem in str(caught.value)
    return str(caught.value)


# The file.


def test_missing_file(tmp_path):
    refused(tmp_path / "none.gpkg", "there is no file .*none.gpkg; correct its path")


def test_a_file_that_gdal_does_not_know(tmp_path):
    path = tmp_path / "notes.gpkg"
    path.write_text("polygons are in the other folder")
    refused(path, "cannot be opened: .*; give a vector file that GDAL reads")


def test_a_raster_is_no_source(shared_data):
    refused(shared_data / "reference" / "corine_italy_32632.tif", "cannot be opened")


@pytest.mark.parametrize("name", ["empty.gpkg", "empty.geojson", "empty.shp"])
def test_zero_bytes(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / name, r"is empty \(0 bytes\); copy or download the file again")


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.99])
def test_truncated_geopackage(write, share):
    path = write(frame_of(2000))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(max(int(size * share), 50))
    message = refused(path, "copy or download the file again")
    assert str(path.stat().st_size) in message
    assert str(size if share > 0.01 else 100) in message


def test_damaged_geopackage(write):
    path = write(frame_of(3000))
    with path.open("r+b") as file:
        file.seek(4096 * 40)
        file.write(b"\xff" * 4096 * 60)
    refused(path, "cannot be read.*malformed.*; copy or download the file again")


def test_damaged_index_of_a_geopackage(write):
    path = write(frame_of(3000))
    with sqlite3.connect(path) as database:
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'rtree_source_geom_rowid'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)
    refused(path, "is damaged: .*malformed.*; copy or download the file again")


def test_locked_geopackage(write, monkeypatch):
    path = write()
    monkeypatch.setattr(intact, "LOCK_WAIT_S", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        other.stdout.readline()
        refused(path, "is locked: another program .* 0.1 s; close that program")
        other.stdin.close()
    assert len(read(path)) == 40


def test_a_write_ahead_log_is_read(write):
    path = write()
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.close()
    assert len(read(path)) == 40


@pytest.mark.parametrize("suffix", [".shp", ".shx", ".dbf"])
@pytest.mark.parametrize("keep", [0.02, 0.5, 0.99])
def test_truncated_shapefile(write, suffix, keep):
    path = write(name="source.shp")
    part = path.with_suffix(suffix)
    size = part.stat().st_size
    with part.open("r+b") as file:
        file.truncate(int(size * keep))
    refused(path, "copy or download the file again")


@pytest.mark.parametrize("suffix", [".shx", ".dbf"])
def test_shapefile_without_a_part(write, suffix):
    path = write(name="source.shp")
    path.with_suffix(suffix).unlink()
    refused(path, rf"has no \{suffix} file beside it; a shapefile is .shp, .shx and .dbf")


def test_shapefile_with_capital_suffixes(write, tmp_path):
    path = write(name="source.shp")
    for suffix in (".dbf", ".shx"):
        path.with_suffix(suffix).rename(path.with_suffix(suffix.upper()))
    assert len(read(path)) == 40


def test_shapefile_with_the_table_of_another(write):
    path, other = write(name="source.shp"), write(frame_of(7), name="other.shp")
    shutil.copy(other.with_suffix(".dbf"), path.with_suffix(".dbf"))
    refused(path, "has 40 geometries, but source.dbf has 7 rows")


def test_truncated_geojson(write):
    path = write(name="source.geojson")
    path.write_bytes(path.read_bytes()[:-500])
    refused(path, "cannot be opened")


@pytest.mark.parametrize("index", ["YES", "NO"])
def test_truncated_flatgeobuf(write, index):
    path = write(frame_of(2000), name="source.fgb", SPATIAL_INDEX=index)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    refused(path, "cannot be read")


def test_a_spatial_index_that_lacks_features(write):
    path = write()
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM rtree_source_geom_rowid WHERE rowid <= 3")
    refused(path, "the spatial index lacks 3 of 40 features; make it anew: ogrinfo")


# The layer.


def test_empty_layer(write):
    path = write(frame_of(1).iloc[:0], geometry_type="Polygon")
    refused(path, r"source 'hostile': .*source.gpkg .* is empty: 0 features; give a layer")
    refused(path, "is empty", optional=True)


def test_missing_layer(write):
    refused(write(), r"has no layer 'parcels'; its layers are \['source'\]", layer="parcels")


def test_several_layers_need_a_name(write):
    path = write()
    write(layer="other", append=True)
    refused(path, r"has 2 layers: \['source', 'other'\]; name one under 'layer'")
    assert len(read(path, layer="other")) == 40


def test_tables_without_geometry_do_not_count_as_layers(write):
    path = write()
    styles = frame_of(3).drop(columns="geometry")
    pyogrio.write_dataframe(styles, path, layer="layer_styles", append=True)
    assert len(read(path)) == 40
    refused(path, "no geometry in layer 'layer_styles'; .*'source'", layer="layer_styles")


def test_a_table_alone(write):
    path = write(frame_of(3).drop(columns="geometry"))
    refused(path, r"no geometry in any layer; .* its tables \['source'\]")


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_no_coordinate_system(write):
    path = write(frame_of().set_crs(None, allow_override=True))
    refused(path, "has no coordinate system; set one with ogr2ogr -a_srs")


# Fields, filters and codes.


@pytest.mark.parametrize("option", ["field", "id_field", "buffer_field"])
def test_missing_field(write, option):
    refused(write(), r"has no field NOPE; its fields are kind", **{option: "NOPE"})


@pytest.mark.parametrize("name", ["source.gpkg", "source.shp", "source.geojson"])
@pytest.mark.parametrize("where", ["NOPE = 1", "kind ===", "\"NOPE\" = 'a'"])
def test_filter_with_a_fault(write, name, where):
    refused(write(name=name), "fields are kind", where=where)


def test_filter_that_nothing_passes(write):
    refused(write(), r"has no feature in the tiles that passes the filter", where="kind = 'z'")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("NOPE || 'x'", "no such column: NOPE"),
        ("\"NOPE\" || 'x'", "there is no field NOPE"),
        ("'x'", "it names no field"),
        ("kind ||", "syntax error"),
        ("max(kind)", "misuse of aggregate"),
        ("kind || random()", "not authorized"),
        ("kind), (kind", "syntax error|row value misused"),
        ("", "syntax error"),
    ],
)
def test_expression_with_a_fault(write, expression, reason):
    refused(
        write(),
        rf"expression .* cannot be evaluated: .*({reason}).*its fields are kind; correct",
        code=None,
        expression=expression,
    )


def test_unknown_code(write):
    path = write(frame_of(3, kind=["a", "zz", "b"]))
    table = {"translation": {"a": 11, "b": None}, "table": "t.csv"}
    refused(
        path, "field kind holds values that the table t.csv lacks: 'zz'; add", field="kind", **table
    )


def test_missing_and_repeated_identifiers(write):
    path = write(frame_of(6, ID=[1, 2, 2, 3, 3, 3]))
    refused(
        path, r"ID is not unique: 5 features share 2 of its values, such as 2, 3", id_field="ID"
    )
    path = write(frame_of(3, ID=["x", None, " "]), name="gaps.gpkg")
    refused(path, r"2 features have no ID, first of all those with the numbers 2, 3", id_field="ID")


@pytest.mark.filterwarnings("ignore:Several features with id")
def test_repeated_identifiers_of_the_file_lose_no_feature(tmp_path):
    rings = [shapely.geometry.mapping(box(200 * i)) for i in range(3)]
    path = tmp_path / "twice.geojson"
    path.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}},
                "features": [
                    {"type": "Feature", "id": 7, "properties": {}, "geometry": ring}
                    for ring in rings
                ],
            }
        )
    )
    assert len(read(path)) == 3


# Where it is.


def test_a_source_outside_all_tiles(write):
    frame = frame_of(3)
    frame.geometry = frame.geometry.translate(0, 90_000)
    path = write(frame)
    message = refused(path, "has no feature in the tiles: it spans")
    for part in ("6590000 to 6590100 north", "600000 to 610000 east", "optional: true"):
        assert part in message
    assert len(read(path, optional=True)) == 0


def test_a_source_just_outside_the_tiles(write):
    # Within the margin that is read, but in no zone.
    frame = gpd.GeoDataFrame(geometry=[box(-60, 0, 50, 50)], crs=CRS)
    refused(write(frame), "has no feature in the tiles: it spans 599940 to 599990 east")


def test_a_source_on_the_other_side_of_the_world(write):
    far = gpd.GeoDataFrame(geometry=[shapely.box(1.5e6, 5.1e6, 1.6e6, 5.2e6)], crs="EPSG:2193")
    refused(write(far), "has no feature in the tiles: .* in NZGD2000")


# Geometry.


def test_lines_and_points_need_a_width(write):
    frame = gpd.GeoDataFrame(
        geometry=[
            shapely.LineString([(600_100, 6_500_100), (600_900, 6_500_100)]),
            shapely.Point(600_200, 6_500_200),
        ],
        crs=CRS,
    )
    refused(write(frame), "holds 2 lines or points; give buffer_m or buffer_field")


def test_widths_in_centimetres(write):
    path = write(frame_of(2, width=[500.0, 1200.0]))
    refused(
        path, "width is up to 1200, full widths in metres are at most 1000", buffer_field="width"
    )


@pytest.mark.parametrize(
    ("name", "empty"), [("source.gpkg", 1), ("source.shp", 0), ("s.geojson", 1)]
)
def test_null_and_empty_geometries_are_counted(write, name, empty):
    frame = gpd.GeoDataFrame(
        {"kind": ["a"] * 4}, geometry=[box(), None, shapely.Polygon(), None], crs=CRS
    )
    polygons = read(write(frame, name=name, geometry_type="Polygon"))
    assert len(polygons) == 1
    hollow = polygons.tally.to_dict()["features_of_the_layer_without_geometry"]
    assert sum(hollow.values()) == 3
    assert hollow.get("empty geometry", 0) == empty


def test_self_intersection_is_mended_and_counted(write):
    x, y = 600_000, 6_500_000
    tie = shapely.Polygon([(x, y), (x + 200, y + 200), (x + 200, y), (x, y + 200)])
    path = write(gpd.GeoDataFrame(geometry=[tie, box(500)], crs=CRS))
    polygons = read(path)
    assert polygons.tally.mended == 1
    assert sorted(shapely.area(polygons.geometry)) == pytest.approx([10_000] * 3)
    assert shapely.is_valid(polygons.geometry).all()


def test_a_polygon_without_area_is_dropped_and_counted(write):
    flat = shapely.Polygon([(600_000, 6_500_000), (600_100, 6_500_000), (600_050, 6_500_000)])
    polygons = read(write(gpd.GeoDataFrame(geometry=[flat, box(500)], crs=CRS)))
    assert len(polygons) == 1
    assert polygons.tally.features_dropped == {"nothing left after mending": 1}


@pytest.mark.filterwarnings("ignore:invalid value encountered", "ignore:Non closed ring")
def test_coordinates_that_are_no_numbers(write):
    path = write(frame_of(2), name="source.shp")
    data = bytearray(path.read_bytes())
    # The first record: 8 bytes of header, type, bounds and counts, then x and y of each point.
    first = 100 + 8 + 4 + 32 + 4 + 4 + 4
    data[first : first + 8] = struct.pack("<d", np.nan)
    path.write_bytes(data)
    polygons = read(path)
    assert shapely.area(polygons.geometry) == pytest.approx([10_000])
    assert polygons.tally.features_dropped == {"geometry that cannot be read": 1}


def test_heights_are_left_out_and_counted(write):
    high = shapely.force_3d(np.array([box(), box(500)]), 120.0)
    polygons = read(write(gpd.GeoDataFrame(geometry=[*high, box(900)], crs=CRS)))
    assert polygons.tally.flattened == 2
    assert not shapely.has_z(polygons.geometry).any()
    assert len(polygons) == 3


def test_the_same_outline_in_two_and_three_dimensions_has_one_number(write):
    flat = read(write(gpd.GeoDataFrame(geometry=[box()], crs=CRS)))
    high = gpd.GeoDataFrame(geometry=[shapely.force_3d(box(), 7.0)], crs=CRS)
    assert read(write(high, name="high.gpkg")).key.tolist() == flat.key.tolist()


def test_collections_give_their_polygons(write):
    mixed = shapely.GeometryCollection(
        [box(), shapely.MultiPolygon([box(300), box(500)]), shapely.Point(600_001, 6_500_001)]
    )
    path = write(gpd.GeoDataFrame(geometry=[mixed], crs=CRS))
    polygons = read(path)
    assert shapely.area(polygons.geometry) == pytest.approx([10_000] * 3)
    assert len(set(polygons.feature)) == 1
    dropped = polygons.tally.to_dict()["polygons_dropped"]
    assert dropped["line or point beside polygons in a collection"]["polygons"] == 1
    whole = read(path, explode=False)
    assert shapely.area(whole.geometry) == pytest.approx([30_000])
    assert whole.geometry[0].geom_type == "MultiPolygon"


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="ogr2ogr is not there")
def test_curves_are_linearised_and_counted(tmp_path):
    x, y = 600_000, 6_500_000
    disc = (
        f"CURVEPOLYGON(CIRCULARSTRING({x} {y + 100},{x + 100} {y + 200},{x + 200} {y + 100},"
        f"{x + 100} {y},{x} {y + 100}))"
    )
    straight = box(1000).wkt
    (tmp_path / "c.csv").write_text(f'n,WKT\n1,"{disc}"\n2,"{straight}"\n')
    path = tmp_path / "curved.gpkg"
    subprocess.run(
        ["ogr2ogr", "-f", "GPKG", path, tmp_path / "c.csv", "-a_srs", CRS, "-nlt", "GEOMETRY"],
        check=True,
    )
    polygons = read(path)
    assert polygons.tally.linearised == 1
    # Chords of 4 degrees enclose a thousandth less than the disc.
    assert sorted(shapely.area(polygons.geometry)) == pytest.approx(
        [10_000, np.pi * 100**2], rel=1e-3
    )


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="ogr2ogr is not there")
def test_surfaces_of_triangles_are_dropped_and_counted(tmp_path):
    x, y = 600_000, 6_500_000
    tin = f"TIN Z((({x} {y} 0,{x + 100} {y} 0,{x + 100} {y + 100} 0,{x} {y} 0)))"
    (tmp_path / "t.csv").write_text(f'n,WKT\n1,"{tin}"\n2,"{box(1000).wkt}"\n')
    path = tmp_path / "tin.gpkg"
    subprocess.run(
        ["ogr2ogr", "-f", "GPKG", path, tmp_path / "t.csv", "-a_srs", CRS, "-nlt", "GEOMETRY"],
        check=True,
    )
    polygons = read(path)
    assert len(polygons) == 1
    assert polygons.tally.features_dropped == {"geometry that cannot be read": 1}


@pytest.mark.filterwarnings("ignore:Non closed ring")
def test_an_open_ring_is_closed_and_counted(write):
    path = write(frame_of(2))
    ring = struct.pack("<IIId", 3, 1, 4, 600_000) + struct.pack(
        "<7d", 6_500_000, 600_100, 6_500_000, 600_100, 6_500_100, 600_000, 6_500_100
    )
    header = b"GP\x00\x01" + struct.pack("<i", 2154)
    with sqlite3.connect(path) as database:
        for name in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{name[0]}"')
        database.execute("UPDATE source SET geom = ? WHERE fid = 1", (header + b"\x01" + ring,))
    polygons = read(path)
    assert polygons.tally.mended == 1
    assert shapely.area(polygons.geometry) == pytest.approx([10_000, 10_000])


# Everything that is read is kept, dropped with a reason, or ignored by name.


def test_the_books_balance(write):
    rng = np.random.default_rng(3)
    shapes = [box(*rng.uniform(-500, 10_500, 2), *rng.uniform(1, 60, 2)) for _ in range(400)]
    shapes += shapes[:50]
    kinds = rng.choice(["a", "b", "skip", ""], 450)
    path = write(gpd.GeoDataFrame({"kind": kinds}, geometry=shapes, crs=CRS))
    table = {"a": 11, "b": 31, "skip": None}
    told = read(path, field="kind", translation=table, erosion_m=2.0, minimum_area_m2=50.0).tally
    features = told.read - told.features_dropped.total() - told.ignored_values.total()
    translated = sum(n for n, _ in told.translated.values())
    kept = sum(n for n, _ in told.kept.values())
    assert features == translated
    assert translated == kept + sum(n for n, _ in told.polygons_dropped.values())
    assert min(told.polygons_dropped.values()) > (0, 0)
    assert len(told.polygons_dropped) == 3
