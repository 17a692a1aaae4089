import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.reference.cutting import COVERED, TOO_SMALL
from fgunet.reference.fusion import Overlap, fuse
from fgunet.reference.overlaps import overlapping_pairs

SQUARE = 10_000.0


def run(
    geometry, rank, code=None, numbers=None, *, share=0.5, area=0.0, square_m=SQUARE, threads=1
):
    n = len(geometry)
    return fuse(
        np.array(geometry, dtype=object),
        np.array(rank),
        np.array(code if code is not None else [1] * n),
        np.array(numbers if numbers is not None else range(1, n + 1)),
        minimum_share=share,
        minimum_area=area,
        square_m=square_m,
        threads=threads,
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


def test_equal_polygons_go_by_their_number():
    twins = [shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10)]
    assert [g.area for g in run(twins, [0, 0], numbers=[1, 2]).geometry] == [100, 50]
    assert [g.area for g in run(twins, [0, 0], numbers=[2, 1]).geometry] == [50, 100]


def test_a_dropped_polygon_cuts_nothing():
    a, b = shapely.box(0, 0, 10, 10), shapely.box(4, 0, 14, 10)
    c = shapely.box(10, 0, 20, 10)
    fusion = run([a, b, c], [0, 1, 2])
    assert fusion.reason.tolist() == ["", COVERED, ""]
    assert fusion.geometry[1].equals(b)
    assert fusion.geometry[2].area == 100


def test_ground_of_a_small_piece_goes_to_the_next():
    # The road leaves 4 m x 10 m of the parcel, too little for it, to the wood underneath.
    road, parcel = shapely.box(4, 0, 6, 10), shapely.box(0, 0, 20, 10)
    wood = shapely.box(-10, 0, 4, 10)
    fusion = run([road, parcel, wood], [0, 1, 2], area=50)
    assert [g.area for g in fusion.geometry] == [20, 140, 140]
    assert fusion.small.tolist() == [0, 40, 0]


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


def test_what_is_left_counts_in_each_square_for_itself():
    # 30 of 100 columns lie in the left square, where nothing covers them; 50 of the 70 in the
    # right one are covered: 20 of 70 are too few there.
    wood, town = shapely.box(70, 0, 170, 10), shapely.box(110, 0, 160, 10)
    fusion = run([wood, town], [1, 0], square_m=100)
    assert fusion.geometry[0].equals(shapely.box(70, 0, 100, 10))
    assert fusion.thin.tolist() == [200, 0]
    # In one square half of it all is left, which is enough.
    assert run([wood, town], [1, 0], square_m=1000).geometry[0].area == 500
    # A piece across the border of squares may be small: its size follows from both.
    fusion = run([wood, shapely.box(72, 0, 98, 10)], [1, 0], square_m=100, area=300, share=0)
    assert fusion.geometry[0].equals(shapely.box(98, 0, 170, 10))


def test_squares_do_not_depend_on_what_lies_beyond():
    # A town beyond the left square decides there, and not here, what becomes of the wood.
    wood, town = shapely.box(70, 0, 170, 10), shapely.box(105, 0, 170, 10)
    heath = shapely.box(60, 0, 100, 10)
    alone = run([wood, heath], [1, 2], square_m=100)
    both = run([wood, heath, town], [1, 2, 0], square_m=100)
    left = shapely.box(0, 0, 100, 100)
    for one, other in zip(alone.geometry[:2], both.geometry[:2], strict=True):
        assert one.intersection(left).equals(other.intersection(left))
    assert both.geometry[0].area == 300


BOXES = st.lists(
    st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 15)] * 2, st.integers(0, 2)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(
    BOXES,
    st.sampled_from([0.0, 0.3, 0.8]),
    st.sampled_from([10.0, SQUARE]),
    st.randoms(use_true_random=False),
)
def test_nothing_overlaps_and_order_does_not_matter(rows, share, square_m, random):
    geometry = [shapely.box(x, y, x + w, y + h) for x, y, w, h, _ in rows]
    rank, numbers = [row[4] for row in rows], list(range(5, 5 + len(rows)))
    fusion = run(geometry, rank, numbers=numbers, share=share, square_m=square_m)
    left = fusion.geometry[fusion.kept]
    assert shapely.is_valid(left).all()
    assert shapely.area(left).sum() == pytest.approx(shapely.union_all(left).area)
    whole = shapely.area(np.array(geometry, dtype=object))[fusion.kept]
    if square_m == SQUARE:
        assert (shapely.area(left) >= share * whole - 1e-9).all()
    if share == 0:
        assert shapely.union_all(left).area == pytest.approx(shapely.union_all(geometry).area)
    order = random.sample(range(len(rows)), len(rows))
    again = run(
        [geometry[i] for i in order],
        [rank[i] for i in order],
        numbers=[numbers[i] for i in order],
        share=share,
        square_m=square_m,
        threads=2,
    )
    assert again.overlaps == fusion.overlaps
    assert again.reason.tolist() == fusion.reason[order].tolist()
    assert (shapely.to_wkb(again.geometry) == shapely.to_wkb(fusion.geometry[order])).all()


@pytest.mark.parametrize("area", [0.0, 7.0])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_a_square_looks_the_same_whatever_is_known_beyond(share, area):
    # Only what touches the square from (10, 10) to (20, 20) is known in the second run.
    square = shapely.box(10, 10, 20, 20)
    limits = {"share": share, "area": area, "square_m": 10.0}
    rng = np.random.default_rng(8)
    for _ in range(100):
        corner, size = rng.integers(0, 25, (12, 2)), rng.integers(1, 16, (12, 2))
        geometry = shapely.box(*corner.T, *(corner + size).T)
        rank, numbers = rng.integers(0, 3, 12), np.arange(12)
        near = np.flatnonzero(shapely.intersects(geometry, square))
        whole = run(geometry, rank, numbers=numbers, **limits)
        part = run(geometry[near], rank[near], numbers=numbers[near], **limits)
        inside = [
            np.where(kept, shapely.area(shapely.intersection(left, square)), 0)
            for left, kept in (
                (part.geometry, part.kept),
                (whole.geometry[near], whole.kept[near]),
            )
        ]
        assert inside[0] == pytest.approx(inside[1], abs=1e-6)


@pytest.fixture(scope="module")
def landscape():
    """Four hundred fields, roads through them, and forests of thousands of vertices."""
    rng = np.random.default_rng(3)

    def stars(count, radius, vertices):
        centre = rng.uniform(0, 4000, (count, 1, 2))
        turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
        reach = radius * (1 + 0.3 * np.sin(5 * turn)) * rng.uniform(0.95, 1, (count, vertices))
        ring = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        return shapely.polygons(centre + reach[..., None] * ring)

    lines = shapely.linestrings(rng.uniform(0, 4000, (10, 5, 2)))
    geometry = np.concatenate([shapely.buffer(lines, 6), stars(400, 90, 6), stars(5, 900, 1500)])
    rank = np.repeat([0, 1, 2], [10, 400, 5])
    code = rng.integers(1, 4, len(geometry))
    return geometry, rank, code


def test_overlaps_are_those_of_an_overlay_by_geopandas(landscape):
    geometry, rank, code = landscape
    fusion = run(geometry, rank, code)
    frame = gpd.GeoDataFrame({"rank": rank, "code": code}, geometry=geometry, crs="EPSG:2154")
    for one in (0, 1):
        shared = gpd.overlay(frame[frame["rank"] == one], frame[frame["rank"] == 2])
        table = shared.assign(area=shared.area).groupby(["code_1", "code_2"])["area"].sum()
        found = {
            (row.code, row.other_code): row.area_m2
            for row in fusion.overlaps
            if (row.rank, row.other_rank) == (one, 2)
        }
        assert found == pytest.approx(table.to_dict(), rel=1e-6)


def test_pairs_are_those_that_intersect(landscape):
    geometry = landscape[0]
    expected = {}
    for second in range(400, len(geometry)):
        area = shapely.area(shapely.intersection(geometry[:second], geometry[second]))
        expected |= {(int(i), second): area[i] for i in np.flatnonzero(area > 0.01)}
    pairs = overlapping_pairs(geometry, threads=2)
    late = pairs.second >= 400
    found = zip(pairs.first[late].tolist(), pairs.second[late].tolist(), strict=True)
    assert dict(zip(found, pairs.area[late], strict=True)) == pytest.approx(expected, rel=1e-6)


def test_a_landscape_is_cut_as_one_union_after_the_other(landscape):
    geometry, rank, code = landscape
    fusion = run(geometry, rank, code, share=0)
    left = fusion.geometry[fusion.kept]
    assert shapely.is_valid(left).all()
    assert overlapping_pairs(left).area.size == 0
    # What a source keeps is its union less that of those before it.
    taken = shapely.Polygon()
    for one in (0, 1, 2):
        ground = shapely.union_all(geometry[rank == one])
        kept = shapely.area(fusion.geometry[fusion.kept & (rank == one)]).sum()
        assert kept == pytest.approx(ground.difference(taken).area, rel=1e-7)
        taken = shapely.union_all([taken, ground])


def test_threads_do_not_show(landscape):
    one, two = (run(*landscape, threads=threads) for threads in (1, 2))
    assert one.overlaps == two.overlaps
    assert one.reason.tolist() == two.reason.tolist()
    assert (shapely.to_wkb(one.geometry) == shapely.to_wkb(two.geometry)).all()
