"""Real extracts of RGI 5, 6 and 7, OSO and CORINE, against areas computed in another way."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import rasterio.features
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.sources import Source, read_source
from fgunet.reference.translation import read_translation

RGI5 = {"expression": "substr(GlacType, 1, 1)", "id_field": "RGIId"}
RGI6 = {"field": "Form", "id_field": "RGIId"}
RGI7 = {"field": "primeclass", "id_field": "rgi_id"}
INVENTORIES = {
    "Hintereisferner_RGI5.shp": ("rgi6", RGI5, "Area", "EPSG:32632"),
    "rgi6_oetztal/rgi_oetztal.shp": ("rgi6", RGI5, "Area", "EPSG:32632"),
    "Hintereisferner_RGI6.shp": ("rgi6", RGI6, "Area", "EPSG:32632"),
    "RGI6_icecap.shp": ("rgi6", RGI6, "Area", "EPSG:3057"),
    "rgi7/rgi7g_hef.shp": ("rgi7", RGI7, "area_km2", "EPSG:32632"),
    "rgi7/rgi7g_hef_complex.shp": ("rgi7", RGI7, "area_km2", "EPSG:32632"),
    "rgi7/rgi7c_hef.shp": (None, {"code": 53}, "area_km2", "EPSG:32632"),
}


@pytest.fixture(scope="module")
def codes(root):
    return read_nomenclature(root / "tables" / "oso17.yaml").codes


@pytest.mark.parametrize("name", INVENTORIES)
def test_glaciers_of_three_inventories(shared_data, root, codes, name):
    table, how, area_field, crs = INVENTORIES[name]
    path = shared_data / "reference" / "rgi" / name
    given = gpd.read_file(path)
    if table is not None:
        how = how | {"translation": read_translation(root / "tables" / f"{table}_oso17.csv")}
    polygons = read_source(
        Source("rgi", str(path), **how),
        zones=[shapely.box(*given.to_crs(crs).total_bounds)],
        crs=crs,
        codes=codes,
        minimum_area=0.0,
    )
    assert set(polygons.code.tolist()) == {53}
    assert len(polygons) == len(given) == polygons.tally.read
    # The inventory's own figures, in km2, and the ellipsoid's.
    areas = np.sort(shapely.area(polygons.geometry)) / 1e6
    assert areas == pytest.approx(np.sort(given[area_field].to_numpy()), rel=0.01, abs=0.005)
    geod = pyproj.Geod(ellps="WGS84")
    true = sorted(abs(geod.geometry_area_perimeter(one)[0]) / 1e6 for one in given.geometry)
    assert areas == pytest.approx(true, rel=0.002)
    assert polygons.tally.flattened == (len(given) if "rgi7" in name else 0)
    assert not shapely.has_z(polygons.geometry).any()


def test_glaciers_of_a_complex_stay_apart(shared_data):
    folder = shared_data / "reference" / "rgi" / "rgi7"
    frame = gpd.read_file(folder / "rgi7c_hef.shp").to_crs("EPSG:32632")
    read = {
        name: read_source(
            Source("rgi", str(folder / name), code=53),
            zones=[shapely.box(*frame.total_bounds)],
            crs="EPSG:32632",
            codes=(53,),
            minimum_area=0.0,
        )
        for name in ("rgi7g_hef_complex.shp", "rgi7c_hef.shp")
    }
    glaciers, whole = (shapely.area(polygons.geometry).sum() for polygons in read.values())
    assert glaciers == pytest.approx(whole, rel=1e-3)
    assert [len(polygons) for polygons in read.values()] == [23, 1]


def test_divides_of_glaciers_are_lines(shared_data):
    path = str(shared_data / "reference" / "rgi" / "rgi7" / "rgi7g_hef_intersects.shp")
    frame = gpd.read_file(path).to_crs("EPSG:32632")
    about = {"zones": [shapely.box(*frame.total_bounds)], "crs": "EPSG:32632", "codes": (53,)}
    with pytest.raises(ReferenceDataError, match="holds 5 lines or points"):
        read_source(Source("divides", path, code=53), minimum_area=0.0, **about)
    wide = read_source(Source("divides", path, code=53, buffer_m=5.0), minimum_area=0.0, **about)
    # Bends cost and gain a little of length times width.
    assert shapely.area(wide.geometry).sum() == pytest.approx(
        10 * frame["length_m"].sum(), rel=0.02
    )


def test_polygons_of_oso(shared_data, codes):
    path = shared_data / "reference" / "oso_polygons_D5H2" / "D5H2_groundTruth_samples.shp"
    given = gpd.read_file(path)
    zones = [shapely.box(*given.total_bounds)]
    common = {"zones": zones, "crs": "EPSG:2154", "codes": codes, "minimum_area": 0.0}
    with pytest.raises(ReferenceDataError, match=r"ID is not unique: 5 features share 1 .* as 0;"):
        read_source(Source("oso", str(path), field="CODE", id_field="ID"), **common)
    polygons = read_source(Source("oso", str(path), field="CODE"), **common)
    assert polygons.tally.read == 28
    kept = {code: n for code, (n, _) in polygons.tally.kept.items()}
    features = {
        code: len(set(polygons.feature[polygons.code == code])) for code in np.unique(polygons.code)
    }
    assert features == given["CODE"].value_counts().to_dict()
    assert sum(kept.values()) == int(shapely.get_num_geometries(given.geometry.to_numpy()).sum())
    by_class = given.area.groupby(given["CODE"]).sum()
    for code, (_, area) in polygons.tally.kept.items():
        assert area == pytest.approx(by_class[code], rel=1e-4)


def test_polygons_made_of_the_corine_raster(shared_data, root, codes, tmp_path):
    with rasterio.open(shared_data / "reference" / "corine_italy_32632.tif") as dataset:
        window = dataset.read(1)[:300, :300]
        shapes = rasterio.features.shapes(window, transform=dataset.transform)
        pieces = [(shapely.geometry.shape(shape), int(value)) for shape, value in shapes]
    geometry, grid_code = zip(*pieces, strict=True)
    path = tmp_path / "corine.gpkg"
    frame = gpd.GeoDataFrame({"GRID_CODE": grid_code}, geometry=list(geometry), crs="EPSG:32632")
    frame.to_file(path)
    table = read_translation(root / "tables" / "clc_grid_oso17.csv")
    polygons = read_source(
        Source("clc", str(path), field="GRID_CODE", translation=table),
        zones=[shapely.box(*frame.total_bounds)],
        crs="EPSG:32632",
        codes=codes,
        minimum_area=0.0,
    )
    # One pixel has one hectare.
    pixels = dict(zip(*np.unique(window, return_counts=True), strict=True))
    expected: dict[int, float] = {}
    for value, count in pixels.items():
        code = table[str(value)]
        if code is not None:
            expected[code] = expected.get(code, 0.0) + float(count) * 10_000
    assert {code: area for code, (_, area) in polygons.tally.kept.items()} == expected
    ignored = sum(int(np.equal(grid_code, v).sum()) for v in pixels if table[str(v)] is None)
    assert polygons.tally.ignored_values.total() == ignored


def test_stands_need_their_other_code_ignored(shared_data):
    path = str(shared_data / "theia_T31UFQ" / "stands.gpkg")
    zone = shapely.box(*gpd.read_file(path).total_bounds)
    common = {"zones": [zone], "crs": "EPSG:32631", "codes": (31,), "minimum_area": 0.0}
    with pytest.raises(ReferenceDataError, match="99"):
        read_source(Source("stands", path, field="CODE"), **common)
    polygons = read_source(Source("stands", path, field="CODE", ignore_codes=(99,)), **common)
    assert set(polygons.code.tolist()) == {31}
    assert shapely.area(polygons.geometry) == pytest.approx([6400.0] * len(polygons))
    assert len(polygons) + polygons.tally.ignored_values["99"] == 35
