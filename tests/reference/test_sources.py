import geopandas as gpd
import numpy as np
import pytest
import shapely

from fgunet.errors import ConfigError, ReferenceDataError
from fgunet.reference.identity import stable_ids
from fgunet.reference.sources import Source, read_source

CRS = "EPSG:2154"
AREA = shapely.box(600_000, 6_500_000, 610_000, 6_510_000)
CODES = (11, 31, 44)


def at(x, y, width, height):
    """A rectangle, counted from the lower left corner of the area."""
    return shapely.box(600_000 + x, 6_500_000 + y, 600_000 + x + width, 6_500_000 + y + height)


@pytest.fixture
def write(tmp_path):
    def written(geometry, crs=CRS, name="source.gpkg", **columns):
        frame = gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS).to_crs(crs)
        frame.to_file(tmp_path / name)
        return str(tmp_path / name)

    return written


def read(source, minimum_area=0.0, area=AREA):
    return read_source(source, area=area, crs=CRS, codes=CODES, minimum_area=minimum_area)


def test_each_step_is_counted(write):
    bow_tie = shapely.Polygon(
        [(p[0] + 605_000, p[1] + 6_505_000) for p in [(0, 0), (200, 200), (200, 0), (0, 200)]]
    )
    two = shapely.MultiPolygon([at(3000, 0, 100, 100), at(3500, 0, 10, 10)])
    away = shapely.MultiPolygon([at(4000, 0, 100, 100), at(4000, 90_000, 100, 200)])
    shapes = [
        at(0, 0, 100, 100),
        at(0, 0, 100, 100),
        bow_tie,
        two,
        away,
        at(1000, 0, 50, 50),
        at(2000, 0, 50, 50),
        None,
        at(0, 50_000, 10, 10),
    ]
    kinds = ["a", "a", "b", "a", "a", "skip", None, "a", "a"]
    path = write(shapes, kind=kinds)
    source = Source("s", path, field="kind", translation={"a": 11, "b": 31, "skip": None})
    polygons = read(source, minimum_area=1000)
    tally = polygons.tally.to_dict()
    # The feature 40 km off is not even read, and a spatial filter passes no empty geometry.
    assert tally["features_read"] == 7
    assert tally["features_mended"] == 1
    assert tally["features_dropped"] == {"no value in the field": 1, "the same feature twice": 1}
    assert tally["features_ignored_by_value"] == {"skip": 1}
    assert tally["polygons_dropped"] == {
        "outside the tiles": {"polygons": 1, "hectares": 2.0},
        "smaller than the minimum area": {"polygons": 1, "hectares": 0.01},
    }
    assert tally["polygons_kept"] == {
        "11": {"polygons": 3, "hectares": 3.0},
        "31": {"polygons": 2, "hectares": 2.0},
    }
    assert "the same feature twice" in str(polygons.tally)
    # The bow tie's triangles are parts of one feature; all others stand alone.
    assert sorted(np.unique(polygons.feature, return_counts=True)[1].tolist()) == [1, 1, 1, 2]
    assert len(set(polygons.key)) == 5


def test_numbers_do_not_depend_on_rows_tiles_or_format(write):
    shapes = [
        shapely.MultiPolygon([at(100 * i, 0, 50, 60), at(100 * i, 5000, 60, 50)]) for i in range(30)
    ]
    kinds = [11, 31] * 15
    one = read(Source("s", write(shapes, kind=kinds), field="kind"))
    order = np.random.default_rng(1).permutation(30)
    moved = write([shapes[i] for i in order], name="moved.shp", kind=[kinds[i] for i in order])
    two = read(Source("s", moved, field="kind"))
    part = read(
        Source("s", moved, field="kind"), area=shapely.box(600_000, 6.5e6, 601_000, 6_501_000)
    )

    def places(polygons):
        centres = [(round(g.centroid.x), round(g.centroid.y)) for g in polygons.geometry]
        return dict(zip(centres, stable_ids(polygons.key).tolist(), strict=True))

    assert len(places(one)) == 60
    assert places(two) == places(one)
    assert len(places(part)) < 60
    assert places(part).items() <= places(one).items()
    other = read(Source("t", moved, field="kind"))
    assert not set(places(other).values()) & set(places(one).values())


def test_polygons_are_reprojected_and_stay_whole(write):
    across = at(-500, 1000, 1000, 200)
    polygons = read(Source("s", write([across], crs="EPSG:3035"), code=31))
    # Corners come back exactly; straight edges bend by a millimetre on the way.
    assert polygons.geometry[0].hausdorff_distance(across) < 0.01
    assert polygons.geometry[0].area == pytest.approx(200_000, abs=2)
    assert polygons.code.tolist() == [31]


def test_roads_get_their_width_and_flat_ends(write):
    lines = [shapely.LineString([(600_100, y), (600_600, y)]) for y in (6_500_100, 6_500_300)]
    lines += [shapely.LineString([(600_100, 6_500_500), (600_200, 6_500_500)])] * 2
    path = write(lines, LARGEUR=[8.0, 10.0, None, 0.0], NATURE=["r"] * 4, kind=list("abcd"))
    source = Source(
        "roads", path, field="kind", translation=dict.fromkeys("abcd", 44), buffer_field="LARGEUR"
    )
    polygons = read(source)
    assert sorted(shapely.area(polygons.geometry)) == pytest.approx([4000, 5000])
    assert polygons.tally.to_dict()["polygons_dropped"]["no width"]["polygons"] == 2
    only = read(Source("roads", path, code=44, buffer_m=3.0, where="kind = 'a'"))
    assert shapely.area(only.geometry) == pytest.approx([3000])
    # Without a field the two lines at one place are doubles.
    with pytest.raises(ReferenceDataError, match="3 lines or points; give buffer_m"):
        read(Source("roads", path, code=44))


def test_erosion_shrinks_and_may_leave_nothing(write):
    path = write([at(0, 0, 100, 100), at(500, 0, 15, 300)])
    polygons = read(Source("s", path, code=31, erosion_m=10.0))
    assert shapely.area(polygons.geometry) == pytest.approx([6400])
    assert polygons.tally.to_dict()["polygons_dropped"] == {
        "nothing left after erosion": {"polygons": 1, "hectares": 0.0}
    }


def test_nothing_near_the_tiles_is_no_error(write):
    path = write([at(0, 90_000, 9, 9)], kind=["x"], w=[1.0])
    for source in (
        Source("s", path, field="kind", translation={}),
        Source("s", path, code=44, buffer_field="w", erosion_m=1.0),
    ):
        assert len(read(source)) == 0


def test_unknown_values_and_filters_are_errors(write):
    path = write([at(0, 0, 9, 9)], kind=["x"])
    with pytest.raises(ReferenceDataError, match=r"source\.gpkg.*kind.*t\.csv.*'x'"):
        read(Source("s", path, field="kind", translation={"a": 11}, table="t.csv"))
    with pytest.raises(ReferenceDataError, match="ignore_codes"):
        read(Source("s", path, field="kind"))
    with pytest.raises(ReferenceDataError, match="NOPE"):
        read(Source("s", path, code=11, where="NOPE = 3"))
    with pytest.raises(ReferenceDataError, match="no field none"):
        read(Source("s", path, field="none"))


def test_contradictory_sources_are_refused_at_once():
    with pytest.raises(ConfigError, match="either field or code; give either buffer_m or"):
        Source("s", "p", buffer_m=1, buffer_field="w")
    for wrong in (
        {"field": "f", "code": 1},
        {"code": 1, "translation": {}},
        {"field": "f", "translation": {}, "ignore_codes": (1,)},
        {"code": 1, "erosion_m": -1},
    ):
        with pytest.raises(ConfigError, match="source 's'"):
            Source("s", "p", **wrong)


@pytest.mark.parametrize(
    "name",
    [
        "Hintereisferner_RGI5.shp",
        "Hintereisferner_RGI6.shp",
        "rgi7/rgi7g_hef.shp",
        "rgi7/rgi7c_hef.shp",
    ],
)
def test_glacier_outlines_of_three_inventories(shared_data, name):
    path = shared_data / "reference" / "rgi" / name
    frame = gpd.read_file(path).to_crs("EPSG:32632")
    polygons = read_source(
        Source("rgi", str(path), code=53),
        area=shapely.box(*frame.total_bounds),
        crs="EPSG:32632",
        codes=(53,),
        minimum_area=10_000,
    )
    # The glacier has 8.0 km2 in all inventories; RGI 7 C is the whole complex around it.
    published = 77.67 if "rgi7c" in name else 8.036
    assert shapely.area(polygons.geometry).sum() / 1e6 == pytest.approx(published, rel=0.005)


def test_stands_need_their_other_code_ignored(shared_data):
    path = str(shared_data / "theia_T31UFQ" / "stands.gpkg")
    area = shapely.box(*gpd.read_file(path).total_bounds)
    common = {"area": area, "crs": "EPSG:32631", "codes": (31,), "minimum_area": 0.0}
    with pytest.raises(ReferenceDataError, match="99"):
        read_source(Source("stands", path, field="CODE"), **common)
    polygons = read_source(Source("stands", path, field="CODE", ignore_codes=(99,)), **common)
    assert set(polygons.code.tolist()) == {31}
    assert shapely.area(polygons.geometry) == pytest.approx([6400.0] * len(polygons))
    assert len(polygons) + polygons.tally.ignored_values["99"] == 35
