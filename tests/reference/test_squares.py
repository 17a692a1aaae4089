import numpy as np
import pytest
import shapely

from fgunet.reference.ground import boxes, cells_of, cut_by_squares
from fgunet.reference.squares import square_of, zone_of


def test_a_zone_is_whole_squares():
    zone = zone_of(shapely.box(12, 3, 25, 9.5), 10.0)
    assert zone.equals(shapely.box(10, 0, 30, 10))


def test_a_footprint_that_ends_on_an_edge_touches_the_square_beyond():
    assert zone_of(shapely.box(10, 10, 20, 20), 10.0).equals(shapely.box(0, 0, 30, 30))


def test_a_turned_footprint_takes_no_square_that_it_does_not_touch():
    diamond = shapely.Polygon([(5, -4), (14, 5), (5, 14), (-4, 5)])
    zone = zone_of(diamond, 5.0)
    squares = [shapely.box(x, y, x + 5, y + 5) for x in range(-5, 15, 5) for y in range(-5, 15, 5)]
    expected = shapely.union_all([s for s in squares if s.intersects(diamond)])
    assert zone.equals(expected)
    assert zone.area < shapely.box(*zone.bounds).area


@pytest.mark.parametrize(
    ("extent", "name"),
    [
        ((11, 1, 19, 2), "1_0"),
        ((-9, -9, -1, -1), "-1_-1"),
        ((10, 1, 19, 2), ""),
        ((11, 1, 20, 2), ""),
        ((9, 1, 11, 2), ""),
        ((-1, 1, 21, 2), ""),
    ],
)
def test_the_square_that_holds_an_extent(extent, name):
    assert square_of(np.array([extent], dtype=float), 10.0).tolist() == [name]


def test_polygons_are_cut_without_loss():
    rng = np.random.default_rng(3)
    points = shapely.points(rng.uniform(-40, 40, (60, 2)))
    shapes = shapely.buffer(points, rng.uniform(0.5, 20, 60))
    piece, owner, cell = cut_by_squares(shapes, 10.0)
    area = np.bincount(owner, weights=shapely.area(piece), minlength=60)
    np.testing.assert_allclose(area, shapely.area(shapes), rtol=1e-9)
    assert shapely.covers(shapely.buffer(boxes(cell, 10.0), 1e-9), piece).all()


def test_squares_that_bounds_reach_into():
    owner, cell = cells_of(np.array([[1.0, 1, 9, 9], [-1, 5, 10, 11]]), 10.0)
    assert owner.tolist() == [0, 1, 1, 1, 1]
    assert cell.tolist() == [[0, 0], [-1, 0], [0, 0], [-1, 1], [0, 1]]


def test_a_polygon_that_also_touches_a_square_from_outside_gives_no_line_there():
    # From the square 0_0 into 1_0, and back to the common edge from outside.
    around = shapely.Polygon(
        [(10, 0), (12, 0), (12, 8), (10, 8), (10, 7), (11, 7), (11, 1), (10, 1)]
    )
    shape = shapely.box(2, 0, 10, 3).union(around)
    square = shapely.box(0, 0, 10, 10)
    assert shape.intersection(square).geom_type == "GeometryCollection"
    piece, _, cell = cut_by_squares(np.array([shape], dtype=object), 10.0)
    assert cell.tolist() == [[0, 0], [1, 0]]
    assert [one.geom_type for one in piece] == ["Polygon", "Polygon"]
    assert shapely.area(piece).tolist() == [24, shape.area - 24]
