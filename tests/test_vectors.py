from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.vectors import read_layer, write_layer


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
