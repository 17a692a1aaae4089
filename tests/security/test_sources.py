"""Reference sources that want more than to be read."""

import hashlib
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from fgunet.errors import ConfigError, ReferenceDataError
from fgunet.reference.expression import evaluate
from fgunet.reference.sources import Source, read_source
from fgunet.vectors import write_layer
from fgunet.vectors.hollow import count_hollow
from fgunet.vectors.layers import find_layer
from fgunet.vectors.reading import layer_bounds, read_features


@pytest.fixture
def polygons(tmp_path: Path) -> Path:
    frame = gpd.GeoDataFrame({"CODE": [1, 2]}, geometry=[shapely.box(0, 0, 9, 9)] * 2, crs=3035)
    write_layer(tmp_path / "polygons.gpkg", frame)
    return tmp_path / "polygons.gpkg"


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and what it has been asked for."""
    paths: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", paths
        server.shutdown()


def disguises(target: Path) -> dict[str, str]:
    layer = "<OGRVRTLayer name='polygons'><SrcDataSource>{}</SrcDataSource>{}</OGRVRTLayer>"
    sql = "<SrcSQL dialect='SQLITE'>SELECT * FROM polygons</SrcSQL>"
    return {
        "another file": f"<OGRVRTDataSource>{layer.format(target, '')}</OGRVRTDataSource>",
        "a query": f"<OGRVRTDataSource>{layer.format(target, sql)}</OGRVRTDataSource>",
        "a pipeline": json.dumps(
            {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {target}"}
        ),
    }


@pytest.mark.parametrize("kind", list(disguises(Path())))
@pytest.mark.parametrize("name", ["stands.gpkg", "stands.vrt", "stands.geojson"])
def test_a_file_that_stands_for_another_is_refused(polygons: Path, kind: str, name: str) -> None:
    path = polygons.with_name(name)
    path.write_text(disguises(polygons)[kind])
    with pytest.raises(ReferenceDataError, match=r"holds none|cannot be opened"):
        find_layer(path)


@pytest.mark.parametrize("name", ["PG:dbname=x", "https://127.0.0.1:9/a.geojson", "/vsimem/a.gpkg"])
def test_a_source_is_a_file(name: str) -> None:
    with pytest.raises(ReferenceDataError, match="there is no file"):
        find_layer(name)


@pytest.mark.parametrize("mark", [";", "?", "!"])
def test_a_path_that_would_be_cut_is_refused(polygons: Path, mark: str) -> None:
    """Of "a;b.gpkg" pyogrio would read the file "a"."""
    path = polygons.with_name(f"polygons.gpkg{mark}other.gpkg")
    path.write_bytes(polygons.read_bytes())
    with pytest.raises(ReferenceDataError, match="read as a part of an address"):
        find_layer(path)


@pytest.mark.parametrize("name", ["a b.gpkg", "$(touch pwned).gpkg", "-rf.gpkg", "a'b\"c`d.gpkg"])
def test_other_names_are_names(polygons: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(polygons.parent)
    polygons.rename(name)
    assert find_layer(name).features == 2
    assert {path.name for path in polygons.parent.iterdir()} == {name}


@pytest.mark.parametrize("exempt", ["", "127.0.0.1", "*"])
def test_no_address_is_asked(
    tmp_path: Path,
    asked: tuple[str, list[str]],
    exempt: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GDAL would fetch a coordinate system, around a proxy where the environment says so."""
    monkeypatch.setenv("no_proxy", exempt)
    server, paths = asked
    link = {"href": f"http://{server}/crs", "type": "proj4"}
    point = {"type": "Point", "coordinates": [0, 0]}
    content = {
        "type": "FeatureCollection",
        "crs": {"type": "link", "properties": link},
        "features": [{"type": "Feature", "properties": {}, "geometry": point}],
    }
    path = tmp_path / "linked.geojson"
    path.write_text(json.dumps(content))
    layer = find_layer(path)
    assert len(read_features(layer, columns=[])) == 1
    assert layer_bounds(layer) == (0, 0, 0, 0)
    assert paths == []
    assert os.environ["no_proxy"] == exempt
    assert pyogrio.get_gdal_config_option("GDAL_HTTP_PROXY") is None


@pytest.mark.parametrize("place", ["GPKG:other.gpkg", "http://{}/a.gpkg", "zip+http:/{}/a.gpkg"])
def test_a_file_that_is_named_like_an_address_is_a_file(
    polygons: Path, asked: tuple[str, list[str]], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(polygons.parent)
    write_layer("other.gpkg", gpd.GeoDataFrame(geometry=[shapely.Point()], crs=3035))
    server, paths = asked
    path = Path(place.format(server))
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(polygons, path)
    layer = find_layer(place.format(server))
    assert (layer.path, layer.features) == (place.format(server), 2)
    assert read_features(layer, columns=["CODE"]).columns["CODE"].tolist() == [1, 2]
    assert paths == []


@pytest.mark.parametrize("name", ["a", "a.gpkg", "/dev/zero"])
def test_a_pipe_or_device_is_no_source(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens a pipe waits for another to write into it."""
    monkeypatch.chdir(tmp_path)
    if not Path(name).exists():
        os.mkfifo(name)
    with pytest.raises(ReferenceDataError, match=f"^{name} is neither a file nor a folder"):
        find_layer(name)


@pytest.mark.parametrize("suffix", [".shp", ".shx", ".dbf", ".cpg", ".prj", ".shp.aux.xml"])
def test_a_pipe_is_no_part_of_a_source(tmp_path: Path, suffix: str) -> None:
    frame = gpd.GeoDataFrame({"CODE": [1]}, geometry=[shapely.box(0, 0, 9, 9)], crs=3035)
    frame.to_file(tmp_path / "a.shp")
    pipe = tmp_path / f"a{suffix}"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    for source in (tmp_path / "a.shp", tmp_path):
        with pytest.raises(ReferenceDataError, match=f"{pipe} is neither a file nor a folder"):
            find_layer(source)


def test_a_pipe_of_another_name_is_nobodys(polygons: Path) -> None:
    for name in ("other.gpkg", "polygons2.gpkg"):
        os.mkfifo(polygons.with_name(name))
    polygons.with_name("polygons.qml").symlink_to("nowhere")
    assert find_layer(polygons).features == 2


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_an_error(name: str) -> None:
    with pytest.raises(ReferenceDataError, match=r"there is no file|cannot be opened"):
        find_layer(f"{name}.gpkg")


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_what_a_file_says_of_its_length_loses_no_feature(polygons: Path, count: int) -> None:
    with closing(sqlite3.connect(polygons)) as database, database:
        database.execute("UPDATE gpkg_ogr_contents SET feature_count = ?", (count,))
    layer = find_layer(polygons)
    assert layer.features == count
    assert read(polygons) == (2, {})
    assert read_features(layer, columns=["CODE"]).columns["CODE"].tolist() == [1, 2]
    assert count_hollow(layer) == {}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("instead", [None, 77])
def test_an_index_is_compared_with_the_features(
    polygons: Path, count: int, instead: int | None
) -> None:
    with closing(sqlite3.connect(polygons)) as database, database:
        database.execute("UPDATE gpkg_ogr_contents SET feature_count = ?", (count,))
        database.execute("DELETE FROM rtree_polygons_geom WHERE id = 2")
        if instead is not None:
            database.execute("INSERT INTO rtree_polygons_geom VALUES (?, 0, 1, 0, 1)", (instead,))
    with pytest.raises(ReferenceDataError, match="the spatial index lacks 1 of"):
        count_hollow(find_layer(polygons))


def test_features_with_gaps_in_their_numbers_are_full(polygons: Path) -> None:
    frame = gpd.GeoDataFrame({"CODE": range(9)}, geometry=[shapely.box(0, 0, 9, 9)] * 9, crs=3035)
    write_layer(polygons, frame)
    frame.geometry.iloc[:0].to_file(polygons, layer="none", mode="a")
    with closing(sqlite3.connect(polygons)) as database, database:
        # The index has a trigger that wants functions of GDAL.
        for table, key in (("rtree_polygons_geom", "id"), ("polygons", "fid")):
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ):
                database.execute(f'DROP TRIGGER "{name}"')
            database.execute(f"DELETE FROM {table} WHERE {key} IN (3, 5)")  # noqa: S608
    layer = find_layer(polygons, "polygons")
    assert len(read_features(layer, columns=[])) == 7
    assert count_hollow(layer) == {}
    assert count_hollow(find_layer(polygons, "none")) == {}


def test_an_index_without_end_is_not_read(polygons: Path) -> None:
    endless = (
        "CREATE VIEW rtree_polygons_geom_rowid AS WITH RECURSIVE x(i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM x) SELECT i AS rowid FROM x"
    )
    with closing(sqlite3.connect(polygons)) as database, database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_master SET type = 'view', rootpage = 0, sql = ? "
            "WHERE name = 'rtree_polygons_geom_rowid'",
            (endless,),
        )
    assert count_hollow(find_layer(polygons)) == {}


def test_nothing_is_written_beside_a_write_ahead_log(polygons: Path) -> None:
    with closing(sqlite3.connect(polygons)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    layer = find_layer(polygons)
    assert count_hollow(layer) == {}
    assert len(read_features(layer, columns=[])) == 2
    assert [path.name for path in polygons.parent.iterdir()] == [polygons.name]


def geojson(path: Path, *, crs: str, values: list[object], far: str = "9") -> Path:
    """A square and, from the second value on, polygons that reach to `far`."""
    near = "[[0,0],[9,0],[9,9],[0,9],[0,0]]"
    rings = [near, *[f"[[0,0],[{far},0],[9,9],[0,0]]"] * (len(values) - 1)]
    features = ",".join(
        f'{{"type":"Feature","properties":{{"CODE":{json.dumps(value)}}},'
        f'"geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}'
        for value, ring in zip(values, rings, strict=True)
    )
    name = json.dumps({"type": "name", "properties": {"name": crs}})
    path.write_text(f'{{"type":"FeatureCollection","crs":{name},"features":[{features}]}}')
    return path


def read(path: Path) -> tuple[int, dict[str, int]]:
    found = read_source(
        Source("hostile", str(path), field="CODE"),
        zones=[shapely.box(-100, -100, 100, 100)],
        crs="EPSG:3035",
        codes=(1, 2),
        minimum_area=0.0,
    )
    return len(found), dict(found.tally.features_dropped)


@pytest.mark.parametrize("far", ["Infinity", "-Infinity", "1e300", "-1e13"])
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_coordinates_beyond_any_globe_are_dropped_and_counted(tmp_path: Path, far: str) -> None:
    path = geojson(tmp_path / "a.geojson", crs="EPSG:3035", values=[1, 1], far=far)
    assert read(path) == (1, {"geometry that cannot be read": 1})


@pytest.mark.parametrize("value", [[1], [1.5], ["1"]])
def test_a_field_of_lists_is_refused(tmp_path: Path, value: object) -> None:
    path = geojson(tmp_path / "a.geojson", crs="EPSG:3035", values=[value])
    with pytest.raises(ReferenceDataError, match="the field CODE holds lists"):
        read(path)


@pytest.mark.parametrize("crs", ["IAU_2015:49900", "ESRI:104903"])
def test_another_planet_is_refused(tmp_path: Path, crs: str) -> None:
    path = geojson(tmp_path / "a.geojson", crs=crs, values=[1])
    with pytest.raises(ReferenceDataError, match="cannot be reached from EPSG:3035"):
        read(path)


@pytest.mark.parametrize("option", ["buffer_m", "erosion_m"])
@pytest.mark.parametrize("value", [1000.1, 1e12, float("inf"), float("nan")])
def test_a_width_without_measure_is_refused(option: str, value: float) -> None:
    with pytest.raises(ConfigError, match="buffer_m and erosion_m are at most 1000 m"):
        Source("wide", "a.gpkg", code=1, **{option: value})  # type: ignore[arg-type]
    Source("wide", "a.gpkg", code=1, **{option: 1000.0})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "where",
    [
        "load_extension('/tmp/evil.so') = 1",
        "CODE = 1; DROP TABLE polygons",
        "CODE = 1) OR (SELECT writefile('pwned', 'x')) = (1",
        "CODE IN (SELECT readfile('/etc/hostname'))",
        "CODE = 1 OR ATTACH DATABASE '/tmp/x.db' AS x",
    ],
)
def test_a_filter_neither_writes_nor_reads_elsewhere(polygons: Path, where: str) -> None:
    before = hashlib.sha256(polygons.read_bytes()).digest()
    with pytest.raises(ReferenceDataError, match=r"with the filter|is more than one"):
        read_features(find_layer(polygons), columns=["CODE"], where=where)
    assert hashlib.sha256(polygons.read_bytes()).digest() == before
    assert [path.name for path in polygons.parent.iterdir()] == [polygons.name]


@pytest.mark.parametrize(
    "expression",
    [
        "load_extension(CODE)",
        "CODE; ATTACH DATABASE 'pwned' AS x",
        "(SELECT sql FROM sqlite_master) || CODE",
        "(SELECT file FROM pragma_database_list) || CODE",
        "writefile('pwned', CODE)",
    ],
)
def test_an_expression_sees_its_row_alone(
    tmp_path: Path, expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReferenceDataError, match="cannot be evaluated"):
        evaluate(expression, {"CODE": np.array([1, 2])}, path="a.gpkg")
    assert list(tmp_path.iterdir()) == []


def test_names_in_a_file_are_quoted(tmp_path: Path) -> None:
    """A layer and a field that are named like statements."""
    layer, field = 'x"; DROP TABLE gpkg_contents; --', "a\"b'c; --"
    frame = gpd.GeoDataFrame({field: [1]}, geometry=[shapely.box(0, 0, 9, 9)], crs=3035)
    path = tmp_path / "a.gpkg"
    write_layer(path, frame, layer=layer)
    found = find_layer(path)
    assert (found.name, found.fields) == (layer, (field,))
    assert read_features(found, columns=[field]).columns[field].tolist() == [1]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM gpkg_contents").fetchone() == (1,)
