import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.reference.fusion import COVERED, TOO_SMALL, Overlap, fuse
from fgunet.reference.overlaps import shared_area, touching_pairs
from fgunet.reference.shapes import parts_of, repaired, without_small_pieces


def run(geometry, rank, code=None, ids=None, *, share=0.5, area=0.0):
    n = len(geometry)
    return fuse(
        np.array(geometry, dtype=object),
        np.array(rank),
        np.array(code if code is not None else [1] * n),
        np.array(ids if ids is not None else range(1, n + 1)),
        minimum_share=share,
        minimum_area=area,
    )


def test_squares_by_hand():
    # A wins 100 m x 100 m; B loses 30 of its 100 columns; C keeps 40 %; D is free of all.
    a, b = shapely.box(0, 0, 100, 100), shapely.box(70, 0, 170, 100)
    c, d = shapely.box(0, 40, 100, 140), shapely.box(500, 0, 600, 100)
    fusion = run([d, c, b, a], [1, 1, 1, 0], code=[11, 11, 12, 41])
    assert fusion.reason.tolist() == ["", COVERED, "", ""]
    assert [g.area for g in fusion.geometry[[0, 2, 3]]] == [10_000, 7_000, 10_000]
    # Before the cut B and C share 30 m x 60 m; equal areas, so the smaller number comes first.
    assert fusion.overlaps == (
        Overlap(0, 41, 1, 11, 1, 6000.0),
        Overlap(0, 41, 1, 12, 1, 3000.0),
        Overlap(1, 11, 1, 12, 1, 1800.0),
    )


def test_a_dropped_polygon_cuts_nothing():
    a, b = shapely.box(0, 0, 10, 10), shapely.box(4, 0, 14, 10)
    c = shapely.box(10, 0, 20, 10)
    fusion = run([a, b, c], [0, 1, 2])
    assert fusion.reason.tolist() == ["", COVERED, ""]
    assert fusion.geometry[2].area == 100


def test_within_a_source_the_smaller_comes_first():
    field, pond = shapely.box(0, 0, 100, 100), shapely.box(40, 40, 60, 60)
    fusion = run([field, pond], [0, 0])
    assert [g.area for g in fusion.geometry] == [9_600, 400]


def test_pieces_stay_one_polygon_and_small_ones_go():
    road = shapely.box(40, -10, 50, 110)
    parcel = shapely.box(0, 0, 100, 100)
    fusion = run([parcel, road], [1, 0])
    assert fusion.geometry[0].geom_type == "MultiPolygon"
    assert fusion.geometry[0].area == 9_000
    fusion = run([parcel, road], [1, 0], area=4_500)
    assert fusion.geometry[0].bounds == (50, 0, 100, 100)
    assert run([parcel, road], [1, 0], area=5_001).reason.tolist() == [TOO_SMALL, ""]


def test_neighbours_that_only_touch_are_left_alone():
    fusion = run([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], [0, 1])
    assert fusion.kept.all()
    assert fusion.overlaps == ()


BOXES = st.lists(
    st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 15)] * 2, st.integers(0, 2)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(BOXES, st.sampled_from([0.0, 0.3, 0.8]), st.randoms(use_true_random=False))
def test_nothing_overlaps_and_order_does_not_matter(rows, share, random):
    geometry = [shapely.box(x, y, x + w, y + h) for x, y, w, h, _ in rows]
    rank, ids = [row[4] for row in rows], list(range(5, 5 + len(rows)))
    fusion = run(geometry, rank, ids=ids, share=share)
    left = fusion.geometry[fusion.kept]
    assert shapely.is_valid(left).all()
    assert shapely.area(left).sum() == pytest.approx(shapely.union_all(left).area)
    whole = shapely.area(np.array(geometry, dtype=object))[fusion.kept]
    assert (shapely.area(left) >= share * whole - 1e-9).all()
    if share == 0:
        assert shapely.union_all(left).area == pytest.approx(shapely.union_all(geometry).area)
    order = random.sample(range(len(rows)), len(rows))
    again = run(
        [geometry[i] for i in order],
        [rank[i] for i in order],
        ids=[ids[i] for i in order],
        share=share,
    )
    assert again.overlaps == fusion.overlaps
    assert again.reason.tolist() == fusion.reason[order].tolist()
    assert (shapely.to_wkb(again.geometry) == shapely.to_wkb(fusion.geometry[order])).all()


@settings(max_examples=40, deadline=None)
@given(BOXES)
def test_shared_area_is_that_of_the_intersection(rows):
    geometry = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h, _ in rows], dtype=object)
    first, second = touching_pairs(geometry)
    expected = {
        (i, j): geometry[i].intersection(geometry[j]).area
        for j in range(len(rows))
        for i in range(j)
        if geometry[i].intersects(geometry[j])
    }
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    found = dict(zip(pairs, shared_area(geometry, first, second), strict=True))
    assert found == pytest.approx(expected)


def test_a_bow_tie_is_mended_into_its_two_triangles():
    bow_tie = np.array([shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])], dtype=object)
    mended, count = repaired(bow_tie)
    parts, owner, number = parts_of(mended)
    assert count == 1
    assert [part.area for part in parts] == [1, 1]
    assert (owner.tolist(), number.tolist()) == ([0, 0], [0, 1])


def test_parts_leave_out_what_has_a_lower_dimension():
    mixed = shapely.GeometryCollection(
        [
            shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)]),
            shapely.LineString([(0, 0), (5, 5)]),
        ]
    )
    parts, owner, number = parts_of(np.array([mixed, shapely.box(0, 0, 1, 1)], dtype=object))
    assert [part.geom_type for part in parts] == ["Polygon"] * 3
    assert (owner.tolist(), number.tolist()) == ([0, 0, 1], [0, 1, 0])


def test_small_pieces():
    two = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 0, 8, 3)])
    left = without_small_pieces(np.array([two, shapely.box(0, 0, 1, 1), two], dtype=object), 4.0)
    assert [g.area for g in left] == [9, 0, 9]
    assert left[1].is_empty
