import sqlite3
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.vectors import find_layer, read_features, read_layer, write_layer
from fgunet.vectors.hollow import count_hollow
from fgunet.vectors.reading import curved_features, quoted_names


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    path = tmp_path / "fields.gpkg"
    frame = gpd.GeoDataFrame(
        {"CODE": [11, 12, 12], "other": ["a", "b", "c"]},
        geometry=[shapely.box(x, 0, x + 50, 50) for x in (0, 100, 1000)],
        crs="EPSG:2154",
    )
    write_layer(path, frame, layer="parcels")
    return path


def test_reads_only_what_is_asked_for(fields: Path) -> None:
    frame = read_layer(fields, columns=["CODE"], area=shapely.box(0, 0, 500, 500))
    assert list(frame.columns) == ["feature_id", "CODE", "geometry"]
    assert frame["CODE"].tolist() == [11, 12]
    assert read_layer(fields, columns=["CODE"], where="CODE = 12")["CODE"].tolist() == [12, 12]


def test_area_is_reprojected(fields: Path) -> None:
    area = gpd.GeoSeries([shapely.box(0, 0, 500, 500)], crs="EPSG:2154").to_crs("EPSG:3035")
    frame = read_layer(fields, columns=["CODE"], area=area.iloc[0], area_crs="EPSG:3035")
    assert len(frame) == 2


def test_what_is_missing_is_named(fields: Path) -> None:
    with pytest.raises(ReferenceDataError, match=r"no field CLASS; its fields are CODE, other"):
        read_layer(fields, columns=["CLASS"])
    with pytest.raises(ReferenceDataError, match=r"no layer 'x'; its layers are \['parcels'\]"):
        read_layer(fields, layer="x", columns=["CODE"])
    with pytest.raises(ReferenceDataError, match="no file"):
        read_layer(fields.with_name("absent.gpkg"), columns=["CODE"])


def test_same_frame_same_bytes(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:2154")
    write_layer(tmp_path / "one.gpkg", frame, layer="a")
    write_layer(tmp_path / "two.gpkg", frame, layer="a")
    assert (tmp_path / "one.gpkg").read_bytes() == (tmp_path / "two.gpkg").read_bytes()


def test_named_fields_come_in_the_order_asked_for(fields: Path) -> None:
    features = read_features(find_layer(fields), columns=["other", "CODE", "other"])
    assert list(features.columns) == ["other", "CODE"]
    assert features.columns["other"].tolist() == ["a", "b", "c"]


def test_whole_numbers_stay_whole_where_the_field_has_gaps(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"n": pd.array([7, None], dtype="Int64"), "real": [1.0, None]},
        geometry=[shapely.box(0, 0, 1, 1)] * 2,
        crs="EPSG:2154",
    )
    write_layer(tmp_path / "gaps.gpkg", frame)
    columns = read_features(find_layer(tmp_path / "gaps.gpkg"), columns=["n", "real"]).columns
    assert columns["n"].tolist() == [7, None]
    assert columns["real"].dtype.kind == "f"


def test_bounds_choose_features(fields: Path) -> None:
    features = read_features(find_layer(fields), columns=[], bounds=(90, 0, 500, 10))
    assert features.identifier.tolist() == [2]
    assert len(features) == 1


def test_the_area_is_exact(fields: Path) -> None:
    # The bounds of this triangle touch the second square, the triangle does not.
    triangle = shapely.Polygon([(0, 0), (160, 0), (0, 160)])
    beside = shapely.Polygon([(0, 0), (99, 0), (0, 160)])
    assert len(read_layer(fields, columns=[], area=triangle)) == 2
    assert len(read_layer(fields, columns=[], area=beside)) == 1


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.geojson", "a.fgb"])
def test_features_without_geometry_are_counted(tmp_path: Path, name: str) -> None:
    full = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:2154")
    full.to_file(tmp_path / name)
    assert count_hollow(find_layer(tmp_path / name)) == {}
    if name.endswith("fgb"):
        # Its spatial index holds no feature without geometry.
        return
    both = gpd.GeoDataFrame(
        {"n": [1, 2]}, geometry=[None, shapely.box(0, 0, 1, 1)], crs="EPSG:2154"
    )
    both.to_file(tmp_path / name)
    assert count_hollow(find_layer(tmp_path / name)) == {"no geometry": 1}


def test_features_without_geometry_are_counted_without_an_index(tmp_path: Path) -> None:
    shapes = [None, shapely.Polygon(), shapely.box(0, 0, 1, 1)]
    frame = gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs="EPSG:2154")
    frame.to_file(tmp_path / "a.gpkg", SPATIAL_INDEX="NO")
    assert count_hollow(find_layer(tmp_path / "a.gpkg")) == {"no geometry": 1, "empty geometry": 1}


def test_a_view_of_a_geopackage_is_a_layer(fields: Path) -> None:
    with sqlite3.connect(fields) as database:
        database.execute(
            "CREATE VIEW twelve AS SELECT fid AS OGC_FID, geom, CODE FROM parcels WHERE CODE = 12"
        )
        for table in ("gpkg_contents", "gpkg_geometry_columns"):
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(name for name in columns if name not in ("table_name", "identifier"))
            database.execute(
                f"INSERT INTO {table} (table_name, {kept}) SELECT 'twelve', {kept} FROM {table}"  # noqa: S608
            )
    layer = find_layer(fields, "twelve")
    assert count_hollow(layer) == {}
    assert len(read_features(layer, columns=["CODE"], bounds=(0, 0, 500, 500))) == 1


def test_names_with_quotes_are_read(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({'a "b"': [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:2154")
    frame.to_file(tmp_path / "odd name #1.gpkg", layer='parcels "2018"', geometry_type="Unknown")
    layer = find_layer(tmp_path / "odd name #1.gpkg")
    assert layer.name == 'parcels "2018"'
    assert count_hollow(layer) == {}
    assert curved_features(layer, (0, 0, 9, 9)).tolist() == []
    assert read_features(layer, columns=['a "b"'], where='"fid" = 1').columns['a "b"'].tolist() == [
        1
    ]


def test_quoted_names_of_sql() -> None:
    assert quoted_names("""a = 'x "y" z' AND "b c" > 1 OR "d" = 'it''s "e"'""") == ["b c", "d"]
