import geopandas as gpd
import numpy as np
import pytest
import shapely

from fgunet.errors import ConfigError, ReferenceDataError
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


def read(source, minimum_area=0.0, zones=(AREA,)):
    return read_source(source, zones=zones, crs=CRS, codes=CODES, minimum_area=minimum_area)


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
    part = read(Source("s", moved, field="kind"), zones=[at(0, 0, 1000, 1000)])

    def places(polygons):
        centres = [(round(g.centroid.x), round(g.centroid.y)) for g in polygons.geometry]
        return dict(zip(centres, polygons.key.tolist(), strict=True))

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
        "nothing left after erosion": {"polygons": 1, "hectares": 0.45}
    }


def test_nothing_in_the_tiles_is_no_error_where_a_source_is_optional(write):
    path = write([at(0, 90_000, 9, 9)], kind=["x"], w=[1.0])
    for source in (
        Source("s", path, field="kind", translation={}, optional=True),
        Source("s", path, code=44, buffer_field="w", erosion_m=1.0, optional=True),
    ):
        polygons = read(source)
        assert len(polygons) == 0
        assert polygons.extent.shape == (0, 4)
        assert polygons.tally.to_dict()["polygons_kept"] == {}


def test_only_the_zones_are_read_each_feature_once(write):
    # A strip of 2000 parcels, 50 m each; two zones of 2 km at its ends, one of them twice.
    path = write([at(50 * i, 0, 40, 40) for i in range(2000)])
    ends = [at(0, 0, 2000, 2000), at(98_000, 0, 2000, 2000), at(0, 0, 2000, 2000)]
    polygons = read(Source("s", path, code=31), zones=ends)
    # A parcel that only touches the first zone at its end is of it too.
    assert len(polygons) == 40 + 40 + 1
    assert len(set(polygons.key)) == 81
    # The margin of 100 m adds two parcels at each inner end, and nothing in between.
    assert polygons.tally.read == 81 + 2 * 2
    assert polygons.tally.to_dict()["polygons_dropped"]["outside the tiles"]["polygons"] == 4


def test_overlapping_zones_give_what_their_union_gives(write):
    path = write([at(300 * i, 300 * j, 250, 250) for i in range(20) for j in range(20)])
    overlapping = [at(0, 0, 3000, 3000), at(1500, 1500, 3000, 3000)]
    both = read(Source("s", path, code=31), zones=overlapping)
    union = read(Source("s", path, code=31), zones=[shapely.union_all(overlapping)])
    assert both.key.tolist() == union.key.tolist()
    assert both.tally.to_dict() == union.tally.to_dict()
    # Rows 0 to 10 and 5 to 15 touch the zones, 5 to 10 both.
    assert len(both) == 11 * 11 + 11 * 11 - 6 * 6


def test_the_corner_of_a_bounding_box_is_not_read(write):
    path = write([at(9000, 9000, 50, 50), at(100, 100, 50, 50)], kind=["?", "a"])
    corner = shapely.Polygon(
        [at(0, 0, 0, 0).bounds[:2], (610_000, 6_500_000), (600_000, 6_510_000)]
    )
    # The unknown code lies in the box around the zone, but not in the zone.
    source = Source("s", path, field="kind", translation={"a": 11})
    assert read(source, zones=[corner]).tally.read == 1


def test_extent_is_that_of_the_whole_feature(write):
    away = shapely.MultiPolygon([at(4000, 0, 100, 100), at(4000, 90_000, 100, 200)])
    small = shapely.MultiPolygon([at(0, 0, 100, 100), at(500, 500, 30, 30)])
    path = write([away, small])
    polygons = read(Source("s", path, code=31, erosion_m=10.0), minimum_area=1000)
    assert shapely.area(polygons.geometry) == pytest.approx([6400, 6400])
    found = sorted(polygons.extent.tolist())
    assert found[0] == pytest.approx([600_010, 6_500_010, 600_520, 6_500_520])
    assert found[1] == pytest.approx([604_010, 6_500_010, 604_090, 6_590_190])


def test_parts_stay_one_polygon_without_explode(write):
    two = shapely.MultiPolygon([at(0, 0, 100, 100), at(500, 0, 50, 50)])
    path = write([two, at(3000, 0, 80, 80)])
    apart, together = (read(Source("s", path, code=31, explode=e)) for e in (True, False))
    assert sorted(shapely.area(apart.geometry)) == pytest.approx([2500, 6400, 10_000])
    assert sorted(shapely.area(together.geometry)) == pytest.approx([6400, 12_500])
    assert set(together.feature) == set(apart.feature)
    # A feature of one part has the same number either way.
    assert len(set(together.key) & set(apart.key)) == 2


def test_least_area_of_the_source_comes_before_that_of_the_run(write):
    path = write([at(0, 0, 30, 30), at(500, 0, 100, 100)])
    assert len(read(Source("s", path, code=31), minimum_area=1000)) == 1
    assert len(read(Source("s", path, code=31, minimum_area_m2=0.0), minimum_area=1000)) == 2
    assert len(read(Source("s", path, code=31, minimum_area_m2=10_001.0))) == 0


def test_a_polygon_that_is_drawn_anew_keeps_its_number(write):
    one = write([at(0, 0, 100, 100), at(500, 0, 100, 100)], ID=[7, 8], kind=["a", "a"])
    two = write(
        [at(0, 0, 90, 110), at(500, 0, 100, 100)], name="t.gpkg", ID=["7", "8"], kind=["b"] * 2
    )
    table = {"a": 11, "b": 31}
    by_id = [
        read(Source("s", p, field="kind", translation=table, id_field="ID")) for p in (one, two)
    ]
    assert by_id[0].key.tolist() == by_id[1].key.tolist()
    by_outline = [read(Source("s", p, code=31)) for p in (one, two)]
    assert len(set(by_outline[0].key) & set(by_outline[1].key)) == 1
    assert not set(by_outline[0].key) & set(by_id[0].key)


def test_expression_gives_the_source_code(write):
    path = write(
        [at(0, 0, 90, 90), at(200, 0, 90, 90), at(400, 0, 90, 90)],
        GROUP=gpd.pd.array([1, 1, None], "Int64"),
        CULTU=["a", "b", "a"],
    )
    table = {"1-a": 11, "1-b": 31}
    polygons = read(
        Source(
            "s",
            path,
            expression="\"GROUP\" || '-' || CULTU",
            translation=table,
        )
    )
    assert sorted(polygons.code.tolist()) == [11, 31]
    assert polygons.tally.features_dropped == {"no value in the field": 1}
    plain = Source("s", path, expression="CASE WHEN CULTU = 'a' THEN 11 ELSE 31 END")
    assert sorted(read(plain).code.tolist()) == [11, 11, 31]


def test_points_get_round_buffers(write):
    path = write([shapely.Point(605_000, 6_505_000)])
    polygons = read(Source("wells", path, code=31, buffer_m=10.0))
    assert shapely.area(polygons.geometry) == pytest.approx([100 * np.pi], rel=0.01)


def test_wide_lines_far_from_the_zone_reach_in(write):
    line = shapely.LineString([(600_100, 6_499_700), (600_600, 6_499_700)])
    path = write([line], w=[800.0])
    polygons = read(Source("s", path, code=44, buffer_field="w"))
    assert shapely.area(polygons.geometry) == pytest.approx([500 * 800])


def test_steps_are_told_with_classes_and_areas(write):
    path = write([at(0, 0, 100, 100), at(500, 0, 200, 100)], kind=["a", "b"])
    source = Source(
        "s",
        path,
        field="kind",
        translation={"a": 11, "b": 31},
        erosion_m=10.0,
        year=2018,
        precedence=3,
    )
    told = read(source).tally.to_dict()
    assert (told["year"], told["precedence"]) == (2018, 3)
    assert told["steps"] == [
        {"step": "read", "features": 2, "classes": {}},
        {
            "step": "translated",
            "classes": {
                "11": {"polygons": 1, "hectares": 1.0},
                "31": {"polygons": 1, "hectares": 2.0},
            },
        },
        {
            "step": "prepared",
            "classes": {
                "11": {"polygons": 1, "hectares": 0.64},
                "31": {"polygons": 1, "hectares": 1.44},
            },
        },
    ]


def test_contradictory_sources_are_refused_at_once():
    with pytest.raises(
        ConfigError, match="exactly one of field, expression and code; give either buffer_m or"
    ):
        Source("s", "p", buffer_m=1, buffer_field="w")
    for wrong in (
        {"field": "f", "code": 1},
        {"code": 1, "translation": {}},
        {"field": "f", "translation": {}, "ignore_codes": (1,)},
        {"code": 1, "erosion_m": -1},
        {"code": 1, "minimum_area_m2": -1},
        {"field": "f", "expression": "f"},
        {"expression": "f", "code": 1},
    ):
        with pytest.raises(ConfigError, match="source 's'"):
            Source("s", "p", **wrong)
