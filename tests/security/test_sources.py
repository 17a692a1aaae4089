"""Reference sources that want more than to be read."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.reference.expression import evaluate
from fgunet.vectors import write_layer
from fgunet.vectors.layers import find_layer
from fgunet.vectors.reading import read_features


@pytest.fixture
def polygons(tmp_path: Path) -> Path:
    frame = gpd.GeoDataFrame({"CODE": [1, 2]}, geometry=[shapely.box(0, 0, 9, 9)] * 2, crs=3035)
    write_layer(tmp_path / "polygons.gpkg", frame)
    return tmp_path / "polygons.gpkg"


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
