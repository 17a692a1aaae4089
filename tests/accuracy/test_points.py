import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from fgunet.accuracy.labelled import labelled_sample
from fgunet.accuracy.points import (
    DESIGN,
    REFERENCE,
    codes_at,
    keeps_areas,
    pixel_area,
    points_frame,
    refuse_filled_in,
    require_inside,
    strata_table,
)
from fgunet.errors import AccuracyError
from fgunet.grid import Grid
from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.rasters import write_raster
from fgunet.vectors import read_layer, write_layer

GRID = Grid("EPSG:2154", (10.0, 0.0, 600000.0, 0.0, -10.0, 6800000.0), 30, 40)
CLASSES = Nomenclature(
    "three", tuple(LandCoverClass(c, f"class {c}", (0, 0, 0), "") for c in (11, 31, 51))
)
PIXELS = np.array([700, 0, 500])


@pytest.fixture
def codes():
    codes = np.full(GRID.shape, 51, dtype=np.uint8)
    codes.ravel()[:700] = 11
    return codes


@pytest.fixture
def points(codes):
    """Six pixels, three of each class."""
    rows, cols = np.array([0, 20, 3, 29, 25, 17]), np.array([0, 5, 39, 39, 0, 19])
    labels = (codes[rows, cols] == 51) * 2
    return points_frame(GRID, rows, cols, labels, PIXELS, seed=5)


def filled(points, values=(11, 51, 11, 51, 51, 51)):
    return pd.DataFrame(points[0].drop(columns="geometry")).assign(reference=list(values))


def sample_of(table):
    return labelled_sample(table, CLASSES.codes)


def test_points_are_centres_of_pixels_and_carry_the_design(points):
    frame, numbers = points
    assert frame.crs == "EPSG:2154"
    assert (frame.geometry.x[0], frame.geometry.y[0]) == (600005, 6799995)
    assert (frame.geometry.x[3], frame.geometry.y[3]) == (600395, 6799705)
    assert frame["point_id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert frame[REFERENCE].isna().all()
    assert sorted(numbers) == [1, 2, 3]
    assert frame["stratum"].tolist() == numbers[[0, 2, 0, 2, 2, 0]].tolist()
    assert frame["stratum_pixels"].tolist() == [700, 500, 700, 500, 500, 700]
    assert (frame["stratum_points"] == 3).all()
    assert (frame["map_pixels"] == 1200).all()
    assert (frame["pixel_m2"] == 100).all()


def test_the_number_of_a_stratum_does_not_tell_its_class(codes):
    at, none = np.array([0, 1]), np.zeros(0, dtype=np.int64)
    many = np.ones(10, dtype=np.int64)
    numbers = {tuple(points_frame(GRID, none, none, none, many, seed=s)[1]) for s in range(20)}
    assert len(numbers) == 20
    assert points_frame(GRID, at, at, at, many, seed=1)[1].tolist() in map(list, numbers)


def test_strata_are_told_with_their_areas(points):
    strata = strata_table(CLASSES, points[1], PIXELS, np.array([3, 0, 3]), 100.0)
    assert [(one["code"], one["pixels"], one["area_ha"], one["points"]) for one in strata] == [
        (11, 700, 7.0, 3),
        (51, 500, 5.0, 3),
    ]
    assert [one["stratum"] for one in strata] == points[1][[0, 2]].tolist()


def test_a_file_of_points_stays_one_of_points_and_is_read_as_it_was_filled_in(points, tmp_path):
    path = tmp_path / "points.gpkg"
    write_layer(path, points[0])
    assert read_layer(path, columns=DESIGN).geom_type.eq("Point").all()
    refuse_filled_in(path)
    refuse_filled_in(tmp_path / "missing.gpkg")
    empty = points[0][REFERENCE].copy()
    empty[:4] = [11, 51, 11, 51]
    write_layer(path, points[0].assign(reference=empty))
    table = read_layer(path, columns=[*DESIGN, REFERENCE])
    assert table[REFERENCE].tolist() == [11, 51, 11, 51, None, None]
    with pytest.raises(AccuracyError, match="has a class at 4 points; move it"):
        refuse_filled_in(path)
    write_layer(path, points[0].assign(seen=11))
    with pytest.raises(AccuracyError, match="has the new field seen; move it"):
        refuse_filled_in(path)


def test_a_sample_is_read(points):
    found = sample_of(filled(points))
    strata = found.sample.strata
    assert found.sample.pixels[strata].tolist() == [700, 500, 700, 500, 500, 700]
    assert found.sample.reference.tolist() == [11, 51, 11, 51, 51, 51]
    assert (found.drawn, found.unlabelled, found.sample.area_ha) == (6, 0, 12.0)


def test_order_and_text_do_not_matter(points):
    table = filled(points)
    turned = table[::-1].astype({"reference": str, "stratum_pixels": float})
    first, again = sample_of(table).sample, sample_of(turned).sample
    np.testing.assert_array_equal(first.strata, again.strata[::-1])
    np.testing.assert_array_equal(first.pixels, again.pixels)
    np.testing.assert_array_equal(first.reference, again.reference[::-1])


def test_points_without_class_and_points_that_are_missing_are_counted(points):
    for empty in (None, "", 0, np.nan):
        found = sample_of(filled(points, (11, 51, 11, 51, empty, 51)))
        assert (found.drawn, found.unlabelled) == (6, 1)
        assert found.kept.tolist() == [True] * 4 + [False, True]
        assert found.sample.points.tolist() in ([3, 2], [2, 3])
    found = sample_of(filled(points)[1:])
    assert (found.drawn, found.unlabelled) == (6, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t[:0], "there are none; fill in"),
        (lambda t: t.assign(point_id=[1, 2, 2, 4, 5, 6]), "point_id 2 stands more than once"),
        (lambda t: t.assign(stratum=[1, None, 1, 1, 1, 1]), "stratum has rows without number"),
        (lambda t: t.assign(map_pixels=[1200] * 5 + [900]), "map_pixels is 900, 1200"),
        (lambda t: t.assign(stratum_pixels=[600, 500, 700, 500, 500, 700]), "several sizes"),
        (lambda t: t[t["stratum_pixels"] == 700], "no point is left of strata with 500 of the"),
        (lambda t: t.assign(stratum_points=2), "more points than were drawn; take out"),
        (lambda t: t.assign(reference=[11, 51, 11, 12, 51, 51]), r"\['12'\], .*at point_id 4; use"),
        (lambda t: t.assign(reference=[11, "water", 11, 1.5, 51, 51]), r"\['1.5', 'water'\]"),
        (lambda t: t.assign(reference=[11, 51, None, 51, 51, 0]), "fewer than two points with a"),
        (lambda t: t.assign(reference=None), "has fewer than two points with a class"),
    ],
)  # fmt: skip
def test_what_is_no_sample_is_refused(points, change, told):
    with pytest.raises(AccuracyError, match=told):
        sample_of(change(filled(points)))


def test_a_stratum_of_one_pixel_needs_one_point(codes):
    rows, cols, labels = np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([0, 0, 1])
    points = points_frame(GRID, rows, cols, labels, np.array([40, 1]), seed=0)
    found = labelled_sample(filled(points, (11, 11, 31)), CLASSES.codes)
    assert sorted(found.sample.pixels) == [1, 40]


def test_map_codes_at_points_of_another_coordinate_system(codes, points, tmp_path):
    path = tmp_path / "map.tif"
    write_raster(path, codes, GRID, 0)
    frame = points[0].to_crs(4326)
    found, inside = codes_at(path, frame)
    assert inside.all()
    assert found.tolist() == [11, 51, 11, 51, 51, 11]
    with rasterio.open(path) as dataset:
        xy = zip(points[0].geometry.x, points[0].geometry.y, strict=True)
        assert found.tolist() == [value[0] for value in dataset.sample(xy)]


def test_points_beyond_the_edge_by_less_than_half_a_pixel_are_inside(codes, tmp_path):
    path = tmp_path / "map.tif"
    write_raster(path, codes, GRID, 0)
    x = [599996, 599994, 600404, 600406, 600200, 600200]
    y = [6799995, 6799995, 6799705, 6799705, 6800004, 6799694]
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs="EPSG:2154")
    found, inside = codes_at(path, points)
    assert inside.tolist() == [True, False, True, False, True, False]
    assert found.tolist() == [11, 0, 51, 0, 11, 0]
    with pytest.raises(AccuracyError, match=r"3 of 6 points of a.gpkg lie outside of b.tif"):
        require_inside(inside, "a.gpkg", "b.tif")


def test_areas_need_metres():
    assert pixel_area("EPSG:2154", (10, 20)) == 200
    # The US survey foot has 1200 / 3937 metres.
    assert pixel_area("EPSG:2263", (10, 10)) == pytest.approx(100 * (1200 / 3937) ** 2)
    with pytest.raises(AccuracyError, match="pixels are of degrees; set mapping"):
        pixel_area("EPSG:4326", (1e-4, 1e-4))


def test_which_coordinate_systems_keep_areas():
    found = [keeps_areas(f"EPSG:{code}") for code in (3035, 5070, 2154, 32631, 4326)]
    assert found == [True, True, False, False, False]
